from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.training.validation import judge, macro_f1


def test_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    logits = np.log(
        np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]], np.float32)
    )
    found = judge(logits, labels, np.array([0, 1, 1, 5]), ("lab", "field"))
    assert found.accuracy == 0.75
    assert found.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)  # class 2 is absent and does not count
    assert found.loss == pytest.approx(-(math.log(0.7) + math.log(0.2) + 2 * math.log(0.8)) / 4, rel=1e-5)
    assert found.domain_accuracy == {"lab": 1.0, "field": 0.5, "5": 1.0}
    assert found.score("loss") == -found.loss
    assert found.score("accuracy") == 0.75


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_macro_f1_is_that_of_the_textbook(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    scores = []
    for label in set(labels.tolist()):
        hits = sum(one == label == other for one, other in pairs)
        precision = hits / max(1, int((predicted == label).sum()))
        recall = hits / int((labels == label).sum())
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    assert macro_f1(labels, predicted, 5) == pytest.approx(sum(scores) / len(scores))


def test_a_loss_that_is_not_finite_can_be_written_and_never_wins() -> None:
    with np.errstate(invalid="ignore"):
        found = judge(np.array([[np.nan, 0.0], [0.0, 1.0]], np.float32), np.array([0, 1]))
    assert found.to_dict()["loss"] is None
    assert found.score("loss") < -1e300
