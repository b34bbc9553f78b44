"""Several photographs of one plant, as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.tiny_bundle import tiny_calibration

from leafsight.errors import EvaluationError
from leafsight.evaluation import (
    decide_all,
    decide_plant,
    fit_calibration,
    log_softmax,
    pool_log_probabilities,
    restrict,
    softmax,
)
from leafsight.evaluation.pooling import GROWTH, MOST_MEASURED, middle_unfamiliarity

LEAVES = np.array([True, True, False, False])


def log_rows(*rows: list[float]) -> np.ndarray:
    return np.log(np.array(rows) / np.sum(rows, axis=1, keepdims=True))


@given(st.integers(0, 200), st.booleans())
def test_one_photograph_gives_its_own_decision(seed: int, crop: bool) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, (1, 4))
    embedding = np.random.default_rng(seed + 1).normal(0, 2, (1, 5))
    calibration = tiny_calibration()
    allowed = LEAVES if crop else None
    alone = decide_all(calibration, logits, embedding, allowed)
    plant = decide_plant(
        calibration, log_softmax(logits, calibration.temperature), alone.unfamiliarity, allowed
    )
    np.testing.assert_allclose(plant.probabilities, alone.probabilities, atol=1e-12)
    for name in ("kinds", "top", "sets", "unfamiliarity", "unsure"):
        np.testing.assert_array_equal(getattr(plant, name), getattr(alone, name))


@given(st.integers(2, 9), st.integers(0, 100))
def test_the_order_of_photographs_does_not_matter(k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    logs = log_softmax(random.normal(0, 2, (k, 5)))
    np.testing.assert_allclose(
        pool_log_probabilities(logs), pool_log_probabilities(logs[random.permutation(k)]), atol=1e-12
    )


def test_the_numbers_by_hand() -> None:
    logs = log_rows([6, 3, 1], [8, 1, 1])
    wanted = (np.sqrt(np.array([48.0, 3.0, 1.0]))) ** (2**GROWTH)
    np.testing.assert_allclose(np.exp(pool_log_probabilities(logs))[0], wanted / wanted.sum())


def test_photographs_that_agree_are_surer_together_but_less_than_if_they_were_independent() -> None:
    one = log_rows([0.8, 0.15, 0.05])
    sure = [
        float(np.exp(pool_log_probabilities(np.repeat(one, k, axis=0))).max()) for k in (1, 2, 3, 6, 7, 50)
    ]
    assert sure[:4] == sorted(sure[:4])
    assert len(set(sure[:4])) == 4
    assert sure[4:] == pytest.approx([sure[3]] * 2)  # beyond what was measured
    for k, found in zip((2, 3, 6), sure[1:], strict=False):
        bayes = softmax(one * k).max()
        assert found < bayes
    assert MOST_MEASURED == 6


def test_one_photograph_that_excludes_a_class_does_not_decide_alone() -> None:
    logs = log_rows([0.9, 0.1, 1e-12], [0.05, 0.05, 0.9], [0.9, 0.05, 0.05])
    assert np.exp(pool_log_probabilities(logs))[0].argmax() == 0


def test_the_crop_may_be_given_before_or_after() -> None:
    logs = log_softmax(np.random.default_rng(0).normal(0, 2, (4, 4)))
    before = softmax(pool_log_probabilities(log_softmax(restrict(logs, LEAVES))))
    after = softmax(restrict(pool_log_probabilities(logs), LEAVES))
    np.testing.assert_allclose(before, after, atol=1e-12)
    assert (after[0, 2:] == 0).all()


@pytest.mark.parametrize(
    ("each", "wanted"),
    [([1.2], 1.2), ([0.4, 1.6], 0.4), ([0.4, 1.2, 1.6], 1.2), ([0.4, 0.5, 1.2, 1.6], 0.5)],
)
def test_a_plant_is_familiar_when_half_of_its_photographs_are(each: list[float], wanted: float) -> None:
    assert middle_unfamiliarity(np.array(each)) == wanted
    assert middle_unfamiliarity(np.array(each[::-1])) == wanted


def test_a_strange_plant_is_not_diagnosed() -> None:
    logs = log_rows([98, 1, 1, 0.1], [98, 1, 1, 0.1])
    said = decide_plant(tiny_calibration(), logs, np.array([1.1, 1.3]))
    assert (said.kinds[0], said.top[0]) == (1, 0)
    assert decide_plant(tiny_calibration(), logs, np.array([0.9, 1.3])).kinds[0] == 0


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(EvaluationError, match="classes"):
        decide_plant(tiny_calibration(), log_rows([1, 1, 1]))
    with pytest.raises(EvaluationError, match="no class"):
        decide_plant(tiny_calibration(), log_rows([1, 1, 1, 1]), allowed=np.zeros(4, dtype=bool))


def test_related_photographs_are_called_right_as_often_as_they_are() -> None:
    """Simulated plants whose photographs share most of what is odd about them."""
    random = np.random.default_rng(0)
    n, classes = 1000, 5
    truth = random.integers(0, classes, n)
    signal = np.eye(classes)[truth] * 2.0

    def photographs(k: int) -> np.ndarray:
        shared = random.normal(0, 1.0, (n, 1, classes)) * np.sqrt(0.7)
        own = random.normal(0, 1.0, (n, k, classes)) * np.sqrt(0.3)
        return signal[:, None] + shared + own

    single = photographs(1)[:, 0]
    names = tuple(str(number) for number in range(classes))
    calibration = fit_calibration(single, truth, None, None, None, names)
    for k in (2, 3, 6):
        logs = np.stack([log_softmax(one, calibration.temperature) for one in photographs(k)])
        pooled = np.exp(np.concatenate([pool_log_probabilities(one) for one in logs]))
        gap = pooled.max(axis=1).mean() - (pooled.argmax(axis=1) == truth).mean()
        assert abs(gap) < 0.03
        bayes = np.exp(np.concatenate([pool_log_probabilities(one, growth=1.0) for one in logs]))
        assert bayes.max(axis=1).mean() - (bayes.argmax(axis=1) == truth).mean() > 2 * abs(gap)
