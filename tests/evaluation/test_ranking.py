"""The area under the ROC curve against its definition, ties and groups included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.evaluation import Resampling, Scores, evaluate, resampled_metrics
from leafsight.evaluation.ranking import auc, auc_resampled, margin_of


def by_pairs(margin: np.ndarray, second: np.ndarray) -> float:
    """Hanley and McNeil's definition, pair by pair."""
    above = margin[second][:, None] - margin[~second][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 8))
def test_it_is_the_share_of_pairs_in_order(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    margin = rng.integers(0, levels, n).astype(float)  # many ties
    second = rng.uniform(size=n) < 0.4
    second[0], second[1] = True, False
    assert auc(margin, second) == pytest.approx(by_pairs(margin, second))


def test_the_known_ends() -> None:
    second = np.array([False, False, True, True])
    assert auc(np.array([1.0, 2.0, 3.0, 4.0]), second) == 1.0
    assert auc(np.array([4.0, 3.0, 2.0, 1.0]), second) == 0.0
    assert auc(np.zeros(4), second) == 0.5
    assert np.isnan(auc(np.arange(3.0), np.ones(3, bool)))


def test_resamples_repeat_whole_groups() -> None:
    rng = np.random.default_rng(1)
    second = np.arange(200) % 2 == 0
    margin = rng.normal(0, 1, 200) + second
    groups = np.arange(200) // 4
    areas = auc_resampled(margin, second, groups, Resampling(50, seed=7))
    counts = np.bincount(np.random.default_rng(7).integers(0, 50, size=(50, 50))[0], minlength=50)
    rows = np.repeat(np.arange(200), counts[groups])
    assert areas[0] == pytest.approx(by_pairs(margin[rows], second[rows]))
    assert areas.mean() == pytest.approx(auc(margin, second), abs=0.02)


def test_an_evaluation_of_two_classes_tells_it() -> None:
    rng = np.random.default_rng(2)
    labels = (np.arange(300) % 3 == 0).astype(np.int64)
    logits = np.stack([np.zeros(300), rng.normal(0, 1, 300) + labels], axis=1)
    found = evaluate(Scores(logits), labels, ("a", "b"))
    area = found.overall.metrics["auc"]
    assert area.value == pytest.approx(by_pairs(logits[:, 1], labels == 1))
    assert area.low < area.value < area.high
    pooled = resampled_metrics(found, ("auc",))["auc"]
    assert pooled.point == pytest.approx(area.value)
    assert len(pooled.draws) == 1000
    three = np.concatenate([logits, np.full((300, 1), -9.0)], axis=1)
    assert "auc" not in evaluate(Scores(three), labels, ("a", "b", "c")).overall.metrics


def test_a_perfect_area_is_not_certain() -> None:
    labels = np.array([0] * 30 + [1] * 6)
    found = evaluate(Scores(np.stack([1.0 - labels, labels * 1.0], axis=1)), labels, ("a", "b"))
    area = found.overall.metrics["auc"]
    assert area.value == 1.0
    assert area.low < 0.7  # six pictures of one class prove little


def test_one_class_only_has_no_area() -> None:
    labels = np.zeros(10, np.int64)
    found = evaluate(Scores(np.ones((10, 2)) * [1.0, 0.0]), labels, ("a", "b"))
    assert "auc" not in found.overall.metrics


def test_the_margin_stays_finite() -> None:
    logits = np.array([[0.0, -np.inf], [-np.inf, 1.0], [1.0, 3.0]])
    assert np.isfinite(margin_of(logits)).all()
    assert margin_of(logits)[2] == 2.0
