"""What every predictor promises; the bundle's and the fake one pass the same tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, LABELS, RED, coloured

from leafsight.errors import TaxonomyError, UsageError
from leafsight.inference import VERDICTS, Prediction, Predictor

Encode = Callable[[np.ndarray], bytes]
BAD = [b"", b"not a photo", b"\xff\xd8\xff\xe0 cut short", b"GIF89a" + b"\0" * 50]


def check_promises(one: Prediction) -> None:
    assert one.verdict in VERDICTS
    assert one.reason
    assert one.model
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["verdict"] == one.verdict
    named = (one.class_name, one.key, one.display, one.probability)
    assert all(value is not None for value in named) == one.is_diagnosis
    assert any(value is not None for value in named) == one.is_diagnosis
    if one.verdict == "unreadable":
        assert one.error is not None
        assert (one.top, one.possible, one.quality, one.heatmap) == ((), (), {}, None)
        return
    probabilities = [candidate.probability for candidate in one.top]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) <= 1 + 1e-9
    assert one.possible[0] == one.top[0]
    assert one.error is None
    assert one.quality["sharpness"] >= 0
    assert 0 <= (one.not_leaf_probability or 0) <= 1
    if one.is_diagnosis:
        assert (one.class_name, one.key, one.display, one.probability) == (
            one.top[0].class_name,
            one.top[0].key,
            one.top[0].display,
            one.top[0].probability,
        )


def test_no_photographs_give_no_predictions(anyone: Predictor) -> None:
    assert anyone.predict([]) == []


@pytest.mark.parametrize(("colour", "label"), list(zip((RED, GREEN, BLUE), LABELS[:3], strict=True)))
def test_a_leaf_gets_its_diagnosis(anyone: Predictor, colour: tuple[int, ...], label: object) -> None:
    (one,) = anyone.predict([coloured(colour)])
    check_promises(one)
    assert one.verdict == "diagnosis"
    assert one.class_name == label.class_name  # type: ignore[attr-defined]
    assert one.crop == label.crop  # type: ignore[attr-defined]
    assert one.condition == label.condition  # type: ignore[attr-defined]


def test_what_is_no_leaf_is_said_to_be_none_with_and_without_crop(anyone: Predictor) -> None:
    for crop in (None, "apple"):
        (one,) = anyone.predict([coloured(GREY)], crop=crop)
        check_promises(one)
        assert one.verdict == "not_a_leaf"
        assert one.not_leaf_probability is not None
        assert one.not_leaf_probability >= 0.5


def test_bytes_and_arrays_give_the_same_answer(anyone: Predictor, png: Encode) -> None:
    rgb = coloured(RED)
    from_bytes, from_array = anyone.predict([png(rgb), rgb])
    assert from_bytes.to_dict() | {"timing_ms": 0} == from_array.to_dict() | {"timing_ms": 0}


def test_bad_photographs_do_not_stop_the_good_ones(anyone: Predictor, jpeg: Encode) -> None:
    photos = [BAD[0], jpeg(coloured(RED)), BAD[1], BAD[2], coloured(GREEN), BAD[3]]
    found = anyone.predict(photos)
    for one in found:
        check_promises(one)
    assert [one.verdict for one in found] == [
        "unreadable",
        "diagnosis",
        "unreadable",
        "unreadable",
        "diagnosis",
        "unreadable",
    ]
    assert [found[1].class_name, found[4].class_name] == [LABELS[0].class_name, LABELS[1].class_name]


def test_the_order_of_many_photographs_is_kept(anyone: Predictor) -> None:
    colours = [(RED, GREEN, BLUE)[number % 3] for number in range(50)]
    found = anyone.predict([coloured(colour, seed=seed) for seed, colour in enumerate(colours)])
    wanted = [LABELS[(RED, GREEN, BLUE).index(colour)].class_name for colour in colours]
    assert [one.class_name for one in found] == wanted


@pytest.mark.parametrize("spelling", ["apple", "Apple", "apples", "Malus domestica"])
def test_a_given_crop_limits_the_answer_to_its_conditions(anyone: Predictor, spelling: str) -> None:
    (one,) = anyone.predict([coloured(BLUE)], crop=spelling)
    check_promises(one)
    assert one.crop_given == "apple"
    assert {candidate.key.split("/")[0] for candidate in (*one.top, *one.possible)} == {"apple"}
    assert sum(candidate.probability for candidate in one.top) == pytest.approx(1)


def test_a_crop_that_the_model_does_not_know_is_refused_with_those_it_knows(anyone: Predictor) -> None:
    for crop in ("grape", "no such plant"):
        with pytest.raises(TaxonomyError) as caught:
            anyone.predict([coloured(RED)], crop=crop)
        assert crop in caught.value.message
        assert "apple" in caught.value.hint
        assert "tomato" in caught.value.hint


def test_heatmaps_come_when_asked_for(anyone: Predictor) -> None:
    photos = [coloured(RED), b"bad", coloured(GREEN)]
    assert all(one.heatmap is None for one in anyone.predict(photos))
    found = anyone.predict(photos, heatmap=True)
    assert found[1].heatmap is None
    for one in (found[0], found[2]):
        check_promises(one)
        assert one.heatmap is not None
        assert one.heatmap.dtype == np.float32
        assert one.heatmap.ndim == 2
        assert 0 <= one.heatmap.min() <= one.heatmap.max() == 1


@pytest.mark.parametrize("photo", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_an_array_that_is_no_picture_is_a_mistake_of_the_caller(anyone: Predictor, photo: np.ndarray) -> None:
    with pytest.raises(UsageError):
        anyone.predict([coloured(RED), photo])


@pytest.mark.parametrize("photo", ["photo.jpg", None])
def test_what_is_no_photograph_is_a_mistake_of_the_caller(anyone: Predictor, photo: object) -> None:
    # Where the test run checks annotations, the checker may see it first.
    with pytest.raises((UsageError, TypeCheckError)):
        anyone.predict([coloured(RED), photo])  # type: ignore[list-item]


def test_several_threads_get_the_answers_of_one(anyone: Predictor) -> None:
    photos = [coloured((RED, GREEN, BLUE, GREY)[seed % 4], seed=seed) for seed in range(12)]
    wanted = [one.to_dict() | {"timing_ms": 0} for one in anyone.predict(photos, heatmap=True)]

    def ask(_: int) -> list[dict[str, object]]:
        return [one.to_dict() | {"timing_ms": 0} for one in anyone.predict(photos, heatmap=True)]

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(ask, range(24)):
            assert found == wanted
