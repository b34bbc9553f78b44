"""What a run trains on: packed pixels, labels, and which rows train and which judge.

Enters: arrays. Leaves: the same arrays, checked. It does not know files, splits or how pixels were packed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from leafsight.errors import TrainingError
from leafsight.training.backgrounds import BackgroundBank

TRAIN, VALID = "train", "valid"
SAMPLED_PHOTOS = 64


@dataclass(frozen=True)
class TrainingData:
    """Photographs in memory or memory-mapped, and what is known about each.

    Attributes:
        images: uint8 [n, side, side, 3], RGB, at the network's side or larger (a margin for augmentation).
        labels: int64 [n], position in ``classes``; -1 where there is none (allowed in rows not used).
        rows: rows of ``images`` by split; ``train`` and ``valid`` must be there, others are left alone.
        classes: names, in the order of the logits.
        domains: int64 [n] or None, where each photograph comes from; validation tells accuracy for each.
        domain_names: what ``domains`` counts.
        names: name of each row for messages, or empty.
        backgrounds: masks and backgrounds for background replacement, or None.
        given_fingerprint: of the photographs, from whoever indexed them; empty to compute one from a sample.
    """

    images: UInt8[np.ndarray, "n side side 3"]
    labels: Int64[np.ndarray, " n"]
    rows: Mapping[str, Int64[np.ndarray, " k"]]
    classes: tuple[str, ...]
    domains: Int64[np.ndarray, " n"] | None = None
    domain_names: tuple[str, ...] = ()
    names: Sequence[str] = ()
    backgrounds: BackgroundBank | None = None
    given_fingerprint: str = field(default="")

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together.

        Raises:
            TrainingError: naming what does not fit.
        """
        problem = self._problem()
        if problem:
            raise TrainingError(f"these photographs cannot be trained on: {problem}")

    def _problem(self) -> str:
        if self.images.ndim != 4 or self.images.shape[3] != 3 or self.images.dtype != np.uint8:
            return f"images are {self.images.dtype} {self.images.shape}, not uint8 [n, side, side, 3]"
        if self.images.shape[1] != self.images.shape[2]:
            return f"images are {self.images.shape[2]} x {self.images.shape[1]} px, not square"
        if len(self.labels) != len(self.images):
            return f"{len(self.images)} images but {len(self.labels)} labels"
        for split in (TRAIN, VALID):
            if len(self.rows.get(split, ())) == 0:
                return f"no photographs in split '{split}'"
            problem = self._problem_of_rows(split)
            if problem:
                return problem
        if len(np.unique(self.labels[self.train_rows])) < 2:
            return (
                f"the training split holds one class only, '{self.classes[self.labels[self.train_rows[0]]]}'"
            )
        shared = np.intersect1d(self.train_rows, self.valid_rows)
        return f"{len(shared)} rows stand in both train and valid, such as {shared[0]}" if len(shared) else ""

    def _problem_of_rows(self, split: str) -> str:
        rows = self.rows[split]
        if rows.min() < 0 or rows.max() >= len(self.images):
            return f"split '{split}' names row {rows.max()} of {len(self.images)}"
        labels = self.labels[rows]
        if labels.min() < 0 or labels.max() >= len(self.classes):
            return (
                f"split '{split}' holds labels {labels.min()}..{labels.max()} for {len(self.classes)} classes"
            )
        return ""

    @property
    def train_rows(self) -> Int64[np.ndarray, " k"]:
        """Rows that move the weights."""
        return self.rows[TRAIN]

    @property
    def valid_rows(self) -> Int64[np.ndarray, " k"]:
        """Rows that choose the best epoch."""
        return self.rows[VALID]

    @property
    def side_px(self) -> int:
        """Side of the packed pictures."""
        return int(self.images.shape[1])

    def names_of(self, rows: Sequence[int]) -> list[str]:
        """What to call some rows in a message."""
        return [self.names[row] if len(self.names) else f"row {row}" for row in rows]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over classes, rows, labels and the given fingerprint, or else some of the pixels."""
        digest = hashlib.sha256("\n".join(self.classes).encode())
        for split in (TRAIN, VALID):
            digest.update(np.ascontiguousarray(self.rows[split], dtype="<i8").tobytes())
            digest.update(np.ascontiguousarray(self.labels[self.rows[split]], dtype="<i8").tobytes())
        digest.update(repr(self.images.shape).encode())
        if self.given_fingerprint:
            digest.update(self.given_fingerprint.encode())
            return digest.hexdigest()
        for row in np.linspace(
            0, len(self.images) - 1, min(SAMPLED_PHOTOS, len(self.images)), dtype=np.int64
        ):
            digest.update(np.ascontiguousarray(self.images[row]).tobytes())
        return digest.hexdigest()

    def summary(self) -> dict[str, Any]:
        """Plain values for ``run.json``."""
        return {
            "fingerprint": self.fingerprint,
            "classes": list(self.classes),
            "photos": {split: len(rows) for split, rows in sorted(self.rows.items())},
            "side_px": self.side_px,
            "domains": list(self.domain_names),
        }
