"""The last pass over a split: every share within one largest group, per stratum and overall.

Enters: a plan whose groups all have a place. Leaves: the same plan, with as few groups moved as it takes;
none where the shares are within one group already, so that such splits stay what they were.

Placing groups one after another keeps every stratum within its own largest group: the split that lacks most
lacks something, so it ends at most one group above its share, and those left behind lack less than that.
It does not keep the sum over many strata there, nor strata whose groups reach into others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from leafsight.dataset.split_plan import Plan, turn

# Shares are sums of fractions; this much is rounding.
ROUNDING = 1e-6
# Each move ends an excess or makes it smaller by a photograph at least.
MOVES_A_STRATUM = 16


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far a split is from the shares that were asked for, in photographs.

    Attributes:
        strata: per stratum and split; above 0 for too many.
        overall: per split.
        stratum_limits: photographs of each stratum in the group that has most of them.
        overall_limit: photographs in the largest group.
    """

    strata: Float64[np.ndarray, "strata splits"]
    overall: Float64[np.ndarray, " splits"]
    stratum_limits: Float64[np.ndarray, " strata"]
    overall_limit: float

    @property
    def holds(self) -> bool:
        """Whether no share is off by more than the largest group."""
        inside = np.abs(self.strata) <= self.stratum_limits[:, None] + ROUNDING
        return bool(inside.all()) and bool((np.abs(self.overall) <= self.overall_limit + ROUNDING).all())


def deviation(plan: Plan) -> Deviation:
    """How far the plan is from its targets; splits that take no groups count as on target."""
    groups, free = plan.groups, plan.free
    strata = np.zeros((len(plan.have), len(plan.splits)))
    strata[:, free] = np.array(plan.have, float)[:, free] - np.array(plan.targets, float)[:, free]
    open_groups = groups.locked < 0
    open_pairs = np.repeat(open_groups, np.diff(groups.starts))
    limits = np.zeros(len(plan.have))
    np.maximum.at(limits, groups.strata[open_pairs], groups.counts[open_pairs].astype(float))
    largest = float(groups.sizes[open_groups].max(initial=0))
    return Deviation(strata, strata.sum(axis=0), limits, largest)


def balance(plan: Plan) -> int:
    """Move groups until every share is within one group, as far as whole groups and classes allow.

    No class is taken out of a split that has it. What presence of a class forces (three photographs in three
    splits are 1, 1 and 1, whatever the ratios) stays.

    Returns:
        How many groups were moved.
    """
    for moved in range(MOVES_A_STRATUM * (len(plan.have) + len(plan.splits))):
        now = deviation(plan)
        if now.holds:
            return moved
        best = _best_move(plan, now)
        if best is None:
            return moved
        plan.put(*best)
    return moved + 1


def _best_move(plan: Plan, now: Deviation) -> tuple[int, int] | None:
    """The group and split that take away most of the excess, and of those the closest to the shares."""
    places = np.array(plan.places)
    movable = np.flatnonzero(_movable(plan, places))
    best: tuple[float, float] = (-ROUNDING, 0.0)
    found: list[tuple[int, int]] = []
    for split in plan.free:
        groups = movable[places[movable] != split]
        if not len(groups):
            continue
        excess, squares = _change(plan, now, places, split)
        worth = np.lexsort((squares[groups], np.round(excess[groups], 6)))
        top = groups[worth[0]]
        value = (round(float(excess[top]), 6), round(float(squares[top]), 6))
        if value < best:
            best, found = value, []
        if value == best and value[0] < -ROUNDING:
            same = (np.round(excess[groups], 6) == value[0]) & (np.round(squares[groups], 6) == value[1])
            found += [(group, split) for group in groups[same].tolist()]
    if not found:
        return None
    names = plan.groups.names
    return min(found, key=lambda move: turn(plan.seed, f"{names[move[0]]}|{plan.splits[move[1]]}"))


def _movable(plan: Plan, places: Int64[np.ndarray, " groups"]) -> Bool[np.ndarray, " groups"]:
    """Groups that are not locked and that every class of theirs can do without where they are."""
    groups = plan.groups
    held = np.array(plan.held)[groups.classes[groups.strata], places[groups.pair_groups()]]
    return (groups.locked < 0) & np.minimum.reduceat(held > 1, groups.starts[:-1])


def _change(
    plan: Plan, now: Deviation, places: Int64[np.ndarray, " groups"], split: int
) -> tuple[Float64[np.ndarray, " groups"], Float64[np.ndarray, " groups"]]:
    """What moving each group to ``split`` does to the squared excess, and to the squared deviation."""
    groups = plan.groups
    of_pair, count = groups.pair_groups(), groups.counts.astype(float)
    before = now.strata[groups.strata, places[of_pair]]
    there = now.strata[groups.strata, split]
    limit = now.stratum_limits[groups.strata]
    excess = np.add.reduceat(
        _excess(before - count, limit)
        - _excess(before, limit)
        + _excess(there + count, limit)
        - _excess(there, limit),
        groups.starts[:-1],
    )
    squares = np.add.reduceat(2 * count * (there - before + count), groups.starts[:-1])
    size, most = groups.sizes.astype(float), now.overall_limit
    overall = now.overall[places]
    whole = _excess(overall - size, most) - _excess(overall, most)
    whole += _excess(now.overall[split] + size, most) - _excess(now.overall[split], most)
    return excess + whole, squares


def _excess(deviation: Any, limit: Any) -> Any:
    """Squared photographs beyond the limit, of a number or an array."""
    return np.maximum(0, np.abs(deviation) - limit) ** 2
