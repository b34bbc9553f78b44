"""The last step: a diagnosis, "cannot tell", or "not a leaf", with the reason in words.

The order matters. First whether the picture is one to judge at all (over all classes, even when the crop is
given: a photograph of a shoe is no tomato), then whether the best answer is sure enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.shapes import (
    Allowed,
    ClassSets,
    Embedding,
    Logits,
    Probabilities,
    RowFlags,
    RowFloats,
    RowInts,
)

Kind = Literal["diagnosis", "cannot_tell", "not_a_leaf"]
KINDS: tuple[Kind, ...] = ("diagnosis", "cannot_tell", "not_a_leaf")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one photograph.

    Attributes:
        kind: what may be said.
        reason: one sentence for a person.
        top: number of the most probable class (within the crop, when given), whatever the kind.
        probability: its calibrated probability.
        candidates: numbers of the classes that cannot be excluded, most probable first.
        not_leaf_probability: summed over the classes that mean "no leaf", over all classes.
        unfamiliarity: above 1 is unlike the training photographs; ``None`` where it cannot be said.
    """

    kind: Kind
    reason: str
    top: int
    probability: float
    candidates: tuple[int, ...]
    not_leaf_probability: float
    unfamiliarity: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """The answers for many photographs, as arrays.

    Attributes:
        kinds: int[n], numbers of ``KINDS``.
        probabilities: float64[n, c], calibrated, within the crop when given.
        top: int[n].
        confidence: float64[n], the probability of ``top``.
        sets: bool[n, c], classes that cannot be excluded.
        not_leaf: float64[n].
        unfamiliarity: float64[n] or ``None``.
        unsure: bool[n], the best answer is below its threshold.
    """

    kinds: RowInts
    probabilities: Probabilities
    top: RowInts
    confidence: RowFloats
    sets: ClassSets
    not_leaf: RowFloats
    unfamiliarity: RowFloats | None
    unsure: RowFlags


def decide_all(
    calibration: Calibration,
    logits: Logits,
    embedding: Embedding | None = None,
    allowed: Allowed | None = None,
) -> Decisions:
    """Decide about many photographs at once.

    Args:
        calibration: of the same model.
        logits: float[n, c].
        embedding: float[n, d]; ``None`` skips the question whether the photograph is familiar.
        allowed: bool[c] or bool[n, c], the classes of the crop that the person named.

    Raises:
        EvaluationError: shapes that do not fit the calibration, or a crop without classes.
    """
    return decide_known(calibration, logits, calibration.unfamiliarity(embedding), allowed)


def decide_known(
    calibration: Calibration, logits: Logits, unfamiliarity: RowFloats | None, allowed: Allowed | None = None
) -> Decisions:
    """As ``decide_all``, where the unfamiliarity float[n] is known already."""
    open_ = calibration.probabilities(logits)
    probabilities = open_ if allowed is None else calibration.probabilities(logits, allowed)
    top = probabilities.argmax(axis=1)
    rows = np.arange(len(top))
    confidence = probabilities[rows, top]
    not_leaf = open_[:, calibration.not_leaf].sum(axis=1)
    threshold = calibration.answer_threshold if allowed is None else calibration.answer_threshold_within_crop
    unsure = (confidence < threshold) | calibration.not_leaf[top]
    if allowed is not None:
        # With one class left its probability is 1 by arithmetic, not by evidence: ask the open question.
        alone = np.broadcast_to(allowed.sum(axis=-1) == 1, top.shape)
        unsure = np.where(alone, open_[rows, top] < calibration.answer_threshold, unsure)
    no_leaf = not_leaf >= calibration.not_leaf_threshold
    if unfamiliarity is not None:
        no_leaf |= unfamiliarity >= calibration.far_factor
        unsure = unsure | (unfamiliarity > 1.0)
    return Decisions(
        kinds=np.where(no_leaf, 2, np.where(unsure, 1, 0)),
        probabilities=probabilities,
        top=top,
        confidence=confidence,
        sets=calibration.conformal_set(probabilities, within_crop=allowed is not None),
        not_leaf=not_leaf,
        unfamiliarity=unfamiliarity,
        unsure=np.asarray(unsure, dtype=bool),
    )


def decide(
    calibration: Calibration,
    logits: Logits,
    embedding: Embedding | None = None,
    allowed: Allowed | None = None,
) -> list[Verdict]:
    """One ``Verdict`` for each photograph; arguments and errors as ``decide_all``."""
    return verdicts(calibration, decide_all(calibration, logits, embedding, allowed))


def verdicts(calibration: Calibration, decisions: Decisions) -> list[Verdict]:
    """The decisions one by one, each with its reason in words."""
    result = []
    for row in range(len(decisions.kinds)):
        probabilities = decisions.probabilities[row]
        candidates = np.flatnonzero(decisions.sets[row])
        candidates = candidates[np.argsort(-probabilities[candidates], kind="stable")]
        unfamiliarity = None if decisions.unfamiliarity is None else float(decisions.unfamiliarity[row])
        result.append(
            Verdict(
                kind=KINDS[decisions.kinds[row]],
                reason=_reason(calibration, decisions, row, unfamiliarity),
                top=int(decisions.top[row]),
                probability=float(decisions.confidence[row]),
                candidates=tuple(int(number) for number in candidates),
                not_leaf_probability=float(decisions.not_leaf[row]),
                unfamiliarity=unfamiliarity,
            )
        )
    return result


def _reason(calibration: Calibration, decisions: Decisions, row: int, unfamiliarity: float | None) -> str:
    confidence, not_leaf = decisions.confidence[row], decisions.not_leaf[row]
    if not_leaf >= calibration.not_leaf_threshold:
        return f"The picture shows no leaf, with a probability of {not_leaf:.2f}."
    if unfamiliarity is not None and unfamiliarity >= calibration.far_factor:
        return (
            f"The picture is {unfamiliarity:.1f} times as odd as the oddest known leaves: "
            "no leaf, or a plant, camera or distance that was never trained on."
        )
    if decisions.kinds[row] == 0:
        return f"The answer has a probability of {confidence:.2f}."
    if unfamiliarity is not None and unfamiliarity > 1.0:
        return (
            f"The picture is unlike the training photographs ({unfamiliarity:.1f} times the limit), "
            f"so the best guess (probability {confidence:.2f}) cannot be trusted."
        )
    if calibration.not_leaf[decisions.top[row]]:
        return f"The picture may show no leaf at all (probability {not_leaf:.2f})."
    return f"The best guess has a probability of only {confidence:.2f}."
