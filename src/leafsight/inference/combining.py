"""Several photographs of one plant: their predictions -> one answer.

Enters: the predictions of one model, for photographs that somebody says show one plant. Leaves: one
``Combined`` with a probability of its own, and the photographs that were left out. The numbers are decided in
room ``evaluation``; it does not know whether the photographs do show one plant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leafsight.errors import UsageError
from leafsight.evaluation import Decisions, decide_plant, verdicts
from leafsight.inference.crops import CropChoice
from leafsight.inference.judging import HINTS, Judge, named_fields
from leafsight.inference.prediction import ANSWER_NAMES, Candidate, Combined, Prediction, VerdictKind

MAX_PHOTOGRAPHS = 1000
USED: tuple[VerdictKind, ...] = ("diagnosis", "cannot_tell")
LEFT_OUT: dict[VerdictKind, str] = {
    "not_a_leaf": "not a leaf",
    "too_blurred": "too blurred",
    "unreadable": "unreadable",
}
"""In words. When all photographs are left out and two of these are equally frequent, the first is said."""

CONFLICT_HINT = "look at each answer alone: the plant may have both, or the photographs show different plants"


def combine(judge: Judge, predictions: Sequence[Prediction], choice: CropChoice) -> Combined:
    """One answer for one plant.

    A single usable photograph gives its own answer, to the last digit. Two photographs that are each sure of
    another condition give "cannot tell" with these conditions, whatever the others say.

    Args:
        judge: of the predictor that made the predictions.
        predictions: at least one, all of one model and one crop.
        choice: that crop.

    Raises:
        UsageError: no or too many predictions, of several models or crops, or without what is needed (those
            that were read from JSON or made by another predictor).
    """
    _require_alike(judge, predictions, choice)
    used = [one for one in predictions if one.verdict in USED]
    if not used:
        return _nothing_used(judge, predictions, choice)
    outside = _left_out(predictions)
    if len(used) == 1:
        own = {name: getattr(used[0], name) for name in ANSWER_NAMES}
        reason = used[0].reason.removesuffix(".") + f"; {outside}." if outside else used[0].reason
        return Combined(**{**own, "reason": reason}, photographs=len(predictions), used=1)
    decisions = _decide(judge, used, choice)
    named = {one.class_name: one for one in used if one.verdict == "diagnosis"}
    if len(named) > 1:
        return _contradicting(judge, predictions, used, decisions, choice)
    answer = _answer(judge, decisions, choice)
    reason = _reason(judge, decisions, len(used), len(predictions)) + (f"; {outside}." if outside else ".")
    return Combined(**{**answer, "reason": reason}, photographs=len(predictions), used=len(used))


def _require_alike(judge: Judge, predictions: Sequence[Prediction], choice: CropChoice) -> None:
    if not 1 <= len(predictions) <= MAX_PHOTOGRAPHS:
        raise UsageError(
            f"{len(predictions)} photographs of one plant: from 1 to {MAX_PHOTOGRAPHS} are combined"
        )
    for number, one in enumerate(predictions, 1):
        if one.model_hash != judge.model_hash:
            raise UsageError(
                f"prediction {number} was made by another model than {judge.name!r}",
                hint="predict all photographs of a plant with one model",
            )
        if one.crop_given != choice.key:
            raise UsageError(f"prediction {number} was made for another crop than the first")
        if one.verdict != "unreadable" and one.log_probabilities is None:
            raise UsageError(
                f"prediction {number} has no log-probabilities, so it cannot be combined",
                hint="combine where the photographs are judged: JSON does not carry them",
            )


def _decide(judge: Judge, used: Sequence[Prediction], choice: CropChoice) -> Decisions:
    given = [one.log_probabilities for one in used if one.log_probabilities is not None]
    strange = [one.unfamiliarity for one in used if one.unfamiliarity is not None]
    known = np.array(strange) if len(strange) == len(used) else None
    return decide_plant(judge.calibration, np.stack(given), known, choice.allowed)


def _answer(judge: Judge, decisions: Decisions, choice: CropChoice) -> dict[str, Any]:
    """The fields of ``Answer`` but the reason."""
    (verdict,) = verdicts(judge.calibration, decisions)
    probabilities = decisions.probabilities[0]
    named = (
        named_fields(judge.labels[verdict.top], verdict.probability) if verdict.kind == "diagnosis" else {}
    )
    return {
        "verdict": verdict.kind,
        "hint": HINTS[verdict.kind],
        "model": judge.name,
        "model_hash": judge.model_hash,
        **named,
        "top": judge.most_probable(probabilities),
        "possible": tuple(judge.candidate(number, probabilities) for number in verdict.candidates),
        "crop_given": choice.key,
        "not_leaf_probability": verdict.not_leaf_probability,
        "unfamiliarity": verdict.unfamiliarity,
    }


def _reason(judge: Judge, decisions: Decisions, used: int, sent: int) -> str:
    """Why, without the full stop: who was left out may follow."""
    count_ = f"{used} photographs" if used == sent else f"{used} of {sent} photographs"
    probability, kind = float(decisions.confidence[0]), int(decisions.kinds[0])
    strange = 0.0 if decisions.unfamiliarity is None else float(decisions.unfamiliarity[0])
    if kind == 2:
        return f"{count_} together show no leaf, or nothing like the leaves that were trained on"
    if kind == 0:
        return f"{count_} together give the answer a probability of {probability:.2f}"
    if strange > 1.0:
        return (
            f"{count_} together: more than half of them are unlike the training photographs, "
            f"so the best guess (probability {probability:.2f}) cannot be trusted"
        )
    if judge.calibration.not_leaf[decisions.top[0]]:
        return f"{count_} together may show no leaf at all"
    return f"{count_} together give the best guess a probability of only {probability:.2f}"


def _contradicting(
    judge: Judge,
    predictions: Sequence[Prediction],
    used: Sequence[Prediction],
    decisions: Decisions,
    choice: CropChoice,
) -> Combined:
    """Photographs that are each sure of another condition: these come first among what is possible."""
    probabilities = decisions.probabilities[0]
    says = Counter(one.class_name for one in used if one.verdict == "diagnosis")
    numbers = [at for at, label in enumerate(judge.labels) if label.class_name in says]
    numbers.sort(key=lambda at: -probabilities[at])
    rivals = [judge.candidate(at, probabilities) for at in numbers]
    votes = [f"{says[one.class_name]} say {one.display}" for one in rivals]
    answer = _answer(judge, decisions, choice)
    possible: list[Candidate] = rivals + [one for one in answer["possible"] if one not in rivals]
    whole = Combined(**{**answer, **_UNNAMED}, reason="", photographs=len(predictions), used=len(used))
    return replace(
        whole,
        verdict="cannot_tell",
        reason=f"The photographs contradict each other: {', '.join(votes[:-1])} and {votes[-1]}.",
        hint=CONFLICT_HINT,
        possible=tuple(possible),
    )


_UNNAMED = dict.fromkeys(("class_name", "key", "crop", "condition", "display", "probability"))


def _nothing_used(judge: Judge, predictions: Sequence[Prediction], choice: CropChoice) -> Combined:
    """The verdict that most photographs got."""
    kinds = Counter(one.verdict for one in predictions)
    verdict = max(LEFT_OUT, key=lambda kind: kinds[kind])
    same = [one for one in predictions if one.verdict == verdict]
    if len(same) == 1 or verdict == "unreadable":
        answer = {name: getattr(same[0], name) for name in ANSWER_NAMES}
    else:
        answer = {**_answer(judge, _decide(judge, same, choice), choice), **_UNNAMED}
    if len(predictions) > 1:
        answer["reason"] = f"None of {len(predictions)} photographs can be used: {_tally(kinds)}."
    return Combined(
        **{**answer, "verdict": verdict, "hint": same[0].hint}, photographs=len(predictions), used=0
    )


def _left_out(predictions: Sequence[Prediction]) -> str:
    kinds = Counter(one.verdict for one in predictions if one.verdict not in USED)
    return f"left out: {_tally(kinds)}" if kinds else ""


def _tally(kinds: Counter[VerdictKind]) -> str:
    return ", ".join(f"{kinds[kind]} {LEFT_OUT[kind]}" for kind in LEFT_OUT if kinds[kind])
