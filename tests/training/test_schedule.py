from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.training.options import OptimizerOptions
from leafsight.training.schedule import learning_rate_factor


def test_rise_top_and_end() -> None:
    options = OptimizerOptions(schedule="cosine", final_fraction=0.1)
    factors = [learning_rate_factor(step, 11, 4, options) for step in range(11)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4] == 1.0
    assert factors[7] == pytest.approx(0.55)
    assert factors[10] == pytest.approx(0.1)


def test_constant_stays() -> None:
    options = OptimizerOptions(schedule="constant")
    assert [learning_rate_factor(step, 5, 2, options) for step in range(5)] == [0.5, 1, 1, 1, 1]


@given(st.integers(1, 300), st.integers(0, 400), st.floats(0, 1))
def test_it_rises_then_falls_within_its_bounds(steps: int, warmup: int, final: float) -> None:
    options = OptimizerOptions(final_fraction=final)
    factors = [learning_rate_factor(step, steps, warmup, options) for step in range(steps)]
    assert all(0 < factor <= 1 or final == 0 for factor in factors)
    after = factors[warmup:]
    assert all(one >= two for one, two in pairwise(after))
