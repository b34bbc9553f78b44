"""A predictor without a network, for rooms that only need somebody who answers.

It passes ``tests/inference/test_contract.py``, as ``BundlePredictor`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256

import numpy as np
from tests.fakes.tiny_bundle import LABELS

from leafsight.bundle import Label
from leafsight.errors import ImageError, UsageError
from leafsight.images import decode, measure_quality
from leafsight.inference import Candidate, Photo, Prediction, VerdictKind
from leafsight.taxonomy import find_crop, positions_of


class FakePredictor:
    """Answers by mean colour: red, green, blue, grey are the four labels, with a probability of 0.9.

    Args:
        labels: four of them, in the order red, green, blue, grey.
        verdict: said of every readable photograph instead, when given.

    Attributes:
        calls: how many photographs each call of ``predict`` had.
    """

    def __init__(self, labels: Sequence[Label] = LABELS, verdict: VerdictKind | None = None) -> None:
        self.labels = tuple(labels)
        self.verdict = verdict
        self.calls: list[int] = []
        self._hash = sha256("".join(one.class_name for one in self.labels).encode()).hexdigest()

    def predict(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> list[Prediction]:
        """See ``leafsight.inference.Predictor``."""
        for photo in photos:
            array = isinstance(photo, np.ndarray) and photo.dtype == np.uint8 and photo.ndim == 3
            if not (isinstance(photo, bytes) or (array and photo.shape[2] == 3)):
                raise UsageError(f"not a photograph: {type(photo).__name__}")
        self.calls.append(len(photos))
        allowed = list(range(len(self.labels)))
        if crop is not None:
            names = [f"{one.crop}___{one.condition}" if one.crop else one.class_name for one in self.labels]
            allowed = list(positions_of(crop, names))
        return [self._one(photo, crop and find_crop(crop).key, allowed, heatmap) for photo in photos]

    def _one(self, photo: Photo, crop: str | None, allowed: list[int], heatmap: bool) -> Prediction:
        blank = Prediction(
            verdict="unreadable", reason="", model="fake", model_hash=self._hash, crop_given=crop
        )
        try:
            rgb = decode(photo) if isinstance(photo, bytes) else photo
        except ImageError as error:
            return replace(blank, reason=error.message, hint=error.hint, error=error.as_dict())
        open_, within = _probabilities(rgb, list(range(len(self.labels)))), _probabilities(rgb, allowed)
        order = sorted(allowed, key=lambda number: -within[number])
        top = tuple(self._candidate(number, within) for number in order)
        not_leaf = float(sum(open_[n] for n, one in enumerate(self.labels) if not one.is_leaf))
        said = self.verdict or ("not_a_leaf" if not_leaf >= 0.5 else "diagnosis")
        answer = replace(
            blank,
            verdict=said,
            reason=f"The fake was told to say {said}.",
            top=top,
            possible=top[:1],
            not_leaf_probability=not_leaf,
            unfamiliarity=0.5,
            quality={name: float(value) for name, value in asdict(measure_quality(rgb)).items()},
            timing_ms={"network": 0.0},
            heatmap=np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4) if heatmap else None,
        )
        if said != "diagnosis":
            return answer
        label = self.labels[order[0]]
        return replace(
            answer,
            class_name=label.class_name,
            key=label.key,
            crop=label.crop,
            condition=label.condition,
            display=label.display,
            probability=top[0].probability,
        )

    def _candidate(self, number: int, probabilities: np.ndarray) -> Candidate:
        label = self.labels[number]
        return Candidate(label.class_name, label.key, label.display, float(probabilities[number]))


def _probabilities(rgb: np.ndarray, allowed: list[int]) -> np.ndarray:
    """0.9 for the strongest colour (grey when none stands out), the rest shared; then renormalised."""
    mean = rgb.reshape(-1, 3).mean(axis=0)
    strongest = int(mean.argmax()) if mean.max() - mean.min() > 30 else 3
    found = np.full(4, 0.1 / 3)
    found[strongest] = 0.9
    kept = np.zeros(4)
    kept[allowed] = found[allowed]
    return kept / kept.sum()
