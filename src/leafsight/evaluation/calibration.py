"""The few numbers that turn raw scores into answers one may act on. Serving uses this very code.

Enters: logits and embedding of any photographs. Leaves: calibrated probabilities, the set of conditions that
cannot be excluded, and how unfamiliar the photograph is. How the numbers were found: ``fitting``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation import conformal
from leafsight.evaluation.familiarity import Familiarity
from leafsight.evaluation.probability import restrict, softmax
from leafsight.evaluation.shapes import (
    Allowed,
    ClassFlags,
    ClassFloats,
    ClassSets,
    Embedding,
    Logits,
    Probabilities,
    RowFloats,
)

FORMAT = 1
FAMILIARITY_PARTS = ("mean", "directions", "whitening", "prototypes")


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Fitted on photographs that were neither trained nor tested on.

    Attributes:
        classes: names, in the order of the logits.
        temperature: divisor of the logits.
        alpha: tolerated share of conformal sets without the true class.
        cuts: float64[c], how much probability mass may lie before a class that is still in the set.
        cut_within_crop: the same when the crop is given, one number for all classes.
        answer_threshold: calibrated probability from which an answer is given.
        answer_threshold_within_crop: the same when the crop is given.
        target_accuracy: share of right answers at which the thresholds aim.
        target_reached: whether the calibration photographs could show it.
        target_reached_within_crop: the same when the crop is given.
        not_leaf: bool[c], classes that mean "no leaf in the picture".
        not_leaf_threshold: their summed probability from which that is said.
        far_factor: unfamiliarity from which a photograph is said to be no leaf that we know.
        familiarity: ``None`` when no embedding was given.
        photos: number of calibration photographs.
    """

    classes: tuple[str, ...]
    temperature: float
    alpha: float
    cuts: ClassFloats
    cut_within_crop: float
    answer_threshold: float
    answer_threshold_within_crop: float
    target_accuracy: float
    target_reached: bool
    target_reached_within_crop: bool
    not_leaf: ClassFlags
    not_leaf_threshold: float
    far_factor: float
    familiarity: Familiarity | None
    photos: int

    def probabilities(self, logits: Logits, allowed: Allowed | None = None) -> Probabilities:
        """Calibrated probabilities, float64[n, c], every row sums to one.

        The one temperature, fitted over all classes, is also used within a crop.

        Args:
            logits: float[n, c].
            allowed: bool[c] or bool[n, c]; classes outside get 0 and the others are renormalised.

        Raises:
            EvaluationError: another number of classes, or no class is allowed.
        """
        if logits.shape[1] != len(self.classes):
            raise EvaluationError(
                f"{logits.shape[1]} logits for the {len(self.classes)} classes of the calibration"
            )
        return softmax(logits if allowed is None else restrict(logits, allowed), self.temperature)

    def conformal_set(self, probabilities: Probabilities, *, within_crop: bool = False) -> ClassSets:
        """The classes that cannot be excluded, bool[n, c]; never empty, always with the most probable one.

        Args:
            probabilities: from ``probabilities``.
            within_crop: they were renormalised over a crop, so the cut fitted for that case applies.
        """
        cuts = np.full_like(self.cuts, self.cut_within_crop) if within_crop else self.cuts
        return conformal.conformal_set(probabilities, cuts)

    def unfamiliarity(self, embedding: Embedding | None) -> RowFloats | None:
        """float64[n]: above 1 is unlike the training photographs; ``None`` where it cannot be said."""
        if self.familiarity is None or embedding is None:
            return None
        return self.familiarity(embedding)

    def to_parts(self) -> dict[str, np.ndarray]:
        """The arrays, by name, for ``.npy`` files; ``to_dict`` has the rest."""
        parts = {"cuts": self.cuts, "not_leaf": self.not_leaf}
        if self.familiarity is not None:
            parts |= {f"familiarity_{name}": getattr(self.familiarity, name) for name in FAMILIARITY_PARTS}
        return parts

    def to_dict(self) -> dict[str, Any]:
        """Everything that is not an array, as JSON-able values."""
        familiarity = self.familiarity
        return {
            "format": FORMAT,
            "classes": list(self.classes),
            **{name: getattr(self, name) for name in PLAIN_FIELDS},
            "familiarity": None
            if familiarity is None
            else {"residual_scale": familiarity.residual_scale, "unit": familiarity.unit},
        }

    @classmethod
    def from_parts(cls, parts: Mapping[str, np.ndarray], plain: Mapping[str, Any]) -> Calibration:
        """Build again from ``to_parts`` and ``to_dict``.

        Raises:
            EvaluationError: a newer format, a missing part, or shapes that do not fit each other.
        """
        if plain.get("format") != FORMAT:
            raise EvaluationError(
                f"the calibration has format {plain.get('format')!r}, this leafsight reads {FORMAT}",
                hint="use the leafsight that wrote it, or a newer one",
            )
        try:
            classes = tuple(str(name) for name in plain["classes"])
            calibration = cls(
                classes=classes,
                **{name: kind(plain[name]) for name, kind in PLAIN_FIELDS.items()},
                cuts=np.asarray(parts["cuts"], dtype=np.float64),
                not_leaf=np.asarray(parts["not_leaf"], dtype=bool),
                familiarity=_familiarity(parts, plain["familiarity"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(f"the calibration is not complete: {error!r}") from error
        if calibration.cuts.shape != (len(classes),) or calibration.not_leaf.shape != (len(classes),):
            raise EvaluationError(f"the calibration's arrays do not fit its {len(classes)} classes")
        if not calibration.temperature > 0:
            raise EvaluationError(
                f"the calibration's temperature is {calibration.temperature}, not above zero"
            )
        return calibration


PLAIN_FIELDS: dict[str, type] = {
    "temperature": float,
    "alpha": float,
    "cut_within_crop": float,
    "answer_threshold": float,
    "answer_threshold_within_crop": float,
    "target_accuracy": float,
    "target_reached": bool,
    "target_reached_within_crop": bool,
    "not_leaf_threshold": float,
    "far_factor": float,
    "photos": int,
}


def _familiarity(parts: Mapping[str, np.ndarray], plain: Mapping[str, Any] | None) -> Familiarity | None:
    if plain is None:
        return None
    mean, directions, whitening, prototypes = (
        np.asarray(parts[f"familiarity_{name}"], dtype=np.float32) for name in FAMILIARITY_PARTS
    )
    k = directions.shape[-1]
    if directions.shape != (len(mean), k) or whitening.shape != (k, k) or prototypes.shape[1:] != (k,):
        raise EvaluationError("the arrays of the calibration's familiarity do not fit each other")
    return Familiarity(
        mean, directions, whitening, prototypes, float(plain["residual_scale"]), float(plain["unit"])
    )
