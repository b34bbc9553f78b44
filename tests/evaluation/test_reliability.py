from __future__ import annotations

import numpy as np
import pytest

from leafsight.evaluation.reliability import (
    equal_count_bins,
    equal_width_bins,
    expected_calibration_error,
    reliability_table,
)


def test_edges_belong_to_the_bin_below() -> None:
    bins = equal_width_bins(np.array([0.0, 0.1, 0.2, 0.21, 1.0]), 10)
    assert bins.tolist() == [0, 0, 1, 2, 9]


def test_error_by_hand() -> None:
    # Bin (0.6, 0.8]: confidence 0.7, 1 of 2 right, gap 0.2. Bin (0.8, 1]: 0.9, 2 of 2, gap 0.1. Weights 1/2.
    confidence = np.array([0.65, 0.75, 0.85, 0.95])
    correct = np.array([True, False, True, True])
    assert expected_calibration_error(confidence, correct, 5) == pytest.approx(0.5 * 0.2 + 0.5 * 0.1)


def test_sure_and_always_wrong_is_one() -> None:
    assert expected_calibration_error(np.ones(10), np.zeros(10, dtype=bool)) == 1.0


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_calibrated_model_has_almost_none(adaptive: bool) -> None:
    generator = np.random.default_rng(0)
    confidence = generator.random(100_000)
    correct = generator.random(100_000) < confidence
    assert expected_calibration_error(confidence, correct, adaptive=adaptive) < 0.01
    too_sure = np.clip(confidence + 0.1, 0, 1)
    assert expected_calibration_error(too_sure, correct, adaptive=adaptive) == pytest.approx(0.095, abs=0.01)


def test_adaptive_bins_hold_equally_many() -> None:
    confidence = np.random.default_rng(0).random(1500) ** 8
    assert np.bincount(equal_count_bins(confidence, 15)).tolist() == [100] * 15


def test_adaptive_bins_keep_equals_together() -> None:
    assert len(set(equal_count_bins(np.full(50, 0.3), 15).tolist())) == 1


def test_table_counts_everything_once() -> None:
    confidence = np.random.default_rng(0).random(200)
    table = reliability_table(confidence, confidence > 0.5)
    assert sum(entry.photos for entry in table) == 200
    assert (table[0].low, table[-1].high) == (0.0, 1.0)
    assert table[-1].accuracy == 1.0


def test_an_empty_bin_is_not_zero_percent_right() -> None:
    table = reliability_table(np.array([0.9, 0.95]), np.array([True, True]))
    assert table[0].photos == 0
    assert np.isnan(table[0].accuracy)
