"""The parts of an evaluation that name things: classes, confused pairs, single mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leafsight.evaluation.interval import Interval, wilson
from leafsight.evaluation.results import ClassResult, ConfusedPair, Mistake
from leafsight.evaluation.shapes import ClassSets, Labels, Probabilities, RowInts
from leafsight.evaluation.verdict import KINDS, Decisions


def per_class(
    names: tuple[str, ...],
    matrix: np.ndarray,
    labels: Labels,
    codes: RowInts,
    f1: list[Interval],
    sets: ClassSets | None,
    confidence: float,
) -> tuple[ClassResult, ...]:
    """One result for each class, in their order.

    Args:
        names: of the classes.
        matrix: int[c, c], the confusion matrix.
        labels: int[n].
        codes: int[n], group of each photograph.
        f1: interval of each class, from the bootstrap.
        sets: bool[n, c], the conformal sets, or ``None``.
        confidence: level of the Wilson intervals.
    """
    answered = matrix.sum(axis=0)
    results = []
    for index, name in enumerate(names):
        rows = np.flatnonzero(labels == index)
        groups, right = len(np.unique(codes[rows])), int(matrix[index, index])
        covered = None if sets is None else int(sets[rows, index].sum())
        results.append(
            ClassResult(
                name=name,
                photos=len(rows),
                groups=groups,
                answered=int(answered[index]),
                right=right,
                precision=_share(right, int(answered[index]), int(answered[index]), confidence),
                recall=_share(right, len(rows), groups, confidence),
                f1=f1[index],
                set_coverage=None if covered is None else _share(covered, len(rows), groups, confidence),
            )
        )
    return tuple(results)


def _share(hits: int, trials: int, independent: int, confidence: float) -> Interval:
    """The share hits / trials with a Wilson interval that counts only the independent trials."""
    if trials == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = wilson(hits / trials * independent, independent, confidence)
    return Interval(hits / trials, float(low), float(high))


def confused_pairs(matrix: np.ndarray, names: Sequence[str], most: int) -> tuple[ConfusedPair, ...]:
    """The largest entries beside the diagonal, in falling order, none of them zero."""
    off = matrix.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:most]
    support = matrix.sum(axis=1)
    pairs = []
    for true, answer in zip(*np.unravel_index(order, off.shape), strict=True):
        if photos := int(off[true, answer]):
            pairs.append(ConfusedPair(names[true], names[answer], photos, photos / int(support[true])))
    return tuple(pairs)


def count_kinds(kinds: RowInts) -> dict[str, int]:
    """How many photographs got which kind of verdict."""
    return {kind: int(count) for kind, count in zip(KINDS, np.bincount(kinds, minlength=3), strict=True)}


def worst_mistakes(
    probabilities: Probabilities,
    labels: Labels,
    names: tuple[str, ...],
    decisions: Decisions | None,
    domains: Sequence[str] | None,
    most: int,
) -> tuple[Mistake, ...]:
    """The wrong first guesses, the surest first, at most ``most`` of them."""
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(top != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return tuple(
        Mistake(
            row=int(row),
            true=names[labels[row]],
            answer=names[top[row]],
            probability=float(confidence[row]),
            probability_of_true=float(probabilities[row, labels[row]]),
            kind="" if decisions is None else KINDS[decisions.kinds[row]],
            domain="" if domains is None else str(domains[row]),
        )
        for row in worst
    )
