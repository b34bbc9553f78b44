"""A person judges a model on photographs of another collection, whose classes are spelt in other words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.journeys.small_world import leafsight, save_picture


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Known classes by other names, and one that the model does not know."""
    for number in range(4):
        save_picture(tmp_path / "field" / "apple scab leaf" / f"{number}.jpg", RED, seed=number)
        save_picture(tmp_path / "field" / "Apple healthy" / f"{number}.jpg", GREEN, seed=number)
        save_picture(tmp_path / "field" / "Tomato Early blight leaf" / f"{number}.jpg", BLUE, seed=number)
        save_picture(tmp_path / "field" / "Rice leaf blast" / f"{number}.jpg", GREEN, seed=10 + number)
    return tmp_path / "field"


def test_classes_are_matched_by_meaning(colour_model: Path, elsewhere: Path) -> None:
    found = leafsight("evaluate", elsewhere, "--model", colour_model, "--json", "-q").json
    assert found["overall"]["photos"] == 12
    assert found["overall"]["metrics"]["accuracy"]["value"] == 1.0
    assert found["unknown_classes"]["photographs"] == 4
    assert found["unknown_classes"]["classes"] == ["Rice leaf blast"]


def test_strangers_are_told_of_in_words(colour_model: Path, elsewhere: Path) -> None:
    done = leafsight("evaluate", elsewhere, "--model", colour_model, "-q")
    assert done.code == 0
    assert "of 4 photographs of classes it does not know" in done.out


def test_a_wrong_label_counts_as_wrong(colour_model: Path, elsewhere: Path) -> None:
    for photo in (elsewhere / "apple scab leaf").iterdir():
        save_picture(photo, GREEN, seed=50 + int(photo.stem))
    found = leafsight("evaluate", elsewhere, "--model", colour_model, "--json", "-q").json
    assert found["overall"]["metrics"]["accuracy"]["value"] == pytest.approx(8 / 12)


def test_nothing_that_the_model_knows(colour_model: Path, tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        save_picture(tmp_path / "pets" / name / "a.jpg", RED, seed=len(name))
    done = leafsight("evaluate", tmp_path / "pets", "--model", colour_model, "-q")
    assert done.code == 1
    assert "none of the photographs" in done.error_lines[0]
