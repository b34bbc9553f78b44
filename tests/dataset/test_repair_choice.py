from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leafsight.dataset.repair_choice import largest_sides, shared_ties, sides_that_cover

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5)


def cost(counts: np.ndarray, sides: object) -> int:
    return int(counts.sum() - sum(row[side] for row, side in zip(counts, sides, strict=True)))  # type: ignore[call-overload]


def test_most_photographs_decide_and_the_preferred_split_between_equals() -> None:
    counts = np.array([[5, 1, 0], [2, 2, 0], [0, 1, 1]])
    assert largest_sides(counts, (2, 1, 0), ()).tolist() == [0, 1, 2]
    assert largest_sides(counts, (0, 1, 2), ()).tolist() == [0, 0, 1]


@pytest.mark.parametrize("drop", [False, True])
def test_equal_sides_are_shared_out(drop: bool) -> None:
    counts = np.array([[1, 1, 0]] * 30 + [[2, 1, 0]] * 10)
    plain = largest_sides(counts, (2, 1, 0), ())
    before = np.array([[100, 100, 5]])
    kinds = np.zeros(40, np.int64)
    sides = shared_ties(counts, plain, kinds, before, (2, 1, 0), drop=drop)
    assert cost(counts, sides) == cost(counts, plain)
    assert sides[30:].tolist() == [0] * 10
    # The ten others take ten photographs from split 1, so ten more of the equal ones come to it.
    assert np.bincount(sides[:30]).tolist() == [10, 20]
    assert shared_ties(counts, plain, kinds - 1, before, (2, 1, 0), drop=drop).tolist() == plain.tolist()


def test_a_locked_split_draws_every_group_that_reaches_into_it() -> None:
    counts = np.array([[5, 1, 0], [3, 0, 1], [1, 1, 1]])
    assert largest_sides(counts, (0, 1, 2), (1,)).tolist() == [1, 0, 1]
    assert largest_sides(counts, (0, 1, 2), (1, 2)).tolist() == [1, 2, -1]


@settings(max_examples=300, deadline=None)
@given(ROWS, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_no_other_choice_covers_as_much_for_less(
    rows: list[tuple[int, ...]], wanted: tuple[bool, ...]
) -> None:
    counts = np.array([row for row in rows if sum(row)] or [(1, 0, 0)])
    need = {split for split in range(3) if wanted[split]}
    plain = largest_sides(counts, (0, 1, 2), ())
    sides, missing = sides_that_cover(counts, plain, np.array(wanted), (0, 1, 2))
    assert set(np.flatnonzero(missing).tolist()) == need - set(sides.tolist())
    options = [[split for split in range(3) if row[split]] for row in counts]
    best = min((len(need - set(one)), cost(counts, one)) for one in product(*options))
    assert (int(missing.sum()), cost(counts, sides)) == best
    if not need - set(plain.tolist()):
        assert sides.tolist() == plain.tolist()


def test_nobody_turns_for_nothing() -> None:
    counts = np.array([[2, 2], [2, 2], [2, 2]])
    sides, missing = sides_that_cover(counts, np.array([0, 0, 0]), np.array([True, True]), (0, 1))
    assert sorted(sides.tolist()) == [0, 0, 1]
    assert not missing.any()
