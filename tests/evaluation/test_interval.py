from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.evaluation import Interval, wilson


def test_published_value() -> None:
    # 8 of 10: Wilson 95 % is 0.4902 .. 0.9433, as R's prop.test without correction gives.
    low, high = wilson(8, 10)
    assert float(low) == pytest.approx(0.4902, abs=1e-4)
    assert float(high) == pytest.approx(0.9433, abs=1e-4)


def test_newcombe_table() -> None:
    # Newcombe 1998, table I, method 3: 81/263 and 15/148 and 0/20 and 1/29.
    for hits, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert [float(end) for end in wilson(hits, trials)] == pytest.approx([low, high], abs=1e-4)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.5, 0.999))
def test_the_value_is_inside_and_the_ends_in_range(hits: int, more: int, confidence: float) -> None:
    low, high = wilson(hits, hits + more, confidence)
    assert 0 <= low <= high <= 1
    if hits + more:
        assert low <= hits / (hits + more) <= high


def test_nothing_known_is_everything_possible() -> None:
    low, high = wilson(np.array([0, 3]), np.array([0, 3]))
    assert (low[0], high[0]) == (0.0, 1.0)
    assert high[1] == 1.0
    assert 0.4 < low[1] < 0.5


def test_json_has_no_nan() -> None:
    assert Interval(float("nan"), 0.0, float("inf")).to_dict() == {"value": None, "low": 0.0, "high": None}
