"""Where groups go: each to the split that lacks most of its share, in an order that only the seed decides.

Enters: groups with their number of photographs per stratum (source and class), and ratios. Leaves: a split
for every group. It does not know photographs, rules of grouping or tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int64

Names = Sequence[str]
Numbers = Int64[np.ndarray, " _"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Photographs that stay together. A stratum is a source and a class; both groups and strata are numbers.

    Attributes:
        names: decide the turn of each group; no two are equal.
        sizes: photographs in each group.
        starts: group g has the pairs ``starts[g]`` to ``starts[g + 1]`` of (stratum, count).
        strata: stratum of each pair.
        counts: photographs of each pair.
        locked: number of the split that each group must be in, -1 for those that are free.
        classes: the class of each stratum, as a number that grows with the name.
    """

    names: Names
    sizes: Numbers
    starts: Numbers
    strata: Numbers
    counts: Numbers
    locked: Numbers
    classes: Numbers

    def __len__(self) -> int:
        return len(self.names)

    def pair_groups(self) -> Numbers:
        """The group of each pair."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


@dataclass(slots=True)
class Plan:
    """Where groups go, and how many photographs of each stratum every split has and should have.

    Attributes:
        groups: what is placed.
        splits: names of the splits, kept ones included; a split is its number here.
        shares: the share of each split; 0 for one that takes no new groups.
        first: the split that no class may miss.
        seed: decides the order.
        places: split of each group, -1 for none.
        targets: photographs wanted per stratum and split.
        have: photographs placed per stratum and split.
        held: groups placed per class and split.
    """

    groups: Groups
    splits: Names
    shares: Sequence[float]
    first: int
    seed: int
    places: list[int] = field(default_factory=list)
    targets: list[list[float]] = field(default_factory=list)
    have: list[list[int]] = field(default_factory=list)
    held: list[list[int]] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _strata: list[int] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _classes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        groups, width = self.groups, len(self.splits)
        self.places = [-1] * len(groups)
        # Plain lists: a turn of the loop over groups looks up single numbers, where arrays are slower.
        self._starts, self._strata = groups.starts.tolist(), groups.strata.tolist()
        self._counts, self._classes = groups.counts.tolist(), groups.classes.tolist()
        self.have = [[0] * width for _ in self._classes]
        self.held = [[0] * width for _ in range(max(self._classes, default=-1) + 1)]
        self.targets = self._wanted()

    def _wanted(self) -> list[list[float]]:
        """What is locked is neither wanted nor shared out."""
        free = np.repeat(self.groups.locked < 0, np.diff(self.groups.starts))
        totals = np.bincount(
            self.groups.strata[free], self.groups.counts[free], minlength=len(self._classes)
        ).astype(np.int64)
        whole = sum(share for share in self.shares if share)
        return [[share / whole * total for share in self.shares] for total in totals.tolist()]

    @property
    def free(self) -> list[int]:
        """The splits that take groups."""
        return [split for split, share in enumerate(self.shares) if share]

    def pairs(self, group: int) -> list[tuple[int, int]]:
        """(stratum, photographs) of a group."""
        start, end = self._starts[group], self._starts[group + 1]
        return list(zip(self._strata[start:end], self._counts[start:end], strict=True))

    def classes_of(self, group: int) -> set[int]:
        """The classes of a group."""
        return {self._classes[stratum] for stratum, _ in self.pairs(group)}

    def lack(self, group: int, split: int) -> float:
        """How much this split would gain from the group: missing photographs, weighted by the group's own.

        The choice with the largest value keeps the sum of squared deviations from the targets smallest.
        """
        return sum(
            count * (self.targets[stratum][split] - self.have[stratum][split])
            for stratum, count in self.pairs(group)
        )

    def put(self, group: int, split: int) -> None:
        """Place a group, taking it from where it was."""
        before = self.places[group]
        for stratum, count in self.pairs(group):
            if before >= 0:
                self.have[stratum][before] -= count
            self.have[stratum][split] += count
        for number in self.classes_of(group):
            if before >= 0:
                self.held[number][before] -= 1
            self.held[number][split] += 1
        self.places[group] = split

    def can_leave(self, group: int) -> bool:
        """Whether all classes of a group keep another group where it is."""
        place = self.places[group]
        return all(self.held[number][place] > 1 for number in self.classes_of(group))

    def order(self, group: int) -> bytes:
        """The turn of a group."""
        return turn(self.seed, self.groups.names[group])


def turn(seed: int, name: str) -> bytes:
    """32 bytes that only seed and name decide."""
    return hashlib.sha256(f"{seed}|{name}".encode()).digest()


def shares_of(ratios: Mapping[str, float], splits: Names, keep: Iterable[str]) -> list[float]:
    """The share of each split, 0 for those that are kept."""
    kept = set(keep)
    return [0.0 if name in kept else ratios[name] for name in splits]


def place_groups(plan: Plan) -> None:
    """Give every group its split: one after another, then amends for classes that a split misses."""
    groups = plan.groups
    turns = np.array([turn(plan.seed, name) for name in groups.names], dtype="S32")
    locked, free = groups.locked.tolist(), plan.free
    for group in np.argsort(turns, kind="stable").tolist():
        plan.put(group, locked[group] if locked[group] >= 0 else _neediest(plan, group, free))
    _mend(plan)


def _neediest(plan: Plan, group: int, free: Sequence[int]) -> int:
    """The split that lacks most; a kept one takes no more than it has."""
    lacks = [round(plan.lack(group, split), 9) for split in free]
    most = max(lacks)
    equal = [split for split, lack in zip(free, lacks, strict=True) if lack == most]
    if len(equal) == 1:
        return equal[0]
    # The hash decides between equals, so that small classes do not always feed the same split.
    name = plan.groups.names[group]
    return max(equal, key=lambda split: turn(plan.seed, f"{name}|{plan.splits[split]}"))


def _mend(plan: Plan) -> None:
    """Give every class to the first split, and to the others where it has groups to spare."""
    # With too few groups for all, a photograph to judge by is worth more than one to tune by.
    wanted = sorted(plan.free, key=lambda split: (split != plan.first, plan.splits[split] != "test"))
    for number, held in enumerate(plan.held):
        for split in wanted[: sum(held)]:
            if not held[split]:
                _move_smallest(plan, number, split)


def _move_smallest(plan: Plan, number: int, split: int) -> None:
    """Move one group of a class into ``split``, from where all its classes keep another group."""
    groups, held = plan.groups, plan.held[number]
    mine = np.unique(groups.pair_groups()[groups.classes[groups.strata] == number])
    movable = [
        group
        for group in mine[groups.locked[mine] < 0].tolist()
        if plan.can_leave(group) or (split == plan.first and plan.places[group] != plan.first)
    ]
    if movable:
        sizes = groups.sizes
        chosen = min(movable, key=lambda g: (-held[plan.places[g]], int(sizes[g]), plan.order(g)))
        plan.put(chosen, split)
