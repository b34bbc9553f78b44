"""What the model that serves knows, without its network: classes, calibration, head, and what it remembers.

Enters: an open bundle. Leaves: a ``Champion`` that judges embeddings. NumPy only: the network itself is run
in a process of its own (``looking``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int64

from leafsight.bundle import Bundle, Label, Memory, open_bundle
from leafsight.errors import BundleError
from leafsight.evaluation import KINDS, Calibration, Kind, decide_all
from leafsight.feedback.held import Held, held_of
from leafsight.feedback.likeness import unit_length

MIN_SHARPNESS = 2.0
"""Of a bundle that does not say; as in room ``inference``."""


@dataclass(frozen=True, eq=False)
class Opinion:
    """What the champion says of n photographs.

    Attributes:
        probability: float64[n, c], calibrated.
        top: int[n], the most probable class.
        kinds: the verdict of each.
        possible: bool[n, c], classes that cannot be excluded.
    """

    probability: np.ndarray
    top: np.ndarray
    kinds: tuple[Kind, ...]
    possible: np.ndarray


class Champion:
    """A bundle as the quarantine sees it. Nothing is read before it is asked for.

    Args:
        bundle: an open bundle, or its path.

    Attributes:
        bundle: the bundle.
    """

    def __init__(self, bundle: Bundle | Path | str) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Its classes, in the order of the logits."""
        return self.bundle.labels

    @cached_property
    def memory(self) -> Memory | None:
        """What it remembers of its training; None when it remembers nothing."""
        return self.bundle.memory()

    @cached_property
    def held(self) -> Held | None:
        """The same photographs, ready to hold others against: half a second of work, done once."""
        return None if self.memory is None else held_of(self.memory)

    @property
    def backbone(self) -> str | None:
        """Names the function from photograph to embedding; None when the bundle does not say."""
        return None if self.memory is None else self.memory.backbone

    @property
    def min_sharpness(self) -> float:
        """Below it the champion gives no diagnosis."""
        return float(self.bundle.calibration.get("min_sharpness", MIN_SHARPNESS))

    @property
    def side_px(self) -> int:
        """Of the square that its network sees."""
        return int(self.bundle.preprocessing.get("side_px", 0))

    @cached_property
    def calibration(self) -> Calibration:
        """What turns logits into answers.

        Raises:
            BundleError: it has none.
        """
        if not self.bundle.calibration:
            raise BundleError(f"{self.bundle.path} has no calibration", hint="export it with one")
        return Calibration.from_parts(self.bundle.calibration_arrays(), self.bundle.calibration)

    @cached_property
    def remembered(self) -> tuple[Float32[np.ndarray, "rows d"], Int64[np.ndarray, " rows"]]:
        """Embeddings of unit length and labels of the training photographs that it remembers."""
        if self.memory is None:
            return np.zeros((0, 1), np.float32), np.zeros(0, np.int64)
        rows = self.memory.rows("train")
        return unit_length(self.memory.embedding[rows]), self.memory.label[rows]

    def opinion(self, embedding: Float[np.ndarray, "n d"]) -> Opinion:
        """What it says of photographs, by its head alone.

        Raises:
            BundleError: its head is not a dense one that the bundle holds.
        """
        head = self.bundle.cam_head()
        if head is None:
            raise BundleError(
                f"the head of {self.bundle.path} is not in the bundle", hint="export the model again"
            )
        weight, bias = (np.asarray(one, np.float32) for one in head)
        return self.opinion_of(embedding, np.asarray(embedding, np.float32) @ weight.T + bias)

    def opinion_of(self, embedding: Float[np.ndarray, "n d"], logits: Float[np.ndarray, "n c"]) -> Opinion:
        """The same where the logits are known."""
        found = decide_all(self.calibration, logits, np.asarray(embedding, np.float32))
        kinds = tuple(KINDS[int(kind)] for kind in found.kinds)
        return Opinion(found.probabilities, found.top.astype(np.int64), kinds, found.sets)
