from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from leafsight.errors import EvaluationError
from leafsight.evaluation import log_softmax, restrict, softmax

rows = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
    elements=st.floats(-1e4, 1e4, allow_nan=False),
)


def test_by_hand() -> None:
    p = softmax(np.log(np.array([[1.0, 2.0, 5.0]])))
    assert p[0] == pytest.approx([0.125, 0.25, 0.625])
    assert softmax(np.array([[0.0, 2.0]]), temperature=2.0)[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))


@given(rows, st.floats(0.05, 20))
def test_rows_sum_to_one_and_keep_their_order(logits: np.ndarray, temperature: float) -> None:
    p = softmax(logits, temperature)
    assert np.isfinite(p).all()
    assert p.sum(axis=1) == pytest.approx(np.ones(len(p)))
    assert (p[np.arange(len(p)), logits.argmax(axis=1)] >= p.max(axis=1) - 1e-12).all()


def test_huge_logits_do_not_overflow() -> None:
    assert log_softmax(np.array([[1e30, 0.0]]))[0].tolist() == [0.0, -1e30]


def test_restriction_is_bayes_rule() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4]]))
    p = softmax(restrict(logits, np.array([True, False, True, False])))
    assert p[0] == pytest.approx([0.25, 0.0, 0.75, 0.0])


def test_restriction_by_row() -> None:
    allowed = np.array([[True, False], [False, True]])
    assert softmax(restrict(np.zeros((2, 2)), allowed)).tolist() == [[1, 0], [0, 1]]


def test_restriction_to_nothing_is_refused() -> None:
    with pytest.raises(EvaluationError, match="leaves no class"):
        restrict(np.zeros((2, 2)), np.array([[True, True], [False, False]]))
    with pytest.raises(EvaluationError, match="2 classes in the logits, 3"):
        restrict(np.zeros((2, 2)), np.array([True, True, True]))
