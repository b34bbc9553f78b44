from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import CalibrationOptions, Scores, crop_mates, fit_calibration

CLASSES = ["tomato blight", "tomato healthy", "apple scab", "apple healthy", "orange greening", "no leaf"]
CROPS = {name: name.split()[0] for name in CLASSES[:5]}


def fit(simulate, *, options=None, stressed=None, strength=3.0, n=1500):
    scores, labels = simulate(n, strength=strength)
    train, train_labels = simulate(1000, seed=1, strength=strength)
    return fit_calibration(
        scores.logits,
        labels,
        scores.embedding,
        train.embedding,
        train_labels,
        CLASSES,
        options,
        stressed=stressed,
    )


def test_the_same_input_gives_the_same_calibration(simulate) -> None:
    assert fit(simulate).to_dict() == fit(simulate).to_dict()


def test_not_leaf_classes_are_marked_and_not_familiar(simulate) -> None:
    marked = fit(simulate, options=CalibrationOptions(not_leaf_classes=("no leaf",)))
    assert marked.not_leaf.tolist() == [False] * 5 + [True]
    assert marked.familiarity is not None
    assert len(marked.familiarity.prototypes) == 5
    background = simulate(300, seed=5)[0].take(np.flatnonzero(simulate(300, seed=5)[1] == 5))
    assert (marked.unfamiliarity(background.embedding) > 1).all()
    assert (fit(simulate).unfamiliarity(background.embedding) > 1).mean() < 0.1


def test_unknown_names_in_options_are_corrected(simulate) -> None:
    with pytest.raises(EvaluationError, match="'no leafs'") as error:
        fit(simulate, options=CalibrationOptions(not_leaf_classes=("no leafs",)))
    assert "no leaf" in error.value.hint
    with pytest.raises(EvaluationError, match="'tomatoe blight'"):
        fit(simulate, options=CalibrationOptions(crops={"tomatoe blight": "tomato"}))


def test_crop_mates_by_hand() -> None:
    mates = crop_mates(CLASSES, CROPS)
    assert mates[0].tolist() == [True, True, False, False, False, False]
    assert mates[4].tolist() == [False, False, False, False, True, False]
    assert mates[5].all()  # no crop known: nothing is excluded


def test_crops_move_the_numbers_within_a_crop(simulate) -> None:
    plain, told = fit(simulate), fit(simulate, options=CalibrationOptions(crops=CROPS))
    assert plain.answer_threshold == told.answer_threshold
    assert told.answer_threshold_within_crop < plain.answer_threshold_within_crop


def test_stress_makes_thresholds_stricter_never_laxer(simulate) -> None:
    weak = simulate(1500, seed=9, strength=1.0)
    strong = simulate(1500, seed=9, strength=9.0)
    at_home = fit(simulate).answer_threshold
    assert fit(simulate, stressed=weak).answer_threshold > at_home
    assert fit(simulate, stressed=strong).answer_threshold == at_home


def test_a_target_out_of_reach_is_recorded(simulate) -> None:
    assert fit(simulate, strength=3.0).target_reached
    assert not fit(simulate, strength=0.0).target_reached


def test_by_class_gives_cuts_of_their_own(simulate) -> None:
    cuts = fit(simulate, options=CalibrationOptions(conformal="by_class")).cuts
    assert len(set(cuts.tolist())) == 6
    assert len(set(fit(simulate).cuts.tolist())) == 1


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (np.array([0, 1, 6]), "label 6 in row 2"),
        (np.array([0, -1, 2]), "label -1 in row 1"),
        (np.array([0, 1]), "2 labels for 3"),
        (np.empty(0, dtype=np.int64), "no photographs"),
    ],
)
def test_wrong_labels_are_named(labels, match) -> None:
    with pytest.raises(EvaluationError, match=match):
        fit_calibration(np.zeros((3, 6), dtype=np.float32), labels, None, None, None, CLASSES)


def test_wrong_class_lists_are_refused() -> None:
    labels, logits = np.array([0]), np.zeros((1, 2), dtype=np.float32)
    with pytest.raises(EvaluationError, match="2 logits for 3 class names"):
        fit_calibration(logits, labels, None, None, None, ["a", "b", "c"])
    with pytest.raises(EvaluationError, match="twice"):
        fit_calibration(logits, labels, None, None, None, ["a", "a"])


def test_tiny_calibration_sets_work(simulate) -> None:
    scores, labels = simulate(3)
    calibration = fit_calibration(scores.logits, labels, scores.embedding, scores.embedding, labels, CLASSES)
    assert not calibration.target_reached
    assert (calibration.cuts == 1.0).all()  # three photographs support no promise: nothing is excluded


def test_embeddings_of_training_need_their_labels(simulate) -> None:
    scores, labels = simulate(30)
    with pytest.raises(EvaluationError, match="2 training labels for 30"):
        fit_calibration(scores.logits, labels, scores.embedding, scores.embedding, labels[:2], CLASSES)


def test_stressed_labels_are_checked_too(simulate) -> None:
    with pytest.raises(EvaluationError, match="label 9"):
        fit(simulate, stressed=(Scores(np.zeros((1, 6), dtype=np.float32)), np.array([9])))
