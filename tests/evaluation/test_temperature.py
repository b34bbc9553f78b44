from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation.conftest import calibrated

from leafsight.evaluation import log_softmax
from leafsight.evaluation.temperature import HIGHEST, LOWEST, fit_temperature


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.5])
def test_a_known_scaling_is_recovered(scale: float) -> None:
    logits, labels = calibrated(20_000, 5, seed=1)
    assert fit_temperature(logits * scale, labels) == pytest.approx(scale, rel=0.05)


@given(st.integers(0, 10_000), st.integers(2, 8), st.floats(0.2, 5.0))
@settings(max_examples=30, deadline=None)
def test_no_other_temperature_is_better(seed: int, c: int, scale: float) -> None:
    logits, labels = calibrated(60, c, seed)

    def loss(temperature: float) -> float:
        return float(-log_softmax(logits * scale, temperature)[np.arange(60), labels].mean())

    best = fit_temperature(logits * scale, labels)
    grid = np.exp(np.linspace(np.log(LOWEST), np.log(HIGHEST), 200))
    assert loss(best) <= min(loss(float(t)) for t in grid) + 1e-9


def test_without_mistakes_the_lowest_is_taken() -> None:
    assert fit_temperature(np.eye(4) * 2.0, np.arange(4)) == LOWEST


def test_worse_than_guessing_takes_the_highest() -> None:
    assert fit_temperature(np.eye(4) * 9.0, np.array([1, 2, 3, 0])) == HIGHEST


def test_shifting_rows_changes_nothing() -> None:
    logits, labels = calibrated(200, 4, seed=3)
    shift = np.random.default_rng(0).normal(size=(200, 1)) * 1000
    assert fit_temperature(logits + shift, labels) == pytest.approx(fit_temperature(logits, labels))


def test_newton_leaving_the_bracket_is_caught() -> None:
    logits, labels = calibrated(500, 3, seed=4)
    assert fit_temperature(logits * 19.0, labels) == pytest.approx(19.0, rel=0.3)
