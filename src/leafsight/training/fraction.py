"""A share of the training photographs: whole groups, evenly over the classes, and nested.

Enters: the rows of one split with their classes and groups. Leaves: some of these rows. A larger share holds
every row of a smaller one, so that a learning curve shows the effect of more photographs and not of others.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64


def class_shares(
    labels: Int64[np.ndarray, " n"], n_classes: int, share: float, long_tail: float
) -> Float64[np.ndarray, " classes"]:
    """Which share of each class is used.

    Args:
        labels: class of each training photograph.
        n_classes: number of classes.
        share: of every class, 0..1.
        long_tail: the largest class over the smallest afterwards; 1 leaves the sizes as they are. Classes
            keep their order by size; the k-th of c is given ``long_tail ** (-k / (c - 1))`` of the largest
            (the profile of Cui et al. 2019, arXiv:1901.05555, section 5), where it has as many.

    Returns:
        0..1 for each class.
    """
    shares = np.full(n_classes, share, np.float64)
    counts = np.bincount(labels, minlength=n_classes)
    present = np.flatnonzero(counts)
    if long_tail <= 1.0 or len(present) < 2:
        return shares
    order = present[np.argsort(-counts[present], kind="stable")]
    wanted = counts[order[0]] * long_tail ** (-np.arange(len(order)) / (len(order) - 1))
    shares[order] *= np.minimum(1.0, wanted / counts[order])
    return shares


def share_of_rows(
    rows: Int64[np.ndarray, " n"],
    labels: Int64[np.ndarray, " n"],
    groups: Sequence[str],
    shares: Float64[np.ndarray, " classes"],
) -> Int64[np.ndarray, " k"]:
    """The first groups of every class, in an order that only their names decide.

    Args:
        rows: of the training split.
        labels: class of each of them.
        groups: group of each of them; an empty one stands alone.
        shares: of each class's photographs, 0..1; every class keeps at least one group. The last group taken
            is the one that comes nearest to the share.

    Returns:
        rows in their order. Which groups come first does not depend on the share.
    """
    if (shares >= 1.0).all():
        return rows
    members: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, label, group in zip(rows.tolist(), labels.tolist(), groups, strict=True):
        members[label][group or f"row {row}"].append(row)
    kept = [row for label, groups_of in members.items() for row in _first(groups_of, float(shares[label]))]
    return np.sort(np.asarray(kept, np.int64))


def _first(groups: dict[str, list[int]], share: float) -> list[int]:
    wanted = share * sum(map(len, groups.values()))
    kept: list[int] = []
    for name in sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest()):
        # Stop where leaving the next group out lies nearer to the share than taking it in.
        if kept and len(kept) + len(groups[name]) / 2 > wanted:
            break
        kept += groups[name]
    return kept
