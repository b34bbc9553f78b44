"""Which photographs are judged together: k folds that never tear a group apart.

Enters: labels and what belongs together. Leaves: the fold of each photograph, or a drawing of whole groups
when there are too many photographs. It does not know what is measured on the folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.shapes import Labels, RowInts, SomeInts


def group_codes(groups: Sequence[object] | np.ndarray | None, n: int) -> RowInts:
    """int64[n] numbers 0..g-1: equal names share one, and every ``None`` is a group of its own.

    Raises:
        EvaluationError: not one entry a photograph.
    """
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise EvaluationError(f"{len(groups)} groups for {n} photographs")
    if isinstance(groups, np.ndarray) and groups.dtype.kind in "iu":
        return np.unique(groups, return_inverse=True)[1].astype(np.int64)
    known: dict[object, int] = {}
    codes = np.empty(n, dtype=np.int64)
    for row, name in enumerate(groups):
        codes[row] = known.setdefault((row,) if name is None else str(name), len(known))
    return codes


def group_folds(labels: Labels, groups: RowInts, folds: int = 5, seed: int = 0) -> RowInts:
    """Deal the groups of each class into folds in turn, the largest first, back and forth.

    So every fold gets the same number of groups of a class to within one, and nearly the same number of
    photographs. A group with several classes is dealt with the class of its first photograph.

    Args:
        labels: int[n].
        groups: int[n], 0..g-1, every number used.
        folds: at least 2.
        seed: decides among groups of equal size.

    Returns:
        int64[n], 0..folds-1.

    Raises:
        EvaluationError: fewer than two folds, or fewer groups than folds.
    """
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    if folds < 2 or len(first) < folds:
        raise EvaluationError(
            f"{len(first)} independent groups of photographs cannot be dealt into {folds} folds",
            hint="two folds and as many groups as folds are the least",
        )
    classes = labels[first]
    chance = np.random.default_rng(seed).permutation(len(first))
    order = np.lexsort((chance, -sizes, classes))
    sorted_classes = classes[order]
    place = np.arange(len(order)) - np.searchsorted(sorted_classes, sorted_classes)
    lap, seat = np.divmod(place, folds)
    seat = np.where(lap % 2 == 1, folds - 1 - seat, seat)
    # Each class starts one seat further on, or the first folds would get the odd group of every class.
    rank = np.searchsorted(np.unique(classes), sorted_classes)
    fold_of_group = np.empty(len(order), dtype=np.int64)
    fold_of_group[order] = (seat + rank) % folds
    return np.asarray(fold_of_group[groups])


def draw_rows(labels: Labels, groups: RowInts, most: int, seed: int = 0) -> SomeInts:
    """Rows of at most ``most`` photographs, in order: whole groups, an equal share of each class.

    Args:
        labels: int[n].
        groups: int[n], 0..g-1.
        most: at least 1. At least one group is kept, even when it is larger.
        seed: of the draw.
    """
    n = len(labels)
    if n <= most:
        return np.arange(n)
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    chance = np.random.default_rng(seed).random(len(first))
    classes = labels[first]
    order = np.lexsort((chance, classes))
    own = sizes[order]
    before = np.cumsum(own) - own
    start = np.searchsorted(classes[order], classes[order])
    total = np.bincount(classes, weights=sizes, minlength=int(classes.max()) + 1)[classes[order]]
    # How far through its class a group stands: taking the groups in this order takes the classes evenly.
    depth = (before - before[start] + chance[order] * own) / total
    taken = order[np.argsort(depth, kind="stable")]
    keep = np.zeros(len(first), dtype=bool)
    fits = np.cumsum(sizes[taken]) <= most
    fits[0] = True
    keep[taken[fits]] = True
    return np.flatnonzero(keep[groups])
