from __future__ import annotations

import time

import numpy as np
import pytest

from leafsight.evaluation import bootstrap
from leafsight.evaluation.bootstrap import Resampling, draws, group_sums, percentile_interval, resample


def mean_of(sums):
    return {"mean": sums["value"][:, 0] / sums["photos"][:, 0]}


def run(values: np.ndarray, groups: np.ndarray, how: Resampling | None = None):
    sums = group_sums({"value": values, "photos": np.ones(len(values))}, groups, int(groups.max()) + 1)
    points, resampled = resample(sums, mean_of, how or Resampling())
    return percentile_interval(float(points["mean"]), resampled["mean"], 0.95), resampled["mean"]


def test_group_sums_by_hand() -> None:
    sums = group_sums({"x": np.array([1.0, 2, 3, 4]), "y": np.eye(4)[:, :2]}, np.array([1, 0, 1, 0]), 2)
    assert sums["x"].tolist() == [[6.0], [4.0]]
    assert sums["y"].tolist() == [[0, 1], [1, 0]]


def test_standard_error_is_that_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=400)
    interval, resampled = run(values, np.arange(400), Resampling(4000))
    assert resampled.std() == pytest.approx(values.std() / 20, rel=0.05)
    assert interval.low < interval.value < interval.high


def test_copies_in_one_group_add_no_certainty() -> None:
    values = np.random.default_rng(0).normal(size=100)
    once, _ = run(values, np.arange(100))
    fooled, _ = run(np.repeat(values, 9), np.arange(900))
    honest, _ = run(np.repeat(values, 9), np.repeat(np.arange(100), 9))
    assert honest.high - honest.low == pytest.approx(once.high - once.low)
    assert (fooled.high - fooled.low) * 2.5 < honest.high - honest.low


def test_same_seed_same_draws_whatever_the_chunks(monkeypatch) -> None:
    whole = np.concatenate(list(draws(50, Resampling(200, seed=3))))
    monkeypatch.setattr(bootstrap, "COUNTS_IN_MEMORY", 50 * 7)
    chunked = list(draws(50, Resampling(200, seed=3)))
    assert len(chunked) > 10
    assert np.array_equal(np.concatenate(chunked), whole)
    assert not np.array_equal(np.concatenate(list(draws(50, Resampling(200, seed=4)))), whole)


def test_every_draw_has_as_many_groups() -> None:
    for counts in draws(37, Resampling(100)):
        assert (counts.sum(axis=1) == 37).all()


def test_undefined_resamples_are_left_out() -> None:
    interval = percentile_interval(0.5, np.array([0.4, np.nan, 0.6]), 0.95)
    assert interval.low == pytest.approx(0.405)
    assert np.isnan(percentile_interval(float("nan"), np.array([0.4]), 0.95).low)


def test_centred_holds_the_point() -> None:
    plain = percentile_interval(0.01, np.linspace(0.02, 0.04, 99), 0.95)
    centred = percentile_interval(0.01, np.linspace(0.02, 0.04, 99), 0.95, centred=True)
    assert plain.low > 0.01
    assert centred.low < 0.01 < centred.high
    assert percentile_interval(0.0, np.linspace(0, 1, 99), 0.95, centred=True).low == 0.0


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(150):
        values = (np.random.default_rng(seed).random(300) < 0.8).astype(float)
        interval, _ = run(values, np.arange(300), Resampling(400, seed=seed))
        held += interval.low <= 0.8 <= interval.high
    assert held / 150 >= 0.90


@pytest.mark.slow
def test_a_thousand_resamples_of_three_thousand_photographs() -> None:
    table = {"a": np.random.default_rng(0).random((3000, 190)), "photos": np.ones(3000)}
    started = time.perf_counter()
    resample(group_sums(table, np.arange(3000), 3000), lambda s: {"m": s["a"][:, 0]}, Resampling(1000))
    assert time.perf_counter() - started < 2.0
