"""Quantiles, intervals and schedules are what they say."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from leafsight.loadtest import (
    constant_schedule,
    poisson_schedule,
    quantile,
    quantile_interval,
    wilson_interval,
)  # fmt: skip


def test_a_quantile_is_a_value_that_was_observed() -> None:
    values = [float(one) for one in range(1, 101)]
    assert [quantile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert quantile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_an_interval_of_a_quantile_holds_the_truth_as_often_as_it_says() -> None:
    chance, hits, tries = random.Random(1), 0, 400
    for _ in range(tries):
        ordered = sorted(chance.expovariate(1.0) for _ in range(400))
        low, high = quantile_interval(ordered, 0.95) or (0, 0)
        hits += low <= 2.9957 <= high  # -ln 0.05
    assert 0.92 <= hits / tries <= 0.99


def test_too_few_values_have_no_interval() -> None:
    assert quantile_interval([1.0] * 50, 0.99) is None
    assert quantile_interval([1.0] * 1000, 0.99) == (1.0, 1.0)


def test_shares_have_intervals_that_are_never_empty() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    low, high = wilson_interval(0, 100)
    assert low == 0
    assert 0.03 < high < 0.04


def test_arrivals_are_poisson_or_constant_and_the_same_with_the_same_seed() -> None:
    found = poisson_schedule(50, 100, seed=3)
    assert found == poisson_schedule(50, 100, seed=3) != poisson_schedule(50, 100, seed=4)
    assert 4700 < len(found) < 5300
    gaps = [after - before for before, after in pairwise(found)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert 0.9 < spread / mean < 1.1  # of an exponential distribution both are equal
    assert constant_schedule(4, 1.0) == [0.0, 0.25, 0.5, 0.75]
    for rate in (0.0, -1.0):
        with pytest.raises(ValueError, match="not above 0"):
            poisson_schedule(rate, 1, 0)
        with pytest.raises(ValueError, match="not above 0"):
            constant_schedule(rate, 1)
