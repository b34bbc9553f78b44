from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leafsight.evaluation import Calibration, Familiarity, decide, decide_all

CLASSES = ("tomato blight", "tomato healthy", "orange greening", "no leaf")
EYE = np.eye(2, dtype=np.float32)
# Two directions, one prototype at the direction (1, 0): distance 0 there, 2 units at the opposite side.
FAMILIAR = Familiarity(np.zeros(2, np.float32), EYE, EYE, np.array([[1.0, 0.0]], np.float32), 1.0, 0.5**0.5)
CALIBRATION = Calibration(
    classes=CLASSES,
    temperature=1.0,
    alpha=0.1,
    cuts=np.full(4, 0.9),
    cut_within_crop=0.6,
    answer_threshold=0.8,
    answer_threshold_within_crop=0.7,
    target_accuracy=0.95,
    target_reached=True,
    target_reached_within_crop=True,
    not_leaf=np.array([False, False, False, True]),
    not_leaf_threshold=0.5,
    far_factor=1.8,
    familiarity=FAMILIAR,
    photos=100,
)
HOME = np.array([[2.0, 0.0]], np.float32)
ODD = np.array([[0.0, 1.0]], np.float32)  # distance sqrt(2)/sqrt(2) = 1 -> 1.41 units
FAR = np.array([[-1.0, 0.0]], np.float32)
TOMATO = np.array([True, True, False, False])
ORANGE = np.array([False, False, True, False])


def logits(*probabilities: float) -> np.ndarray:
    return np.log(np.array([probabilities])).astype(np.float32)


def verdict(row: np.ndarray, embedding=HOME, allowed=None, calibration=CALIBRATION):
    return decide(calibration, row, embedding, allowed)[0]


def test_a_sure_answer_is_a_diagnosis() -> None:
    answer = verdict(logits(0.85, 0.09, 0.04, 0.02))
    assert (answer.kind, answer.top, answer.candidates) == ("diagnosis", 0, (0, 1))
    assert answer.probability == pytest.approx(0.85)
    assert answer.unfamiliarity == pytest.approx(0.0, abs=1e-6)
    assert "0.85" in answer.reason


def test_below_the_threshold_it_cannot_tell_but_shows_its_guess() -> None:
    answer = verdict(logits(0.5, 0.45, 0.04, 0.01))
    assert (answer.kind, answer.top, answer.candidates) == ("cannot_tell", 0, (0, 1))
    assert "only 0.50" in answer.reason


def test_the_threshold_itself_answers() -> None:
    exact = replace(CALIBRATION, answer_threshold=0.5)
    assert verdict(np.array([[0.0, 0.0, -99, -99]], np.float32), calibration=exact).kind == "diagnosis"


def test_no_leaf_by_its_class() -> None:
    answer = verdict(logits(0.3, 0.1, 0.05, 0.55))
    assert answer.kind == "not_a_leaf"
    assert answer.not_leaf_probability == pytest.approx(0.55)
    assert "0.55" in answer.reason


def test_perhaps_no_leaf_is_no_diagnosis() -> None:
    answer = verdict(logits(0.3, 0.2, 0.05, 0.45))
    assert answer.kind == "cannot_tell"
    assert "may show no leaf" in answer.reason


def test_odd_photographs_are_not_trusted() -> None:
    answer = verdict(logits(0.97, 0.01, 0.01, 0.01), ODD)
    assert answer.kind == "cannot_tell"
    assert "unlike the training photographs (1.4 times" in answer.reason


def test_far_photographs_are_no_leaf_we_know() -> None:
    answer = verdict(logits(0.97, 0.01, 0.01, 0.01), FAR)
    assert answer.kind == "not_a_leaf"
    assert "2.0 times" in answer.reason


def test_without_embedding_only_probabilities_count() -> None:
    assert verdict(logits(0.97, 0.01, 0.01, 0.01), None).unfamiliarity is None
    assert verdict(logits(0.97, 0.01, 0.01, 0.01), None).kind == "diagnosis"


def test_a_given_crop_renormalises_and_uses_its_own_numbers() -> None:
    row = logits(0.36, 0.12, 0.5, 0.02)
    assert verdict(row).kind == "cannot_tell"
    answer = verdict(row, allowed=TOMATO)
    assert (answer.kind, answer.top) == ("diagnosis", 0)
    assert answer.probability == pytest.approx(0.75)
    assert answer.candidates == (0,)  # 0.75 lies before the other, above the cut 0.6 within a crop


def test_a_given_crop_makes_no_leaf_of_a_shoe() -> None:
    assert verdict(logits(0.2, 0.1, 0.1, 0.6), allowed=TOMATO).kind == "not_a_leaf"


def test_a_crop_with_one_condition_proves_nothing() -> None:
    doubtful = verdict(logits(0.5, 0.2, 0.29, 0.01), allowed=ORANGE)
    assert doubtful.probability == pytest.approx(1.0)
    assert doubtful.kind == "cannot_tell"
    assert verdict(logits(0.05, 0.05, 0.89, 0.01), allowed=ORANGE).kind == "diagnosis"


def test_crops_can_differ_by_row() -> None:
    rows = np.concatenate([logits(0.4, 0.1, 0.48, 0.02)] * 2)
    decisions = decide_all(CALIBRATION, rows, None, np.stack([TOMATO, ORANGE]))
    assert decisions.top.tolist() == [0, 2]
    assert decisions.kinds.tolist() == [0, 1]


def test_many_are_as_one() -> None:
    generator = np.random.default_rng(0)
    rows, places = generator.normal(size=(50, 4)) * 3, generator.normal(size=(50, 2))
    together = decide(CALIBRATION, rows, places)
    alone = [decide(CALIBRATION, rows[i : i + 1], places[i : i + 1])[0] for i in range(50)]
    assert [v.kind for v in together] == [v.kind for v in alone]
    assert [v.candidates for v in together] == [v.candidates for v in alone]
    assert {v.kind for v in together} == {"diagnosis", "cannot_tell", "not_a_leaf"}


def test_candidates_are_sorted_and_hold_the_top() -> None:
    rows = np.random.default_rng(1).normal(size=(30, 4))
    for answer, row in zip(decide(CALIBRATION, rows), rows, strict=True):
        assert answer.candidates[0] == answer.top
        assert list(answer.candidates) == sorted(answer.candidates, key=lambda i: -row[i])
