"""Scores and quality -> a ``Prediction`` in words; the numbers are decided in room ``evaluation``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leafsight.bundle import Label
from leafsight.errors import ImageError
from leafsight.evaluation import Calibration, Decisions, Verdict, decide_all, log_softmax, verdicts
from leafsight.inference.crops import CropChoice
from leafsight.inference.prediction import Candidate, Prediction
from leafsight.inference.reading import ReadPhoto

HINTS = {
    "diagnosis": "",
    "cannot_tell": "photograph one leaf alone, close and in even light, and name the crop if you know it",
    "not_a_leaf": "photograph one leaf so that it fills most of the picture",
    "too_blurred": "hold still, tap on the leaf to focus, and come no closer than the camera can focus",
}


@dataclass(frozen=True, slots=True)
class Judge:
    """What is needed to put scores into words.

    Attributes:
        name: of the model.
        model_hash: content hash of its bundle.
        labels: classes in the order of the logits.
        calibration: fitted for this network.
        min_sharpness: below it a photograph is too blurred to be judged.
        top: how many classes to list.
    """

    name: str
    model_hash: str
    labels: Sequence[Label]
    calibration: Calibration
    min_sharpness: float
    top: int

    def judge(
        self,
        photos: Sequence[ReadPhoto],
        logits: np.ndarray,
        embedding: np.ndarray,
        choice: CropChoice,
    ) -> list[Prediction]:
        """One prediction for each photograph, without heatmap.

        Args:
            photos: n of them.
            logits: float32 ``[n, classes]``.
            embedding: float32 ``[n, d]``.
            choice: the crop that was given, or ``ANY_CROP``.
        """
        decisions = decide_all(self.calibration, logits, embedding, choice.allowed)
        said = verdicts(self.calibration, decisions)
        open_ = log_softmax(logits, self.calibration.temperature)
        # Copies: a row that is kept (the service stores embeddings) must not keep its whole batch in memory.
        return [
            replace(
                self._prediction(photo, verdict, decisions, row, choice.key),
                embedding=embedding[row].astype(np.float32),
                log_probabilities=open_[row].copy(),
            )
            for row, (photo, verdict) in enumerate(zip(photos, said, strict=True))
        ]

    def unreadable(self, error: ImageError, crop: str | None) -> Prediction:
        """The prediction for a photograph that could not be read: the two sentences of its error."""
        return Prediction(
            verdict="unreadable",
            reason=error.message,
            hint=error.hint,
            model=self.name,
            model_hash=self.model_hash,
            crop_given=crop,
            error=error.as_dict(),
        )

    def _prediction(
        self, photo: ReadPhoto, verdict: Verdict, decisions: Decisions, row: int, crop: str | None
    ) -> Prediction:
        probabilities = decisions.probabilities[row]
        kind, reason = verdict.kind, verdict.reason
        blurred = photo.quality["sharpness"] < self.min_sharpness
        if blurred:
            reason = (
                f"Hardly anything in the picture is sharp (sharpness {photo.quality['sharpness']:.1f}, "
                f"at least {self.min_sharpness:.1f} is needed)."
            )
        named = kind == "diagnosis" and not blurred
        return Prediction(
            verdict="too_blurred" if blurred else kind,
            reason=reason,
            hint=HINTS["too_blurred" if blurred else kind],
            model=self.name,
            model_hash=self.model_hash,
            **(named_fields(self.labels[verdict.top], verdict.probability) if named else {}),
            top=self.most_probable(probabilities),
            possible=tuple(self.candidate(number, probabilities) for number in verdict.candidates),
            crop_given=crop,
            not_leaf_probability=verdict.not_leaf_probability,
            unfamiliarity=verdict.unfamiliarity,
            quality=photo.quality,
            timing_ms=photo.timing_ms,
        )

    def most_probable(self, probabilities: np.ndarray) -> tuple[Candidate, ...]:
        """As many candidates as are to be listed, most probable first; float[c]."""
        order = np.argsort(-probabilities, kind="stable")[: self.top]
        return tuple(
            self.candidate(int(number), probabilities) for number in order if probabilities[number] > 0
        )

    def candidate(self, number: int, probabilities: np.ndarray) -> Candidate:
        """One class with its probability."""
        label = self.labels[number]
        return Candidate(label.class_name, label.key, label.display, float(probabilities[number]))


def named_fields(label: Label, probability: float) -> dict[str, Any]:
    """The fields that name a condition: set together, or not at all."""
    return {
        "class_name": label.class_name,
        "key": label.key,
        "crop": label.crop,
        "condition": label.condition,
        "display": label.display,
        "probability": probability,
    }
