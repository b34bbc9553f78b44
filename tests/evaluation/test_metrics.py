from __future__ import annotations

import numpy as np
import pytest

from leafsight.evaluation.bootstrap import group_sums
from leafsight.evaluation.metrics import columns, confusion_matrix, in_top_k, measure

# Truth 0 0 0 1 1 2; answers 0 0 1 1 0 2. Class 3 has no photograph.
LABELS = np.array([0, 0, 0, 1, 1, 2])
ANSWERS = np.array([0, 0, 1, 1, 0, 2])
LOGITS = np.log(np.full((6, 4), 0.1) + 0.6 * np.eye(4)[ANSWERS])


def measured(logits: np.ndarray, labels: np.ndarray, top_k: int = 3) -> dict[str, np.ndarray]:
    sums = group_sums(columns(logits, labels, 1.0, 15, top_k), np.zeros(len(labels), dtype=int), 1)
    return {name: value[0] for name, value in measure(sums).items()}


def test_headline_by_hand() -> None:
    metrics = measured(LOGITS, LABELS)
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    # F1: class 0: 2*2/(3+3), class 1: 2*1/(2+2), class 2: 1. Class 3 is absent and not a zero.
    assert metrics["f1"][:3] == pytest.approx([2 / 3, 0.5, 1.0])
    assert np.isnan(metrics["f1"][3])
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 0.5 + 1) / 3)
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 0.5 + 1) / 3)
    assert metrics["nll"] == pytest.approx(-(4 * np.log(0.7) + 2 * np.log(0.1)) / 6)
    right, wrong = 0.3**2 + 3 * 0.1**2, 0.7**2 + 0.9**2 + 2 * 0.1**2
    assert metrics["brier"] == pytest.approx((4 * right + 2 * wrong) / 6)
    assert metrics["ece"] == pytest.approx(0.7 - 4 / 6)


def test_a_class_never_answered_counts_as_zero() -> None:
    labels = np.array([0, 0, 1])
    metrics = measured(np.log([[0.9, 0.1]] * 3), labels)
    assert metrics["f1"].tolist() == pytest.approx([0.8, 0.0])
    assert metrics["macro_f1"] == pytest.approx(0.4)


def test_an_answer_with_an_absent_class_is_still_wrong() -> None:
    metrics = measured(np.log([[0.9, 0.05, 0.05], [0.1, 0.1, 0.8]]), np.array([0, 0]))
    assert metrics["accuracy"] == 0.5
    assert metrics["macro_f1"] == pytest.approx(2 / 3)


def test_top_k_counts_ranks_and_breaks_ties_by_number() -> None:
    p = np.array([[0.4, 0.3, 0.2, 0.1]] * 4)
    assert in_top_k(p, np.array([0, 1, 2, 3]), 2).tolist() == [True, True, False, False]
    tied = np.full((4, 4), 0.25)
    assert in_top_k(tied, np.array([0, 1, 2, 3]), 2).tolist() == [True, True, False, False]


def test_top_k_is_left_out_where_it_says_nothing() -> None:
    assert "top_3_accuracy" in measured(LOGITS, LABELS)
    assert "top_4_accuracy" not in measured(LOGITS, LABELS, top_k=4)


def test_top_one_is_accuracy_even_with_ties() -> None:
    logits = np.zeros((3, 3))
    labels = np.array([0, 1, 2])
    assert in_top_k(np.full((3, 3), 1 / 3), labels, 1).tolist() == (logits.argmax(axis=1) == labels).tolist()


def test_a_perfect_and_a_hopeless_model() -> None:
    labels = np.arange(5)
    perfect = measured(np.eye(5) * 100, labels)
    assert (perfect["accuracy"], perfect["macro_f1"]) == (1.0, 1.0)
    assert perfect["brier"] == pytest.approx(0.0, abs=1e-12)
    hopeless = measured(np.roll(np.eye(5), 1, axis=1) * 100, labels)
    assert (hopeless["accuracy"], hopeless["macro_f1"]) == (0.0, 0.0)
    assert hopeless["brier"] == pytest.approx(2.0)
    assert hopeless["ece"] == pytest.approx(1.0)


def test_uniform_guessing_has_the_entropy_as_loss() -> None:
    assert measured(np.zeros((8, 7)), np.arange(8) % 7)["nll"] == pytest.approx(np.log(7))


def test_confusion_matrix_by_hand() -> None:
    matrix = confusion_matrix(LABELS, ANSWERS, 4)
    assert matrix.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
