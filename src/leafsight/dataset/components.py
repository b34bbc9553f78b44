"""Union-find: which photographs belong together when some pairs do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable


class Components:
    """Sets of ``n`` numbered things; joining two things joins their sets."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))
        self._size = [1] * n

    def find(self, thing: int) -> int:
        """The number that stands for the set of ``thing``."""
        while self._parent[thing] != thing:
            self._parent[thing] = self._parent[self._parent[thing]]
            thing = self._parent[thing]
        return thing

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        one, other = self.find(one), self.find(other)
        if one == other:
            return
        if self._size[one] < self._size[other]:
            one, other = other, one
        self._parent[other] = one
        self._size[one] += self._size[other]

    def join_equal(self, keys: Iterable[Hashable | None]) -> None:
        """Join things that have the same key; ``None`` joins nothing."""
        first: dict[Hashable, int] = {}
        for thing, key in enumerate(keys):
            if key is not None:
                self.join(first.setdefault(key, thing), thing)

    def sets(self) -> list[list[int]]:
        """Every set in ascending order, sets by their first member."""
        members: dict[int, list[int]] = defaultdict(list)
        for thing in range(len(self._parent)):
            members[self.find(thing)].append(thing)
        return list(members.values())
