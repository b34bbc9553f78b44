"""One answer for one plant, from predictions that were made one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import BLUE, CLASSES, GREEN, GREY, LABELS, RED, coloured, tiny_calibration

from leafsight.errors import RemoteError, UsageError
from leafsight.inference import Answer, BundlePredictor, Combined, PlantPredictor, Prediction

Build = Callable[..., BundlePredictor]
SAME = (
    *(
        "verdict",
        "reason",
        "hint",
        "model",
        "model_hash",
        "class_name",
        "key",
        "crop",
        "condition",
        "display",
    ),
    *("display", "probability", "top", "possible", "crop_given", "not_leaf_probability", "unfamiliarity"),
)
FLAT = np.full((64, 64, 3), RED, np.uint8)
SAID = {"verdict": "cannot_tell", "reason": "Why not.", "model": "m", "photographs": 3, "used": 2}


@pytest.fixture
def sharp(build: Build) -> BundlePredictor:
    """A predictor that finds flat pictures blurred."""
    return build(min_sharpness=1.0)


def with_probabilities(one: Prediction, *shares: float, **changes: Any) -> Prediction:
    return replace(one, log_probabilities=np.log(np.array(shares) / sum(shares)), **changes)


@pytest.mark.parametrize("crop", [None, "apple", "tomato"])
@pytest.mark.parametrize("photo", [coloured(RED), coloured(BLUE), coloured(GREY), FLAT, b"no photograph"])
def test_one_photograph_gives_its_own_answer(sharp: BundlePredictor, photo: Any, crop: str | None) -> None:
    (one,), whole = sharp.predict_plant([photo], crop=crop)
    for name in SAME:
        assert getattr(whole, name) == getattr(one, name), name
    assert (whole.photographs, whole.used) == (1, int(one.verdict in ("diagnosis", "cannot_tell")))


def test_photographs_that_agree_give_a_diagnosis_with_its_own_probability(predictor: BundlePredictor) -> None:
    photos = [coloured((160, 130, 110), seed=seed) for seed in range(4)]
    alone, whole = predictor.predict_plant(photos)
    assert isinstance(whole, Answer)
    assert len(alone) == 4
    assert max(one.top[0].probability for one in alone) < whole.top[0].probability
    assert (whole.photographs, whole.used) == (4, 4)
    assert "4 photographs together" in whole.reason
    assert whole.is_diagnosis
    assert (whole.class_name, whole.key, whole.crop, whole.condition, whole.display) == (
        LABELS[0].class_name,
        "apple/scab",
        "apple",
        "scab",
        "Apple: scab",
    )
    assert whole.probability == whole.top[0].probability
    assert whole.possible[0] == whole.top[0]
    assert sum(one.probability for one in whole.top) == pytest.approx(1)
    assert min(one.unfamiliarity or 0 for one in alone) <= (whole.unfamiliarity or 0)


def test_the_order_of_the_photographs_does_not_matter(predictor: BundlePredictor) -> None:
    predictions = predictor.predict([coloured((150, 120, 90), seed=seed) for seed in range(3)])
    one, other = predictor.combine(predictions), predictor.combine(predictions[::-1])
    assert one.verdict == other.verdict
    assert one.top[0].probability == pytest.approx(other.top[0].probability, abs=1e-12)


def test_predicting_one_by_one_is_the_same(predictor: BundlePredictor) -> None:
    photos = [coloured(RED, seed=seed) for seed in range(3)]
    one_by_one = [predictor.predict([photo], heatmap=True)[0] for photo in photos]
    whole, together = predictor.combine(one_by_one), predictor.predict_plant(photos)[1]
    assert (whole.verdict, whole.reason, whole.key) == (together.verdict, together.reason, together.key)
    assert whole.probability == pytest.approx(together.probability, abs=1e-6)


def test_what_cannot_be_judged_is_left_out_and_said(sharp: BundlePredictor) -> None:
    photos = [coloured(RED), FLAT, b"no photograph", coloured(GREY), coloured(RED, seed=1)]
    alone, whole = sharp.predict_plant(photos)
    assert [one.verdict for one in alone] == [
        "diagnosis",
        "too_blurred",
        "unreadable",
        "not_a_leaf",
        "diagnosis",
    ]
    assert (whole.verdict, whole.photographs, whole.used) == ("diagnosis", 5, 2)
    assert whole.reason.startswith("2 of 5 photographs")
    assert whole.reason.endswith("left out: 1 not a leaf, 1 too blurred, 1 unreadable.")
    assert whole.top == sharp.combine([alone[0], alone[4]]).top


def test_a_single_photograph_that_can_be_judged_gives_its_answer_and_the_rest_is_said(
    sharp: BundlePredictor,
) -> None:
    alone, whole = sharp.predict_plant([FLAT, coloured(RED)])
    assert (whole.verdict, whole.used) == ("diagnosis", 1)
    assert whole.probability == alone[1].probability
    assert whole.reason.endswith("; left out: 1 too blurred.")
    assert whole.reason.count(".") == 2  # the full stop, and the point of the probability


@pytest.mark.parametrize(
    ("photos", "verdict", "tally"),
    [
        ([FLAT, FLAT, b"x"], "too_blurred", "2 too blurred, 1 unreadable"),
        ([b"x", b"y", FLAT], "unreadable", "1 too blurred, 2 unreadable"),
        ([coloured(GREY), coloured(GREY, seed=1), FLAT], "not_a_leaf", "2 not a leaf, 1 too blurred"),
        ([b"x", FLAT], "too_blurred", "1 too blurred, 1 unreadable"),
        ([b"x", FLAT, coloured(GREY)], "not_a_leaf", "1 not a leaf, 1 too blurred, 1 unreadable"),
    ],
)
def test_when_all_are_left_out_the_commonest_reason_is_the_verdict(
    sharp: BundlePredictor, photos: list[Any], verdict: str, tally: str
) -> None:
    whole = sharp.predict_plant(photos)[1]
    assert (whole.verdict, whole.used, whole.photographs) == (verdict, 0, len(photos))
    assert whole.reason == f"None of {len(photos)} photographs can be used: {tally}."
    assert whole.hint
    assert (whole.class_name, whole.key, whole.crop, whole.probability) == (None, None, None, None)
    assert bool(whole.top) == (verdict != "unreadable")


def test_sure_photographs_that_contradict_each_other_give_no_diagnosis(predictor: BundlePredictor) -> None:
    alone, whole = predictor.predict_plant([coloured(RED), coloured(GREEN), coloured(RED, seed=2)])
    assert [one.verdict for one in alone] == ["diagnosis"] * 3
    assert whole.verdict == "cannot_tell"
    assert (whole.class_name, whole.probability, whole.crop) == (None, None, None)
    assert whole.reason == (
        "The photographs contradict each other: 2 say Apple: scab and 1 say Apple: healthy."
    )
    assert [one.key for one in whole.possible[:2]] == ["apple/scab", "apple/healthy"]
    assert len({one.key for one in whole.possible}) == len(whole.possible)
    assert "both" in whole.hint
    assert whole.used == 3


def test_one_dissenting_photograph_among_many_sure_ones_is_not_outvoted(predictor: BundlePredictor) -> None:
    photos = [coloured(RED, seed=seed) for seed in range(6)]
    assert predictor.predict_plant(photos)[1].is_diagnosis
    assert predictor.predict_plant([*photos, coloured(BLUE)])[1].verdict == "cannot_tell"


def test_an_unsure_photograph_does_not_contradict(predictor: BundlePredictor) -> None:
    sure = predictor.predict([coloured(RED, seed=seed) for seed in range(5)])
    doubtful = with_probabilities(sure[0], 0.3, 0.4, 0.2, 0.1, verdict="cannot_tell")
    assert predictor.combine([*sure, doubtful]).key == "apple/scab"


def test_too_little_together_is_no_diagnosis(predictor: BundlePredictor) -> None:
    (one,) = predictor.predict([coloured(RED)])
    doubtful = [
        with_probabilities(one, *shares, verdict="cannot_tell") for shares in ((4, 3, 2, 1), (3, 4, 2, 1))
    ]
    whole = predictor.combine(doubtful)
    assert whole.verdict == "cannot_tell"
    assert "only 0." in whole.reason
    assert len(whole.possible) > 1


def test_a_plant_most_of_whose_photographs_are_strange_is_no_diagnosis(predictor: BundlePredictor) -> None:
    (one,) = predictor.predict([coloured(RED)])
    strange = replace(one, verdict="cannot_tell", unfamiliarity=1.4)
    whole = predictor.combine([one, strange, strange])
    assert whole.verdict == "cannot_tell"
    assert "unlike the training photographs" in whole.reason
    assert whole.unfamiliarity == 1.4
    assert predictor.combine([one, strange]).is_diagnosis


def test_together_they_may_show_no_leaf(predictor: BundlePredictor) -> None:
    (one,) = predictor.predict([coloured(RED)])
    nearly = with_probabilities(one, 0.2, 0.2, 0.12, 0.48, verdict="cannot_tell")
    whole = predictor.combine([nearly] * 6)
    assert (whole.verdict, whole.used) == ("not_a_leaf", 6)
    assert "no leaf" in whole.reason
    less = with_probabilities(one, 0.2, 0.2, 0.2, 0.4, verdict="cannot_tell")
    assert "may show no leaf" in predictor.combine([less] * 2).reason


def test_a_given_crop_holds_for_the_plant(predictor: BundlePredictor) -> None:
    whole = predictor.predict_plant([coloured(BLUE), coloured(BLUE, seed=1)], crop="Apples")[1]
    assert whole.crop_given == "apple"
    assert {one.key for one in whole.top} == {"apple/scab", "apple/healthy"}
    one_class = predictor.predict_plant([coloured(RED), coloured(RED, seed=1)], crop="tomato")[1]
    assert [one.key for one in one_class.top] == ["tomato/early_blight"]
    assert one_class.verdict == "cannot_tell"  # a probability of 1 by arithmetic is no evidence


def test_a_model_that_knows_no_unfamiliarity(build: Build) -> None:
    predictor = build(calibration=tiny_calibration(familiarity=None))
    whole = predictor.predict_plant([coloured(RED), coloured(RED, seed=1)])[1]
    assert whole.is_diagnosis
    assert whole.unfamiliarity is None


def test_what_cannot_be_combined_is_refused(predictor: BundlePredictor, build: Build) -> None:
    (one,) = predictor.predict([coloured(RED)])
    (cropped,) = predictor.predict([coloured(RED)], crop="apple")
    (other,) = build(calibration=tiny_calibration(temperature=0.9)).predict([coloured(RED)])
    for predictions, word in (
        ([], "0 photographs"),
        ([one] * 1001, "1001 photographs"),
        ([one, cropped], "crop"),
        ([one, other], "model"),
        ([Prediction.from_dict(one.to_dict())], "log-probabilities"),
        (FakePredictor().predict([coloured(RED)]), "model"),
    ):
        with pytest.raises(UsageError, match=word):
            predictor.combine(predictions)


def test_who_can_judge_a_plant(predictor: BundlePredictor) -> None:
    assert isinstance(predictor, PlantPredictor)
    assert not isinstance(FakePredictor(), PlantPredictor)


def test_what_was_written_is_read_again(sharp: BundlePredictor) -> None:
    leaf, bad = coloured(RED), b"no photograph"
    for photos in ([leaf], [leaf, leaf], [leaf, coloured(GREEN)], [bad, FLAT], [bad], [coloured(GREY)] * 2):
        for crop in (None, "apple"):
            whole = sharp.predict_plant(photos, crop=crop)[1]
            plain = whole.to_dict()
            again = Combined.from_dict(json.loads(json.dumps(plain, allow_nan=False)))
            assert again == whole
            assert again.to_dict() == plain
            assert (plain["photographs"], plain["used"]) == (whole.photographs, whole.used)


@pytest.mark.parametrize(
    "change",
    [
        {"used": 4},
        {"used": -1},
        {"used": True},
        {"used": 1.0},
        {"photographs": None},
        {"photographs": "3"},
        {"photographs": 2**40},
        {"verdict": "diagnosis"},
        {"key": "apple/scab"},
    ],
)
def test_nonsense_is_refused(change: dict[str, Any]) -> None:
    assert Combined.from_dict({**SAID, "id": None}).used == 2
    with pytest.raises(RemoteError) as caught:
        Combined.from_dict({**SAID, **change})
    assert caught.value.hint


@pytest.mark.parametrize("name", ["photographs", "used"])
def test_the_counts_must_be_there(name: str) -> None:
    with pytest.raises(RemoteError, match=name):
        Combined.from_dict({key: value for key, value in SAID.items() if key != name})


def test_classes_are_those_of_the_bundle(predictor: BundlePredictor) -> None:
    whole = predictor.predict_plant([coloured(RED), coloured(RED, seed=1)])[1]
    assert {one.class_name for one in whole.top} == set(CLASSES)
