"""An answer is right, or it is a failure of its own kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.loadtest.fake_server import said_about

from leafsight.loadtest.judging import (
    answer_marks,
    judge_created,
    judge_look,
    judge_prediction,
    problem_slug,
    same_marks,
)  # fmt: skip

NAMES = ["a.jpg", "b.jpg", "c.jpg"]
EXPECTED = {name: answer_marks(said_about(name)) for name in NAMES}


def body(*names: str, **more: Any) -> bytes:
    predictions = [said_about(name) | {"id": f"id-{name}", "recorded": True} for name in names]
    combined = {"photographs": len(names)} if len(names) > 1 else None
    return json.dumps({"predictions": predictions, "combined": combined} | more).encode()


def test_the_right_answer_is_counted_with_what_is_kept() -> None:
    judged = judge_prediction(200, body("a.jpg"), ["a.jpg"], EXPECTED)
    assert judged.kind == "ok"
    assert judged.ids == ("id-a.jpg",)
    assert judged.alternatives == ("tomato/rust", "tomato/healthy")


def test_the_answer_of_another_photograph_is_found_even_where_both_say_cannot_tell() -> None:
    swapped = said_about("b.jpg") | {"photo": "a.jpg", "id": "1", "recorded": True}
    text = json.dumps({"predictions": [swapped], "combined": None}).encode()
    assert judge_prediction(200, text, ["a.jpg"], EXPECTED).kind == "mixed up"
    named_otherwise = body("b.jpg")
    assert judge_prediction(200, named_otherwise, ["a.jpg"], EXPECTED).kind == "mixed up"
    assert judge_prediction(200, body("b.jpg", "a.jpg"), ["a.jpg", "b.jpg"], EXPECTED).kind == "mixed up"


@pytest.mark.parametrize(
    "change",
    [{"verdict": "diagnosis"}, {"key": "tomato/rust"}, {"quality": {"sharpness": 1e9}}, {"quality": {}},
     {"top": [{"key": "tomato/rust", "probability": 0.61}, {"key": "tomato/healthy", "probability": 0.39}]}],
)  # fmt: skip
def test_another_answer_is_wrong_and_what_it_says_is_kept_is_remembered(change: dict[str, Any]) -> None:
    said = said_about("a.jpg") | {"id": "1", "recorded": True} | change
    text = json.dumps({"predictions": [said], "combined": None}).encode()
    judged = judge_prediction(200, text, ["a.jpg"], EXPECTED)
    assert judged.kind == "wrong"
    assert judged.ids == ("1",)


def test_rounding_is_no_mistake() -> None:
    one = answer_marks(said_about("a.jpg"))
    other = answer_marks(said_about("a.jpg"))
    other["top"] = [["tomato/healthy", 0.4001], ["tomato/rust", 0.5999]]
    other["quality"] = {"sharpness": one["quality"]["sharpness"] * 1.0001}
    assert same_marks(one, other)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(b"<html>", "no json"), (b"[]", "no json"), (b"{}", "incomplete"),
     (body("a.jpg", "b.jpg"), "incomplete"),
     (json.dumps({"predictions": [{"photo": "a.jpg"}]}).encode(), "incomplete"),
     (body("a.jpg").replace(b"cannot_tell", b""), "incomplete")],
)  # fmt: skip
def test_half_an_answer_is_a_failure(text: bytes, kind: str) -> None:
    assert judge_prediction(200, text, ["a.jpg"], EXPECTED).kind == kind


def test_several_photographs_of_a_plant_have_one_answer_together() -> None:
    sent = ["a.jpg", "b.jpg"]
    assert judge_prediction(200, body(*sent), sent, EXPECTED, plant=True).kind == "ok"
    assert judge_prediction(200, body(*sent, combined=None), sent, EXPECTED, plant=True).kind == "incomplete"


def test_what_is_not_recorded_is_not_looked_for() -> None:
    said = said_about("a.jpg") | {"id": None, "recorded": False}
    text = json.dumps({"predictions": [said], "combined": None}).encode()
    assert judge_prediction(200, text, ["a.jpg"], EXPECTED) == (
        "ok",
        (),
        "",
        ("tomato/rust", "tomato/healthy"),
    )


def test_refusals_and_other_statuses_say_why() -> None:
    problem = json.dumps({"type": "https://leafsight.example/problems/overload"}).encode()
    assert judge_prediction(503, problem, ["a.jpg"], EXPECTED)[:3] == ("refused", (), "overload")
    assert judge_created(429, b"<html>").kind == "refused"
    assert judge_created(500, problem).kind == "status 500"
    assert judge_created(201, b'{"id": "7"}').ids == ("7",)
    assert judge_created(201, b'{"id": ""}').kind == "incomplete"
    assert judge_created(202, b"nothing").kind == "no json"
    assert judge_look(200, b'{"conditions": []}', "conditions").kind == "ok"
    assert judge_look(200, b"{}", "conditions").kind == "incomplete"
    assert judge_look(200, b"", "conditions").kind == "no json"
    assert judge_look(404, b"", "conditions").kind == "status 404"
    assert problem_slug(b'{"type": 3}') == ""
