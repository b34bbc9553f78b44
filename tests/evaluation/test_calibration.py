from __future__ import annotations

import json

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import Calibration, CalibrationOptions, fit_calibration, softmax

CLASSES = [f"crop{i // 2}___condition{i}" for i in range(6)]


@pytest.fixture
def calibration(simulate) -> Calibration:
    scores, labels = simulate(800)
    train, train_labels = simulate(900, seed=1)
    return fit_calibration(scores.logits, labels, scores.embedding, train.embedding, train_labels, CLASSES)


def reread(calibration: Calibration) -> Calibration:
    plain = json.loads(json.dumps(calibration.to_dict(), allow_nan=False))
    return Calibration.from_parts(calibration.to_parts(), plain)


def test_a_round_trip_gives_the_same_answers(calibration, simulate) -> None:
    scores, _ = simulate(100, seed=2)
    again = reread(calibration)
    p = calibration.probabilities(scores.logits)
    assert np.array_equal(p, again.probabilities(scores.logits))
    assert np.array_equal(calibration.conformal_set(p), again.conformal_set(p))
    assert np.array_equal(calibration.unfamiliarity(scores.embedding), again.unfamiliarity(scores.embedding))
    assert calibration.to_dict() == again.to_dict()


def test_parts_need_no_pickle(calibration, tmp_path) -> None:
    for name, array in calibration.to_parts().items():
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
        assert np.array_equal(np.load(tmp_path / f"{name}.npy", allow_pickle=False), array)


def test_without_embedding_nothing_is_said_about_familiarity(simulate) -> None:
    scores, labels = simulate(200)
    calibration = fit_calibration(scores.logits, labels, None, None, None, CLASSES)
    assert calibration.familiarity is None
    assert calibration.unfamiliarity(scores.embedding) is None
    assert reread(calibration).familiarity is None


def test_probabilities_use_the_temperature(calibration, simulate) -> None:
    scores, _ = simulate(10, seed=3)
    assert calibration.temperature != 1.0
    assert np.array_equal(
        calibration.probabilities(scores.logits), softmax(scores.logits, calibration.temperature)
    )


def test_within_a_crop_other_classes_are_impossible(calibration, simulate) -> None:
    scores, _ = simulate(10, seed=3)
    allowed = np.array([True, True, False, False, False, False])
    p = calibration.probabilities(scores.logits, allowed)
    assert (p[:, 2:] == 0).all()
    assert p.sum(axis=1) == pytest.approx(np.ones(10))
    assert not calibration.conformal_set(p, within_crop=True)[:, 2:].any()


def test_another_number_of_classes_is_refused(calibration) -> None:
    with pytest.raises(EvaluationError, match="5 logits for the 6 classes"):
        calibration.probabilities(np.zeros((1, 5), dtype=np.float32))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": 2}, "format 2"),
        ({"temperature": 0.0}, "temperature"),
        ({"classes": ["only one"]}, "do not fit"),
        ({"alpha": "a lot"}, "not complete"),
    ],
)
def test_damaged_values_are_refused(calibration, change, match) -> None:
    with pytest.raises(EvaluationError, match=match):
        Calibration.from_parts(calibration.to_parts(), calibration.to_dict() | change)


def test_a_missing_part_is_named(calibration) -> None:
    parts = calibration.to_parts()
    del parts["familiarity_whitening"]
    with pytest.raises(EvaluationError, match="familiarity_whitening"):
        Calibration.from_parts(parts, calibration.to_dict())
    plain = calibration.to_dict()
    del plain["cut_within_crop"]
    with pytest.raises(EvaluationError, match="cut_within_crop"):
        Calibration.from_parts(calibration.to_parts(), plain)


def test_parts_of_another_network_are_refused(calibration) -> None:
    parts = calibration.to_parts()
    parts["familiarity_prototypes"] = parts["familiarity_prototypes"][:, :-1]
    with pytest.raises(EvaluationError, match="do not fit each other"):
        Calibration.from_parts(parts, calibration.to_dict())


def test_options_refuse_unknown_keys() -> None:
    with pytest.raises(ValueError, match="alhpa"):
        CalibrationOptions(alhpa=0.1)
