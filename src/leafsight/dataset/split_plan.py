"""Where groups go: each to the split that lacks most of its share, in an order that only the seed decides.

Enters: groups with their number of photographs per source and class, and ratios. Leaves: a split in every
group. It does not know photographs, rules of grouping or tables.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Stratum = tuple[str, str]


@dataclass(slots=True)
class Group:
    """Photographs that stay together.

    Attributes:
        name: decides its turn.
        members: rows of the index.
        counts: photographs per source and class.
        locked: the kept split that it belongs to.
        place: the split that it got.
    """

    name: str
    members: list[int]
    counts: Counter[Stratum]
    locked: str | None = None
    place: str = ""


@dataclass(slots=True)
class Plan:
    """Where groups go, and how many photographs of each stratum every split has and should have.

    Attributes:
        ratios: split to share.
        keep: splits that take no new groups.
        first: the split that no class may miss.
        seed: decides the order.
        targets: photographs wanted per stratum and split.
        have: photographs placed per stratum and split.
    """

    ratios: Mapping[str, float]
    keep: Sequence[str]
    first: str
    seed: int
    targets: dict[Stratum, dict[str, float]] = field(default_factory=dict)
    have: dict[Stratum, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def lack(self, group: Group, split: str) -> float:
        """How much this split would gain from the group: missing photographs, weighted by the group's own.

        The choice with the largest value keeps the sum of squared deviations from the targets smallest.
        """
        return sum(
            count * (self.targets[stratum][split] - self.have[stratum][split])
            for stratum, count in group.counts.items()
        )

    def put(self, group: Group, split: str) -> None:
        """Place a group, taking it from where it was."""
        for stratum, count in group.counts.items():
            if group.place:
                self.have[stratum][group.place] -= count
            self.have[stratum][split] += count
        group.place = split


def place_groups(plan: Plan, groups: Sequence[Group]) -> None:
    """Give every group its split: one after another, then amends for classes that a split misses."""
    plan.targets = _targets(plan, groups)
    for group in sorted(groups, key=lambda group: _order(plan.seed, group.name)):
        plan.put(group, group.locked or _neediest(plan, group))
    _mend(plan, groups)


def _targets(plan: Plan, groups: Sequence[Group]) -> dict[Stratum, dict[str, float]]:
    """Photographs wanted in each stratum and split; what is locked is neither wanted nor shared out."""
    totals: Counter[Stratum] = Counter()
    for group in groups:
        if group.locked is None:
            totals.update(group.counts)
    free = {name: share for name, share in plan.ratios.items() if name not in plan.keep}
    whole = sum(free.values())
    return {s: {name: share / whole * total for name, share in free.items()} for s, total in totals.items()}


def _order(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}|{name}".encode()).digest()


def _neediest(plan: Plan, group: Group) -> str:
    """The split that lacks most; a kept one takes no more than it has."""
    free = [name for name in plan.ratios if name not in plan.keep]
    seed = plan.seed
    # The hash decides between equals, so that small classes do not always feed the same split.
    return max(
        free, key=lambda name: (round(plan.lack(group, name), 9), _order(seed, f"{group.name}|{name}"))
    )


def _mend(plan: Plan, groups: Sequence[Group]) -> None:
    """Give every class to the first split, and to the others where it has groups to spare."""
    ratios, keep, first = plan.ratios, plan.keep, plan.first
    by_class: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        for class_name in sorted({class_name for _, class_name in group.counts}):
            by_class[class_name].append(group)
    # With too few groups for all, a photograph to judge by is worth more than one to tune by.
    wanted = sorted(
        (name for name in ratios if name not in keep), key=lambda name: (name != first, name != "test")
    )
    for _, mine in sorted(by_class.items()):
        for split in wanted[: len(mine)]:
            if all(group.place != split for group in mine):
                _move_smallest(plan, by_class, mine, split)


def _move_smallest(
    plan: Plan, by_class: Mapping[str, Sequence[Group]], mine: Sequence[Group], split: str
) -> None:
    """Move one group of a class into ``split``, from where all its classes keep another group."""
    first = plan.first

    def can_leave(group: Group) -> bool:
        relatives = [by_class[class_name] for _, class_name in group.counts]
        stays = all(sum(other.place == group.place for other in others) > 1 for others in relatives)
        return group.locked is None and (stays or (split == first and group.place != first))

    movable = [group for group in mine if can_leave(group)]
    if movable:
        held, seed = Counter(group.place for group in mine), plan.seed
        chosen = min(movable, key=lambda g: (-held[g.place], len(g.members), _order(seed, g.name)))
        plan.put(chosen, split)
