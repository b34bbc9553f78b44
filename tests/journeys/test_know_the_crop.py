"""A person knows the plant and says so; the answer is then among that plant's conditions."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import BLUE, GREY, RED
from tests.journeys.small_world import leafsight, save_picture


def answer(model: Path, photo: Path, *words: str) -> dict[str, object]:
    return leafsight("predict", photo, "--model", model, "--json", *words).json[0]


@pytest.mark.parametrize("crop", ["apple", "Apple", " APPLE "])
def test_the_answer_stays_within_the_crop(colour_model: Path, tmp_path: Path, crop: str) -> None:
    photo = save_picture(tmp_path / "blue.jpg", BLUE)
    assert answer(colour_model, photo)["crop"] == "tomato"
    told = answer(colour_model, photo, "--crop", crop)
    assert told["crop_given"] == "apple"
    assert {one["key"].split("/")[0] for one in told["top"]} <= {"apple", "not_a_leaf"}


def test_the_right_crop_never_lowers_the_probability(colour_model: Path, tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "red.jpg", RED)
    without, given = answer(colour_model, photo), answer(colour_model, photo, "--crop", "apple")
    assert given["display"] == without["display"] == "Apple: scab"
    assert given["probability"] >= without["probability"]


def test_no_leaf_is_still_said(colour_model: Path, tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "grey.jpg", GREY)
    assert answer(colour_model, photo, "--crop", "apple")["verdict"] == "not_a_leaf"


def test_a_crop_that_the_model_does_not_know(colour_model: Path, tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "red.jpg", RED)
    done = leafsight("predict", photo, "--model", colour_model, "--crop", "banana")
    assert (done.code, done.out) == (1, "")
    assert "banana" in done.error_lines[0]
    assert "apple" in done.error_lines[1]
