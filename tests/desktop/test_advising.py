"""Which advice cards belong to an answer, and what a person may say that it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import RED
from tests.journeys.small_world import coloured

from leafsight.desktop.session import Model, Photograph, advice_on, classes_to_say, name_of, with_words
from leafsight.inference import Candidate, Prediction

CARDS = Path(__file__).resolve().parents[2] / "src/leafsight/web/files/diagnose-advice.js"
MODEL = Model(
    "m", "h",
    {
        "apple/healthy": "Apple: healthy", "apple/scab": "Apple: scab",
        "tomato/early_blight": "Tomato: early blight", "tomato/late_blight": "Tomato: late blight",
    },
    {"apple": "apple", "tomato": "tomato"},
)  # fmt: skip


@pytest.fixture
def red() -> Prediction:
    return FakePredictor().predict([coloured(RED, seed=1)])[0]


def possible(*keys: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(key, key, key, 0.1) for key in keys)


def test_what_is_named_lies_open(red: Prediction) -> None:
    (one,) = advice_on(replace(red, possible=possible("apple/scab", "tomato/late_blight")))
    assert one.title == "About scab of apple"
    assert one.is_open
    assert one.sources
    titles = [title for title, _ in one.parts]
    assert titles[:2] == ["What it is", "What it looks like"]
    page = CARDS.read_text()
    assert all(f'"{title}"' in page for title in titles), "as the web page calls them"


def test_what_cannot_be_excluded_is_closed_and_not_more_than_three() -> None:
    said = Prediction(
        verdict="cannot_tell",
        reason="So.",
        model="m",
        possible=possible(
            "mine/odd", "tomato/early_blight", "tomato/late_blight", "apple/scab", "apple/black_rot"
        ),
    )
    assert [(one.title, one.is_open) for one in advice_on(said)] == [
        ("About early blight of tomato", False),
        ("About late blight of tomato", False),
    ]
    assert advice_on(replace(said, verdict="not_a_leaf")) == ()
    assert advice_on(replace(said, verdict="too_blurred")) == ()
    assert advice_on(replace(said, possible=())) == ()


def test_what_the_model_thought_of_is_offered_first(red: Prediction) -> None:
    by_name = [key for key, _ in classes_to_say(MODEL, None)]
    assert by_name == list(MODEL.classes)
    answer = replace(red, top=possible("tomato/late_blight"), crop_given="tomato")
    offered = [key for key, _ in classes_to_say(MODEL, Photograph(0, Path("a"), answer))]
    assert offered == ["tomato/late_blight", "tomato/early_blight", "apple/healthy", "apple/scab"]


def test_words_of_a_name_in_any_order() -> None:
    classes = classes_to_say(MODEL, None)
    assert [key for key, _ in with_words(classes, "  BLIGHT tom ")] == [
        "tomato/early_blight",
        "tomato/late_blight",
    ]
    assert with_words(classes, "") == classes
    assert with_words(classes, "zebra") == []


def test_a_class_has_a_name_also_without_its_model() -> None:
    assert name_of("apple/scab", None) == "Apple: scab"
    assert name_of("apple/scab", replace(MODEL, classes={"apple/scab": "My scab"})) == "My scab"
    assert name_of("mine/odd", MODEL)
