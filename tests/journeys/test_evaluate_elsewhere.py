"""A person judges a model on photographs of another collection, whose classes are spelt in other words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, LABELS, RED, tiny_calibration, write_tiny_bundle
from tests.journeys.small_world import leafsight, save_picture

from leafsight.bundle import Label


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


@pytest.fixture(scope="module")
def black_rot_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like ``colour_model``, but red is black rot of apple."""
    rot = Label("Apple___Black_rot", "apple/black_rot", "apple", "black_rot", "Apple: black rot")
    labels = (rot, *LABELS[1:])
    calibration = tiny_calibration(classes=tuple(label.class_name for label in labels))
    path = tmp_path_factory.mktemp("model") / "rot.leafsight"
    return write_tiny_bundle(path, labels=labels, calibration=calibration)


@pytest.fixture
def frogeye(tmp_path: Path) -> Path:
    """Leaves of apple with the leaf phase of black rot, under its own name, and healthy ones."""
    for number in range(3):
        save_picture(tmp_path / "field" / "Apple___Frogeye_leaf_spot" / f"{number}.jpg", RED, seed=number)
        save_picture(tmp_path / "field" / "Apple healthy" / f"{number}.jpg", GREEN, seed=number)
    return tmp_path / "field"


def test_another_name_of_a_disease_is_judged_when_asked(black_rot_model: Path, frogeye: Path) -> None:
    plain = leafsight("evaluate", frogeye, "--model", black_rot_model, "--json", "-q").json
    assert plain["overall"]["photos"] == 3
    assert plain["unknown_classes"]["classes"] == ["Apple___Frogeye_leaf_spot"]
    twins = {"Apple___Frogeye_leaf_spot": "Apple___Black_rot"}
    assert plain["same_disease"] == {"judged": False, "classes": twins}
    asked = leafsight("evaluate", frogeye, "--model", black_rot_model, "--same-disease", "--json", "-q").json
    assert asked["overall"]["photos"] == 6
    assert asked["overall"]["metrics"]["accuracy"]["value"] == 1.0
    assert asked["unknown_classes"] is None
    assert asked["same_disease"] == {"judged": True, "classes": twins}


def test_a_person_is_told_that_a_stranger_is_known_by_another_name(
    black_rot_model: Path, frogeye: Path
) -> None:
    done = leafsight("evaluate", frogeye, "--model", black_rot_model, "-q")
    told = "Apple___Frogeye_leaf_spot is another name for the disease of Apple___Black_rot"
    assert f"{told}; it is judged with --same-disease" in done.out


def test_a_person_with_nothing_but_other_names_learns_of_the_option(
    black_rot_model: Path, frogeye: Path
) -> None:
    (frogeye / "Apple healthy").rename(frogeye / "Rice leaf blast")
    done = leafsight("evaluate", frogeye, "--model", black_rot_model, "-q")
    assert done.code == 1
    assert "--same-disease" in done.error_lines[1]
    assert leafsight("evaluate", frogeye, "--model", black_rot_model, "--same-disease", "-q").code == 0
