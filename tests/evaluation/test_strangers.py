from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import fit_calibration, judge_strangers
from leafsight.evaluation.strangers import auroc

CLASSES = list("abcdef")


def test_auroc_by_hand() -> None:
    assert auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1.0
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0.0
    # Pairs: 1<2, 1<3, 3=3 (half), 3>2 -> 2.5 of 4.
    assert auroc(np.array([1.0, 3.0]), np.array([2.0, 3.0])) == pytest.approx(2.5 / 4)
    assert auroc(np.zeros(5), np.zeros(7)) == 0.5


def test_strangers_are_kept_out_and_leaves_let_in(simulate) -> None:
    scores, labels = simulate(1500, strength=6.0)
    train, train_labels = simulate(1500, seed=1, strength=6.0)
    calibration = fit_calibration(
        scores.logits, labels, scores.embedding, train.embedding, train_labels, CLASSES
    )
    result = judge_strangers(
        calibration, simulate(600, seed=2, strength=6.0)[0], simulate(300, seed=3, strength=6.0, shift=9.0)[0]
    )
    assert result.diagnosed.value < 0.05
    assert result.home_diagnosed.value > 0.9
    assert result.auroc["unfamiliarity"] > 0.98
    assert result.auroc["doubt"] == pytest.approx(0.5, abs=0.1)  # the logits know nothing of the shift
    assert result.false_positive_rate_at_95["unfamiliarity"] < 0.05
    assert sum(result.kinds.values()) == result.photos == 300


def test_without_embedding_there_is_no_unfamiliarity(simulate) -> None:
    scores, labels = simulate(100)
    calibration = fit_calibration(scores.logits, labels, None, None, None, CLASSES)
    assert set(judge_strangers(calibration, scores, scores).auroc) == {"doubt", "not_leaf"}


def test_nobody_is_refused(simulate) -> None:
    scores, labels = simulate(10)
    calibration = fit_calibration(scores.logits, labels, None, None, None, CLASSES)
    with pytest.raises(EvaluationError, match="leaves and of strangers"):
        judge_strangers(calibration, scores, scores.take(np.empty(0, dtype=np.int64)))
