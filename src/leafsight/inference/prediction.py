"""What is said about one photograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

VerdictKind = Literal["diagnosis", "cannot_tell", "not_a_leaf", "too_blurred", "unreadable"]
VERDICTS: tuple[VerdictKind, ...] = ("diagnosis", "cannot_tell", "not_a_leaf", "too_blurred", "unreadable")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One class with its calibrated probability, 0..1."""

    class_name: str
    key: str
    display: str
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "class_name": self.class_name,
            "key": self.key,
            "display": self.display,
            "probability": self.probability,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer for one photograph.

    What names a disease (``class_name`` to ``probability``) is set for a diagnosis only, so that nobody acts
    on a guess by overlooking the verdict. The guess itself is the first of ``top``.

    Attributes:
        verdict: what may be said.
        reason: one sentence: why.
        hint: one sentence: what to do; may be empty.
        model: name of the model.
        model_hash: content hash of its bundle, or empty where there is none.
        class_name: the class in the words of the training data.
        key: the class in the taxonomy, such as ``tomato/early_blight``.
        crop: key of the crop.
        condition: key of the condition.
        display: the class for people.
        probability: calibrated, 0..1; within the crop when one was given.
        top: the most probable classes, most probable first; empty when the photograph is unreadable.
        possible: the conformal set: what cannot be excluded, most probable first.
        crop_given: key of the crop that the person named, or None.
        not_leaf_probability: of all classes that mean "no leaf", whatever crop was given.
        unfamiliarity: 0 at the centre of a known class, above 1 is unlike the training photographs;
            None where the model cannot say.
        quality: measures of room ``images``; empty when the photograph is unreadable.
        timing_ms: milliseconds per step; the network's time is that of its batch divided by its photographs.
        error: the error of an unreadable photograph as plain values, or None.
        heatmap: float32 ``[h, w]``, 0..1, over the whole upright photograph, for the first of ``top``;
            None when not asked for, not possible with this network, or the photograph is unreadable.
    """

    verdict: VerdictKind
    reason: str
    hint: str = ""
    model: str
    model_hash: str = ""
    class_name: str | None = None
    key: str | None = None
    crop: str | None = None
    condition: str | None = None
    display: str | None = None
    probability: float | None = None
    top: tuple[Candidate, ...] = ()
    possible: tuple[Candidate, ...] = ()
    crop_given: str | None = None
    not_leaf_probability: float | None = None
    unfamiliarity: float | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    timing_ms: Mapping[str, float] = field(default_factory=dict, compare=False)
    error: Mapping[str, Any] | None = None
    heatmap: np.ndarray | None = field(default=None, compare=False, repr=False)

    @property
    def is_diagnosis(self) -> bool:
        """Whether a condition is named."""
        return self.verdict == "diagnosis"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the heatmap as rows of numbers with four decimals."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["top"] = [one.to_dict() for one in self.top]
        plain["possible"] = [one.to_dict() for one in self.possible]
        plain["quality"], plain["timing_ms"] = dict(self.quality), dict(self.timing_ms)
        plain["error"] = None if self.error is None else dict(self.error)
        if self.heatmap is not None:
            plain["heatmap"] = [[round(float(value), 4) for value in row] for row in self.heatmap]
        return plain
