"""From the rows of an index to what is placed, and back to a column.

Enters: an index with groups. Leaves: ``Groups`` as numbers, and the column ``split`` of places. It does not
decide where anything goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

from leafsight.dataset.codes import Codes, combined, encoded, scattered, text_column
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.split_plan import Groups
from leafsight.errors import require

Rows = Int64[np.ndarray, " usable"]


def groups_of(index: PhotoIndex) -> Codes:
    """The group of each usable photograph; one that no rule speaks of is its own, named by its content."""
    coalesce = require("pyarrow.compute", "train").coalesce
    named = coalesce(index.table.column("group"), index.table.column("content_hash"))
    return encoded(named, index.row_ids())


def splits_of(index: PhotoIndex, splits: Sequence[str]) -> Rows:
    """The split of each usable photograph as its place in ``splits``; -1 for none and for others."""
    before = encoded(index.table.column("split"), index.row_ids())
    numbers = [splits.index(name) if name in splits else -1 for name in before.names()]
    return np.asarray(np.array([*numbers, -1], np.int64)[before.codes])


def groups_to_place(index: PhotoIndex, splits: Sequence[str], keep: Sequence[str]) -> Groups:
    """Groups with their photographs per source and class; those with one in a kept split are locked."""
    table, rows = index.table, index.row_ids()
    named = groups_of(index)
    classes, _ = encoded(table.column("class_name"), rows).sorted()
    strata, _, class_of = combined(encoded(table.column("source"), rows).codes, classes)
    pairs, group_of, stratum_of = combined(named.codes, strata)
    # In each group its strata stand in the order in which they appear: sums of fractions depend on it.
    first = np.unique(pairs, return_index=True)[1]
    order = np.lexsort((first, group_of))
    kept = [splits.index(name) for name in keep]
    return Groups(
        names=named.names(),
        sizes=np.bincount(named.codes),
        starts=np.searchsorted(group_of[order], np.arange(len(named.values) + 1)),
        strata=stratum_of[order],
        counts=np.bincount(pairs)[order],
        locked=_locked(named.codes, splits_of(index, splits), kept),
        classes=class_of,
    )


def _locked(groups: Rows, before: Rows, kept: Sequence[int]) -> Int64[np.ndarray, " groups"]:
    """The kept split of the first photograph of each group that is in one; -1 for none."""
    inside = np.flatnonzero(np.isin(before, kept))[::-1]
    locked = np.full(groups.max(initial=-1) + 1, -1, np.int64)
    locked[groups[inside]] = before[inside]  # the last assignment stays, which is the first photograph's
    return locked


def split_column(index: PhotoIndex, places: Sequence[int], splits: Sequence[str], keep: Sequence[str]) -> Any:
    """The column ``split`` (Arrow) for groups at these places; photographs of kept splits stay."""
    rows = index.row_ids()
    before = splits_of(index, splits)
    # A group that two kept splits share stays torn; split_summary reports it as a leak.
    stays = np.isin(before, [splits.index(name) for name in keep])
    placed = np.where(stays, before, np.asarray(places, np.int64)[groups_of(index).codes])
    return text_column(scattered(placed, rows, len(index)), splits)
