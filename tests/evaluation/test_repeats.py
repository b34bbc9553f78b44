"""Several runs pooled: means, spreads, intervals over runs and photographs, paired differences."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import (
    Resampled,
    Resampling,
    Scores,
    evaluate,
    repeated,
    repeated_difference,
    resampled_metrics,
)
from leafsight.evaluation.repeats import _means_of_drawn_runs

CLASSES = ("a", "b", "c")
HOW = Resampling(resamples=400, seed=3)


def judged(right: np.ndarray, labels: np.ndarray, groups: list[str] | None = None):
    """An evaluation of a model that is right where told, and else says the next class."""
    answers = np.where(right, labels, (labels + 1) % 3)
    logits = np.full((len(labels), 3), -3.0)
    logits[np.arange(len(labels)), answers] = 3.0
    return evaluate(Scores(logits), labels, CLASSES, groups=groups)


def test_the_mean_and_spread_are_those_of_the_runs() -> None:
    labels = np.arange(300) % 3
    runs = [judged(np.arange(300) < n, labels) for n in (240, 255, 270)]
    pooled = repeated([resampled_metrics(run, ("accuracy",), HOW)["accuracy"] for run in runs], HOW)
    assert pooled.runs == 3
    assert pooled.values == pytest.approx((0.8, 0.85, 0.9))
    assert pooled.mean.value == pytest.approx(0.85)
    assert pooled.spread == pytest.approx(0.05)
    assert pooled.mean.low < 0.85 < pooled.mean.high


def test_one_run_has_no_spread_and_its_own_interval() -> None:
    labels = np.arange(90) % 3
    run = judged(np.arange(90) % 5 > 0, labels)
    pooled = repeated([resampled_metrics(run, ("accuracy",), HOW)["accuracy"]], HOW)
    own = run.overall.metrics["accuracy"]
    assert np.isnan(pooled.spread)
    assert pooled.to_dict()["spread"] is None
    assert pooled.mean.low == pytest.approx(own.low, abs=0.02)
    assert pooled.mean.high == pytest.approx(own.high, abs=0.02)


def test_runs_that_differ_widen_the_interval() -> None:
    labels = np.arange(3000) % 3
    alike = [judged(np.roll(np.arange(3000) < 2400, 7 * n), labels) for n in range(3)]
    apart = [judged(np.arange(3000) < n, labels) for n in (2100, 2400, 2700)]

    def width(runs: list) -> float:
        mean = repeated([resampled_metrics(run, ("accuracy",), HOW)["accuracy"] for run in runs], HOW).mean
        return mean.high - mean.low

    assert width(apart) > 3 * width(alike)


def test_pairing_shows_what_two_intervals_hide() -> None:
    """The second model is right on 12 more of the same 300 photographs, in every run."""
    labels = np.arange(300) % 3
    theirs = [judged(np.arange(300) % 10 > n % 2, labels) for n in range(3)]
    ours = [judged((np.arange(300) % 10 > n % 2) | (np.arange(300) % 25 == 0), labels) for n in range(3)]
    a, b = (
        [resampled_metrics(run, ("accuracy",), HOW)["accuracy"] for run in runs] for runs in (ours, theirs)
    )
    difference = repeated_difference(a, b, HOW)
    assert difference.mean.low > 0
    assert repeated(a, HOW).mean.low < repeated(b, HOW).mean.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Runs of random skill on random photographs: of 95 % intervals of the mean at least 88 % hold it."""
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(120):
        hard = rng.normal(0, 1.0, 150)
        runs = []
        for _ in range(3):
            chance = 1 / (1 + np.exp(-(1.5 + rng.normal(0, 0.25) - hard)))
            right = (rng.uniform(size=150) < chance).astype(float)
            how = Resampling(resamples=200, seed=trial)
            picks = np.random.default_rng(how.seed).integers(0, 150, size=(200, 150))
            runs.append(Resampled(float(right.mean()), right[picks].mean(axis=1)))
        population = rng.normal(0, 1.0, 20_000)
        skill = rng.normal(0, 0.25, 20_000)
        truth = (1 / (1 + np.exp(-(1.5 + skill - population)))).mean()
        mean = repeated(runs, Resampling(resamples=200, seed=trial)).mean
        held += mean.low <= truth <= mean.high
    assert held >= 0.88 * 120


def test_groups_count_not_photographs() -> None:
    labels = np.arange(300) % 3
    right = np.arange(300) // 30 % 2 == 0  # whole groups are right or wrong
    groups = [f"g{n // 30}" for n in range(300)]

    def width(run) -> float:
        mean = repeated([resampled_metrics(run, ("accuracy",), HOW)["accuracy"]], HOW).mean
        return mean.high - mean.low

    assert width(judged(right, labels, groups)) > 2 * width(judged(right, labels))


def test_recall_of_chosen_classes() -> None:
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20)
    right = np.array([True] * 50 + [True] * 15 + [False] * 15 + [True] * 5 + [False] * 15)
    found = resampled_metrics(judged(right, labels), ("accuracy",), HOW, recall_of=(1, 2))
    assert found["chosen_recall"].point == pytest.approx((0.5 + 0.25) / 2)
    assert found["accuracy"].point == pytest.approx(0.7)


def test_what_cannot_be_pooled_is_refused() -> None:
    one = Resampled(0.5, np.zeros(10))
    with pytest.raises(EvaluationError, match="cannot be pooled"):
        repeated([])
    with pytest.raises(EvaluationError, match="cannot be pooled"):
        repeated([one, Resampled(0.5, np.zeros(11))])
    with pytest.raises(EvaluationError, match="cannot be paired"):
        repeated_difference([one], [one, one])
    with pytest.raises(EvaluationError, match="speed"):
        resampled_metrics(judged(np.ones(9, bool), np.arange(9) % 3), ("speed",), HOW)


def test_the_spread_of_few_runs_is_not_understated() -> None:
    """Where the photographs say the same in every draw, what is left is the standard error of k runs."""
    values = (0.80, 0.85, 0.90)
    how = Resampling(resamples=40_000, seed=1)
    drawn = _means_of_drawn_runs(np.repeat(np.array(values)[:, None], how.resamples, axis=1), how.seed)
    assert drawn.mean() == pytest.approx(0.85, abs=1e-3)
    assert drawn.std() == pytest.approx(np.std(values, ddof=1) / np.sqrt(3), rel=0.02)
