"""The new head: it learns what is new and stays where nothing speaks against it."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import TrainingError
from leafsight.retraining.head import Head, learn_head

STRENGTHS = {"old_pull": 1e-4, "new_pull": 1e-6, "balance": 0.5, "most_steps": 200}


def clouds(centres: np.ndarray, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(centres)), count)
    return (centres[labels] + rng.normal(0, 0.4, (len(labels), centres.shape[1]))).astype(np.float32), labels


CENTRES = np.eye(6)[:5] * 4.0 + 2.0
OLD = Head((np.eye(6)[:3] * 4).astype(np.float32), np.zeros(3, np.float32))


def test_it_learns_new_classes_and_keeps_the_old_ones() -> None:
    x, labels = clouds(CENTRES, 60)
    learned = learn_head(x, labels, OLD, 5, **STRENGTHS)
    fresh, truth = clouds(CENTRES, 200, seed=1)
    assert (learned.head.logits(fresh).argmax(axis=1) == truth).mean() > 0.98


def test_a_strong_pull_leaves_old_rows_where_they_were() -> None:
    x, labels = clouds(CENTRES, 60)
    held = learn_head(x, labels, OLD, 5, **{**STRENGTHS, "old_pull": 1e4}).head
    np.testing.assert_allclose(held.weight[:3], OLD.weight, atol=1e-3)
    free = learn_head(x, labels, OLD, 5, **{**STRENGTHS, "old_pull": 1e-6}).head
    assert np.abs(free.weight[:3] - OLD.weight).max() > 0.01


def test_the_result_is_the_lowest_point_wherever_the_photographs_stand() -> None:
    x, labels = clouds(CENTRES, 40)
    order = np.random.default_rng(3).permutation(len(x))
    one = learn_head(x, labels, OLD, 5, **STRENGTHS)
    other = learn_head(x[order], labels[order], OLD, 5, **STRENGTHS)
    assert one.loss == pytest.approx(other.loss, rel=1e-4)
    same = one.head.logits(x).argmax(axis=1) == other.head.logits(x).argmax(axis=1)
    assert same.all()


def test_the_same_call_gives_the_same_bytes() -> None:
    x, labels = clouds(CENTRES, 40)
    one, other = (learn_head(x, labels, OLD, 5, **STRENGTHS).head for _ in range(2))
    assert one.weight.tobytes() == other.weight.tobytes()
    assert one.bias.tobytes() == other.bias.tobytes()


def test_the_unit_of_the_embeddings_does_not_matter() -> None:
    x, labels = clouds(CENTRES, 40)
    one = learn_head(x, labels, OLD, 5, **STRENGTHS)
    scaled = Head(OLD.weight / np.float32(100), OLD.bias)
    other = learn_head(x * np.float32(100), labels, scaled, 5, **STRENGTHS)
    assert one.loss == pytest.approx(other.loss, rel=1e-3)


def test_a_small_class_is_heard_when_classes_count_alike() -> None:
    x, labels = clouds(CENTRES[[0, 1, 2, 3]] * 0.25, 300)
    keep = (labels != 3) | (np.arange(len(labels)) % 60 == 0)
    fresh, truth = clouds(CENTRES[[0, 1, 2, 3]] * 0.25, 200, seed=1)
    recall = [
        (
            learn_head(x[keep], labels[keep], OLD, 4, **{**STRENGTHS, "balance": balance})
            .head.logits(fresh[truth == 3])
            .argmax(axis=1)
            == 3
        ).mean()
        for balance in (0.0, 1.0)
    ]
    assert recall[1] > recall[0]


def test_what_does_not_fit_is_refused() -> None:
    x, labels = clouds(CENTRES, 5)
    with pytest.raises(TrainingError, match="width 6 for a head of width 2"):
        learn_head(x, labels, Head(np.zeros((3, 2), np.float32), np.zeros(3, np.float32)), 5, **STRENGTHS)
    with pytest.raises(TrainingError, match="no photograph to learn class number 4"):
        learn_head(x[labels < 4], labels[labels < 4], OLD, 5, **STRENGTHS)
    broken = x.copy()
    broken[0, 0] = np.nan
    with pytest.raises(TrainingError, match="NaN"):
        learn_head(broken, labels, OLD, 5, **STRENGTHS)
