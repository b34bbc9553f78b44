"""Union-find: which photographs belong together when some pairs do."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from jaxtyping import Int64

_JOINED_AT_ONCE = 65536


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

    def join_codes(self, codes: Int64[np.ndarray, " things"]) -> None:
        """Join things that have the same code; -1 joins nothing."""
        order = np.argsort(codes, kind="stable")
        order = order[np.searchsorted(codes, 0, sorter=order) :]
        same = np.flatnonzero(codes[order[1:]] == codes[order[:-1]])
        for first in range(0, len(same), _JOINED_AT_ONCE):
            part = same[first : first + _JOINED_AT_ONCE]
            for one, other in zip(order[part].tolist(), order[part + 1].tolist(), strict=True):
                self.join(one, other)

    def roots(self) -> Int64[np.ndarray, " things"]:
        """The number that stands for the set of each thing."""
        return np.fromiter(map(self.find, range(len(self._parent))), np.int64, len(self._parent))

    def sets(self) -> list[list[int]]:
        """Every set in ascending order, sets by their first member."""
        members: dict[int, list[int]] = defaultdict(list)
        for thing in range(len(self._parent)):
            members[self.find(thing)].append(thing)
        return list(members.values())
