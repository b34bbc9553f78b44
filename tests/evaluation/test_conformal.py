from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation.conftest import calibrated

from leafsight.evaluation import restrict, softmax
from leafsight.evaluation.conformal import (
    EVERYTHING,
    class_quantiles,
    conformal_quantile,
    conformal_set,
    conformity,
    mass_before,
)

P = np.array([[0.5, 0.1, 0.3, 0.1]])


def test_mass_before_by_hand() -> None:
    assert mass_before(P)[0] == pytest.approx([0.0, 0.8, 0.5, 0.9])


def test_quantile_by_hand() -> None:
    # n = 9, alpha = 0.1: rank ceil(10 * 0.9) = 9, the largest; n = 8 has too few for that promise.
    assert conformal_quantile(np.arange(9) / 10, 0.1) == pytest.approx(0.8)
    assert conformal_quantile(np.arange(8) / 10, 0.1) == EVERYTHING
    assert conformal_quantile(np.arange(19) / 20, 0.25) == pytest.approx(14 / 20)
    assert conformal_quantile(np.empty(0), 0.1) == EVERYTHING


def test_sets_by_hand() -> None:
    assert conformal_set(P, np.full(4, 0.79))[0].tolist() == [True, False, True, False]
    assert conformal_set(P, np.full(4, 0.8))[0].tolist() == [True, True, True, False]
    assert conformal_set(P, np.full(4, 0.0))[0].tolist() == [True, False, False, False]
    assert conformal_set(P, np.full(4, EVERYTHING)).all()


@given(st.integers(0, 10_000), st.integers(1, 8), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_the_most_probable_class_is_always_in(seed: int, c: int, cut: float) -> None:
    p = softmax(np.random.default_rng(seed).normal(size=(20, c)) * 5)
    sets = conformal_set(p, np.full(c, cut))
    assert sets[np.arange(20), p.argmax(axis=1)].all()
    larger = conformal_set(p, np.full(c, min(cut + 0.1, 1.0)))
    assert (larger | ~sets).all()  # a looser cut never loses a class


def test_excluded_classes_are_never_in() -> None:
    p = softmax(restrict(np.zeros((3, 4)), np.array([True, True, False, True])))
    sets = conformal_set(p, np.full(4, EVERYTHING))
    assert sets.tolist() == [[True, True, False, True]] * 3


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("scale", [1.0, 4.0])  # 4: a model far too sure of itself
def test_the_promise_holds_on_exchangeable_photographs(alpha: float, scale: float) -> None:
    covered, total = 0, 0
    for seed in range(40):
        logits, labels = calibrated(600, 6, seed=seed)
        p = softmax(logits * scale)
        scores = conformity(p[:300], labels[:300], seed)
        cuts = class_quantiles(scores, labels[:300], 6, alpha, None)
        sets = conformal_set(p[300:], cuts)
        covered += int(sets[np.arange(300), labels[300:]].sum())
        total += 300
    # 12,000 tests, but calibration noise is shared by 300: sd of the mean about 0.004.
    assert covered / total >= 1 - alpha - 0.01


def test_the_randomised_score_is_exact() -> None:
    # With the random part kept at prediction as well the coverage is 1 - alpha, not more: the score is sound.
    rates = []
    for seed in range(40):
        logits, labels = calibrated(600, 6, seed=seed)
        scores = conformity(softmax(logits), labels, seed)
        rates.append((scores[300:] <= conformal_quantile(scores[:300], 0.2)).mean())
    assert np.mean(rates) == pytest.approx(0.8, abs=0.015)


def test_own_cuts_keep_the_promise_for_a_hard_class() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 8000)
    logits = generator.normal(size=(8000, 4))
    logits[np.arange(8000), labels] += np.where(labels == 3, -1.5, 5.0)  # class 3 is mostly missed
    p = softmax(logits)
    fit, rest = slice(0, 4000), slice(4000, None)
    scores = conformity(p[fit], labels[fit], 0)
    hard = labels[rest] == 3
    one = conformal_set(p[rest], class_quantiles(scores, labels[fit], 4, 0.1, None))
    own = conformal_set(p[rest], class_quantiles(scores, labels[fit], 4, 0.1, 30))
    assert one[hard, 3].mean() < 0.85
    assert own[hard, 3].mean() > 0.87


def test_small_classes_share_a_cut() -> None:
    labels = np.repeat([0, 1, 2, 3], [100, 100, 20, 15])
    scores = np.concatenate([np.full(100, 0.2), np.full(100, 0.4), np.full(35, 0.9)])
    cuts = class_quantiles(scores, labels, 5, 0.1, 30)
    assert cuts == pytest.approx([0.2, 0.4, 0.9, 0.9, 0.9])


def test_too_few_small_ones_get_the_cut_of_all() -> None:
    labels = np.repeat([0, 1], [100, 3])
    scores = np.concatenate([np.full(100, 0.2), np.full(3, 0.9)])
    assert class_quantiles(scores, labels, 2, 0.1, 30) == pytest.approx([0.2, 0.2])
