from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from leafsight.training.seeds import Purpose, generator_for, seed_for

positions = st.tuples(st.integers(0, 9), st.integers(0, 500), st.integers(0, 2000))


@given(st.integers(0, 2**31 - 1), positions, positions)
def test_other_positions_get_other_seeds(seed: int, one: tuple[int, ...], other: tuple[int, ...]) -> None:
    first, second = (seed_for(seed, Purpose.PICTURES, *position) for position in (one, other))
    assert (first == second) == (one == other)
    assert 0 <= first < 2**63


def test_purposes_and_lengths_do_not_meet() -> None:
    assert len({seed_for(0, purpose, 0, 0) for purpose in Purpose}) == len(Purpose)
    assert seed_for(0, Purpose.VIEWS, 1) != seed_for(0, Purpose.VIEWS, 1, 0)


def test_the_value_is_part_of_the_contract() -> None:
    # A change of these numbers would make every interrupted run go on differently.
    assert seed_for(3, Purpose.ORDER, 1, 2) == 8471853872079314991
    drawn = torch.rand(2, generator=generator_for(3, Purpose.ORDER, 1, 2))
    assert torch.equal(drawn, torch.rand(2, generator=generator_for(3, Purpose.ORDER, 1, 2)))
