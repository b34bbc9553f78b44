"""On which side a torn group comes together, so that as few photographs as possible change.

Enters: for each torn group its photographs per split. Leaves: the split where each stays. Moving and leaving
out cost the same: every photograph that is not on the chosen side. It does not know photographs, classes only
as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64

# One bit a split; with more, classes are not held in their splits (nobody has nine).
MOST_SPLITS = 8

Counts = Int64[np.ndarray, "groups splits"]
Sides = Int64[np.ndarray, " groups"]


def largest_sides(counts: Counts, preference: Sequence[int], locked: Sequence[int]) -> Sides:
    """The split with most photographs of each group; a locked one whenever the group reaches into it.

    Args:
        counts: photographs of each group in each split.
        preference: all splits; of equal ones the first here is taken.
        locked: splits that may not change. A group in two of them gets -1: it cannot be mended.
    """
    preferred = counts[:, preference]
    sides = np.asarray(preference)[np.argmax(preferred, axis=1)]
    inside = counts[:, list(locked)] > 0
    reaches = inside.sum(axis=1)
    if len(locked):
        held = np.asarray(locked)[np.argmax(inside, axis=1)]
        sides = np.where(reaches == 1, held, np.where(reaches > 1, -1, sides))
    return np.asarray(sides, np.int64)


def shared_ties(
    counts: Counts,
    sides: Sides,
    classes: Sides,
    before: Int64[np.ndarray, "classes splits"],
    preference: Sequence[int],
    *,
    drop: bool,
) -> Sides:
    """Sides of which equal ones are shared out, so that no split of a class grows at the cost of another.

    One group after another goes to that of its largest sides which has lost most of what it had.

    Args:
        counts: photographs of each group in each split.
        sides: the largest side of each group.
        classes: the class of each group; -1 for groups that stay on the side they have.
        before: photographs of each class in each split.
        preference: all splits; of equal ones the first here is taken.
        drop: photographs of other sides are left out instead of moved.
    """
    tied = ((counts == counts.max(axis=1, initial=0)[:, None]).sum(axis=1) > 1) & (classes >= 0)
    now = before.astype(np.int64)
    settled = np.flatnonzero(~tied & (classes >= 0))
    np.subtract.at(now, classes[settled], counts[settled])
    stays = counts[settled, sides[settled]] if drop else counts[settled].sum(axis=1)
    np.add.at(now, (classes[settled], sides[settled]), stays)
    held, had = now.tolist(), before.tolist()
    chosen = sides.copy()
    for group in np.flatnonzero(tied).tolist():
        row, number = counts[group].tolist(), int(classes[group])
        most = max(row)
        loss = [
            (had[number][split] - held[number][split]) / max(1, had[number][split])
            for split in range(len(row))
        ]
        side = max((split for split in preference if row[split] == most), key=lambda split: loss[split])
        for split, count in enumerate(row):
            held[number][split] -= count
        held[number][side] += most if drop else sum(row)
        chosen[group] = side
    return chosen


def sides_that_cover(
    counts: Counts, sides: Sides, wanted: Bool[np.ndarray, " splits"], preference: Sequence[int]
) -> tuple[Sides, Bool[np.ndarray, " splits"]]:
    """Sides of one class's groups that leave a group in each wanted split, at the least cost.

    A walk over the groups keeps, for every set of splits that have a group, the cheapest way to get there,
    so the result is the least there is. Where it costs the same, groups stay on the side they have.

    Args:
        counts: photographs of each group in each split.
        sides: the cheapest side of each group.
        wanted: splits in which nothing else holds the class.
        preference: all splits; of equal ones the first here is taken.

    Returns:
        The sides, and which wanted splits no group can hold.
    """
    need = np.flatnonzero(wanted).tolist()
    if len(need) > MOST_SPLITS:
        return sides, wanted
    bits = {split: 1 << place for place, split in enumerate(need)}
    best, came = _walk(counts, sides, bits, preference)
    # As many splits as can be, then as few photographs as can be.
    mask = min(best, key=lambda one: (-one.bit_count(), best[one], one))
    chosen = sides.copy()
    missing = wanted.copy()
    for split, bit in bits.items():
        missing[split] = not mask & bit
    for group in range(len(counts) - 1, -1, -1):
        mask, chosen[group] = came[group][mask]
    return chosen, missing


def _walk(
    counts: Counts, sides: Sides, bits: dict[int, int], preference: Sequence[int]
) -> tuple[dict[int, tuple[int, int]], list[dict[int, tuple[int, int]]]]:
    """Least (photographs, groups turned) for each set of splits held, and how each step came about."""
    best: dict[int, tuple[int, int]] = {0: (0, 0)}
    came: list[dict[int, tuple[int, int]]] = []
    for row, side in zip(counts.tolist(), sides.tolist(), strict=True):
        whole = sum(row)
        choices = [split for split in preference if row[split] and (split == side or split in bits)]
        step: dict[int, tuple[int, int]] = {}
        origin: dict[int, tuple[int, int]] = {}
        for mask, (cost, turned) in best.items():
            for split in choices:
                reached = mask | bits.get(split, 0)
                price = (cost + whole - row[split], turned + (split != side))
                if reached not in step or price < step[reached]:
                    step[reached], origin[reached] = price, (mask, split)
        best = step
        came.append(origin)
    return best, came
