"""What differs between networks that answered about the same photographs.

Enters: answers and evaluations, rows and classes in one order. Leaves: differences with intervals and tests,
changed mistakes, the photographs of which not all say the same, and those that all have wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leafsight.evaluation import Evaluation, EvaluationOptions, compare, holm, softmax, tell_apart
from leafsight.experiments.comparing_records import Answered, AnsweredPhoto, ConfusionChange, Pair
from leafsight.experiments.run_scores import RunScores

MOST_CHANGES = 15


def pairs_with_first(
    names: Sequence[str], evaluations: Sequence[Evaluation], options: EvaluationOptions
) -> tuple[Pair, ...]:
    """Every other run against the first, p-values adjusted for the number of pairs (Holm).

    Args:
        names: of the runs.
        evaluations: of each, on the same photographs.
        options: number, level and seed of the resamples.
    """
    first = evaluations[0]
    tests = [tell_apart(first, other) for other in evaluations[1:]]
    alone = holm([one.mcnemar for one in tests])
    whole = [one.sign_flip for one in tests if one.sign_flip is not None]
    adjusted: Sequence[float | None] = holm(whole) if whole else [None] * len(tests)
    return tuple(
        Pair(
            against=names[0],
            run=name,
            comparison=compare(first, other, options.resamples, options.confidence, options.seed),
            tests=found,
            mcnemar_holm=p_alone,
            sign_flip_holm=p_whole,
            confusions=confusion_changes(first, other),
        )
        for name, other, found, p_alone, p_whole in zip(
            names[1:], evaluations[1:], tests, alone, adjusted, strict=True
        )
    )


def confusion_changes(
    first: Evaluation, other: Evaluation, most: int = MOST_CHANGES
) -> tuple[ConfusionChange, ...]:
    """Mistakes that another run makes more or less often than the first, at most ``most``."""
    before, after = first.confusion.copy(), other.confusion.copy()
    for matrix in (before, after):
        np.fill_diagonal(matrix, 0)
    change = after - before
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:most]
    places = zip(*np.unravel_index(order, change.shape), strict=True)
    return tuple(
        ConfusionChange(
            first.classes[true], first.classes[answer], int(before[true, answer]), int(after[true, answer])
        )
        for true, answer in places
        if change[true, answer]
    )


def differing_photos(scores: Sequence[RunScores]) -> tuple[AnsweredPhoto, ...]:
    """Photographs of which not all say the same, the most surprising first.

    Args:
        scores: of each run, rows and classes in the same order.
    """
    tops, sure = _answers(scores)
    both = np.minimum(sure[:, None], sure[None]) * (tops[:, None] != tops[None])
    return _photos(scores[0], tops, sure, (tops != tops[0]).any(axis=0), both.max(axis=(0, 1)))


def photos_all_have_wrong(scores: Sequence[RunScores]) -> tuple[AnsweredPhoto, ...]:
    """Photographs that no run has right, first those of which all are sure.

    Where several networks agree against a label, the label is worth a look, and so is the picture.

    Args:
        scores: of each run, rows and classes in the same order.
    """
    tops, sure = _answers(scores)
    return _photos(scores[0], tops, sure, (tops != scores[0].labels).all(axis=0), sure.min(axis=0))


def _answers(scores: Sequence[RunScores]) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest class of every run and photograph, int[runs, n], and its probability."""
    probabilities = np.stack([softmax(one.logits) for one in scores])
    return probabilities.argmax(axis=2), probabilities.max(axis=2)


def _photos(
    first: RunScores, tops: np.ndarray, sure: np.ndarray, chosen: np.ndarray, surprise: np.ndarray
) -> tuple[AnsweredPhoto, ...]:
    rows = np.flatnonzero(chosen)
    return tuple(
        AnsweredPhoto(
            row=int(row),
            photo=first.photos[row],
            label=first.classes[first.labels[row]],
            answers=tuple(
                Answered(first.classes[top], float(p), bool(top == first.labels[row]))
                for top, p in zip(tops[:, row], sure[:, row], strict=True)
            ),
            surprise=float(surprise[row]),
        )
        for row in rows[np.argsort(-surprise[rows], kind="stable")]
    )
