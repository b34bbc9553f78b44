from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leafsight.evaluation.bootstrap import Resampling
from leafsight.evaluation.interval import wilson
from leafsight.evaluation.selective import (
    LEAST_ANSWERS,
    aurc,
    aurc_resampled,
    choose_threshold,
    risk_coverage,
)


def test_curve_by_hand() -> None:
    coverage, risk = risk_coverage(np.array([0.2, 0.9, 0.8]), np.array([False, True, False]))
    assert coverage == pytest.approx([1 / 3, 2 / 3, 1])
    assert risk == pytest.approx([0, 1 / 2, 2 / 3])
    assert aurc(np.array([0.2, 0.9, 0.8]), np.array([False, True, False])) == pytest.approx(
        (1 / 2 + 2 / 3) / 3
    )


def test_equal_confidence_shares_its_risk() -> None:
    for correct in ([True, False], [False, True]):
        assert risk_coverage(np.array([0.5, 0.5]), np.array(correct))[1] == pytest.approx([0.5, 0.5])


def test_constant_confidence_is_worth_nothing() -> None:
    correct = np.random.default_rng(0).random(500) < 0.7
    assert aurc(np.full(500, 0.5), correct) == pytest.approx(1 - correct.mean())


def test_resampled_area_is_around_the_area() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.random(800)
    correct = generator.random(800) < confidence
    areas = aurc_resampled(confidence, correct, np.arange(800), Resampling(300))
    assert areas.shape == (300,)
    assert areas.mean() == pytest.approx(aurc(confidence, correct), rel=0.05)
    grouped = aurc_resampled(confidence, correct, np.arange(800) // 40, Resampling(300))
    assert grouped.shape == (300,)


def test_threshold_is_the_smallest_that_holds() -> None:
    confidence = np.repeat([0.95, 0.85, 0.75, 0.65], 200)
    correct = np.ones(800, dtype=bool)
    correct[600:] = np.arange(200) % 2 == 0  # below 0.7 every second one is wrong
    chosen = choose_threshold(confidence, correct, target=0.95, floor=0.5)
    assert chosen.reached
    assert 0.65 < chosen.value <= 0.75
    answered = confidence >= chosen.value
    assert wilson(int(correct[answered].sum()), int(answered.sum()), 0.9)[0] >= 0.95


def test_an_excellent_model_still_keeps_the_floor() -> None:
    chosen = choose_threshold(np.full(500, 0.99), np.ones(500, dtype=bool), target=0.9, floor=0.6)
    assert (chosen.value, chosen.reached) == (0.6, True)


def test_what_cannot_be_shown_is_said() -> None:
    generator = np.random.default_rng(0)
    guess = choose_threshold(generator.random(400), generator.random(400) < 0.3, target=0.95, floor=0.5)
    assert not guess.reached
    few = choose_threshold(
        np.full(LEAST_ANSWERS - 1, 0.99), np.ones(LEAST_ANSWERS - 1, bool), target=0.5, floor=0.5
    )
    assert (few.value, few.reached) == (0.5, False)


def test_the_promise_is_seldom_broken() -> None:
    """Calibration photographs choose, endless new ones judge: broken in about one case of ten at most."""
    big = np.random.default_rng(1)
    fresh = big.random(200_000)
    fresh_right = big.random(200_000) < fresh
    broken = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        confidence = generator.random(600)
        chosen = choose_threshold(confidence, generator.random(600) < confidence, target=0.9, floor=0.5)
        broken += chosen.reached and fresh_right[fresh >= chosen.value].mean() < 0.9
    assert broken / 200 <= 0.12


@given(st.integers(0, 1000), st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_a_better_order_never_has_a_larger_area(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    correct = generator.random(n) < 0.6
    confidence = generator.random(n)
    oracle = np.where(correct, 1.0, 0.0)
    assert aurc(oracle, correct) <= aurc(confidence, correct) + 1e-12
