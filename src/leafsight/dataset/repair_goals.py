"""Where each photograph of a layout goes, so that no group is in two splits.

Enters: the usable photographs of an index as numbers. Leaves: a split for each, or that it is left out. It
does not know options, files or words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from leafsight.dataset.codes import combined, encoded, scattered
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.repair_choice import largest_sides, shared_ties, sides_that_cover
from leafsight.dataset.split_groups import groups_of
from leafsight.errors import DatasetError

LEFT_OUT = -2
Rows = Int64[np.ndarray, " usable"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The usable photographs of an index as numbers; a split is its place in ``splits``."""

    index: PhotoIndex
    rows: Rows
    splits: list[str]
    split: Rows
    class_names: list[str]
    classes: Rows
    groups: Rows


def laid_out(index: PhotoIndex) -> Layout:
    """An index with groups as a layout."""
    rows = index.row_ids()
    split, splits = encoded(index.table.column("split"), rows).sorted()
    classes, names = encoded(index.table.column("class_name"), rows).sorted()
    return Layout(index, rows, splits, split, names, classes, groups_of(index).codes)


def names_of(layout: Layout, places: Int64[np.ndarray, " _"]) -> list[str]:
    """Source and path of the photographs at these places of the layout."""
    taken = layout.index.rows(layout.rows[places])
    return [
        f"{source}/{path}" for source, path in zip(taken.column("source"), taken.column("path"), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Torn:
    """The torn groups: the group of each photograph (-1 for none), photographs per group and split.

    ``locked`` groups reach into a kept split. Like all of them when ``drop`` is asked for, they lose
    their other photographs instead of taking them in.
    """

    group: Rows
    counts: Int64[np.ndarray, "groups splits"]
    locked: Bool[np.ndarray, " groups"]
    drop: bool

    def goals(self, split: Rows, sides: Int64[np.ndarray, " groups"]) -> Rows:
        """Where each photograph goes when the groups come together on these sides."""
        side = np.append(sides, -1)[self.group]
        leaves = (self.group >= 0) & (split != side)
        dropped = leaves & (np.append(self.locked, False)[self.group] | self.drop)
        return np.where(dropped, LEFT_OUT, np.where(leaves, side, split))


def goals_of(
    layout: Layout, gone: Bool[np.ndarray, " usable"], keep: Sequence[str], *, drop: bool
) -> tuple[Rows, Rows, list[tuple[int, int]]]:
    """Where each photograph goes, the torn group of each (-1 for none), and (class, split) pairs lost."""
    width = len(layout.splits)
    inside = (layout.split >= 0) & ~gone
    _, of_group, _ = combined(np.where(inside, layout.groups, -1), layout.split)
    names, sides_held = np.unique(of_group, return_counts=True)
    torn = np.where(np.isin(layout.groups, names[sides_held > 1]) & inside, layout.groups, -1)
    _, numbers = np.unique(torn[torn >= 0], return_inverse=True)
    group = scattered(numbers.astype(np.int64), np.flatnonzero(torn >= 0), len(torn))
    counts = _counted(group, layout.split, int(group.max(initial=-1)) + 1, width)
    sizes = np.bincount(layout.split[layout.split >= 0], minlength=width)
    preference = sorted(range(width), key=lambda split: (int(sizes[split]), layout.splits[split]))
    locked = [layout.splits.index(name) for name in keep]
    sides = largest_sides(counts, preference, locked)
    if (sides < 0).any():
        first = names_of(layout, np.flatnonzero(group == np.flatnonzero(sides < 0)[0]))[0]
        raise DatasetError(
            f"{int((sides < 0).sum())} groups are in two kept splits, such as that of {first}",
            hint="keep one split only",
        )
    reaches = np.asarray((counts[:, locked] > 0).any(axis=1))
    found = _Torn(group, counts, reaches, drop)
    sides, lost = _hold_classes(layout, found, sides, gone, preference)
    goals = found.goals(layout.split, sides)
    return np.where(gone | _copies(layout, goals), LEFT_OUT, goals), torn, lost


def _copies(layout: Layout, goals: Rows) -> Bool[np.ndarray, " usable"]:
    """Photographs that would move to where the same picture stays under the same label.

    There it would stand twice, and count twice in a test, so it is left out instead.
    """
    width = len(layout.splits)
    stays, moves = (goals >= 0) & (goals == layout.split), (goals >= 0) & (goals != layout.split)
    copies = np.zeros(len(goals), bool)
    for column in ("content_hash", "pixel_hash"):
        same = encoded(layout.index.table.column(column), layout.rows).codes
        pictures = combined(same, layout.classes)[0]
        known = pictures >= 0
        places = pictures * width + goals
        copies |= moves & known & np.isin(places, places[stays & known])
    return copies


def _counted(group: Rows, split: Rows, count: int, width: int) -> Int64[np.ndarray, "groups splits"]:
    inside = (group >= 0) & (split >= 0)
    flat = np.bincount(group[inside] * width + split[inside], minlength=count * width)
    return flat.reshape(count, width)


def _hold_classes(
    layout: Layout,
    torn: _Torn,
    sides: Int64[np.ndarray, " groups"],
    gone: Bool[np.ndarray, " usable"],
    preference: Sequence[int],
) -> tuple[Int64[np.ndarray, " groups"], list[tuple[int, int]]]:
    """Sides that leave every class in the splits where it was, and (class, split) pairs that are lost."""
    height, width = len(layout.class_names), len(layout.splits)
    inside = torn.group >= 0
    low, high = np.full(len(sides), height), np.full(len(sides), -1)
    np.minimum.at(low, torn.group[inside], layout.classes[inside])
    np.maximum.at(high, torn.group[inside], layout.classes[inside])
    free = (low == high) & ~torn.locked  # only groups of one class may turn, one class at a time
    before = _counted(layout.classes, layout.split, height, width)
    goals = torn.goals(layout.split, sides)
    fixed = (goals >= 0) & ~gone & ~np.append(free, False)[torn.group]
    had = before > 0
    held = _counted(np.where(fixed, layout.classes, -1), goals, height, width) > 0
    kinds = np.where(free, low, -1)
    sides, lost = shared_ties(torn.counts, sides, kinds, before, preference, drop=torn.drop), []
    for number in np.flatnonzero((had & ~held).any(axis=1)).tolist():
        mine = np.flatnonzero(free & (low == number))
        wanted = had[number] & ~held[number]
        missing = wanted & ~np.isin(np.arange(width), sides[mine])
        if missing.any():
            sides[mine], missing = sides_that_cover(torn.counts[mine], sides[mine], wanted, preference)
        lost += [(number, split) for split in np.flatnonzero(missing).tolist()]
    return sides, lost
