from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leafsight.dataset.components import Components


def test_joined_things_are_one_set() -> None:
    parts = Components(6)
    parts.join(0, 3)
    parts.join(3, 5)
    parts.join(5, 0)
    parts.join(2, 4)
    assert parts.sets() == [[0, 3, 5], [1], [2, 4]]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_sets_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    parts = Components(20)
    reach = {n: {n} for n in range(20)}
    for one, other in pairs:
        parts.join(one, other)
        merged = reach[one] | reach[other]
        for member in merged:
            reach[member] = merged
    assert sorted(parts.sets()) == sorted(map(list, {tuple(sorted(members)) for members in reach.values()}))
