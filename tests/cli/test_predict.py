"""``leafsight predict``: what stands on stdout, what is said, and what it exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import leafsight, save_picture

from leafsight.cli import predict as verb


@pytest.fixture
def scab(tmp_path: Path) -> Path:
    return save_picture(tmp_path / "scab.jpg", RED)


def test_a_pipe_gets_a_header_and_a_row(colour_model: Path, scab: Path) -> None:
    done = leafsight("predict", scab, "--model", colour_model)
    assert done.code == 0
    assert done.err == ""
    header, row = (line.split("\t") for line in done.out.splitlines())
    assert header == ["photo", "verdict", "condition", "probability", "cannot be excluded"]
    assert row[:3] == [str(scab), "diagnosis", "Apple: scab"]
    assert row[3].endswith("%")


def test_json_has_everything_but_the_heatmap(colour_model: Path, scab: Path) -> None:
    (answer,) = leafsight("predict", scab, "--model", colour_model, "--json", "--top", "2").json
    assert answer["photo"] == str(scab)
    assert answer["display"] == "Apple: scab"
    assert len(answer["top"]) == 2
    assert 0.5 < answer["probability"] <= 1
    assert answer["possible"][0]["key"] == "apple/scab"
    assert "heatmap" not in answer


def test_lines_are_one_object_each(colour_model: Path, tmp_path: Path) -> None:
    photos = [save_picture(tmp_path / f"{n}.jpg", c) for n, c in enumerate((RED, GREEN, BLUE, GREY))]
    done = leafsight("predict", *photos, "--model", colour_model, "--lines")
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["photo"] for answer in answers] == [str(photo) for photo in photos]
    assert [answer["key"] for answer in answers][:3] == ["apple/scab", "apple/healthy", "tomato/early_blight"]
    assert answers[3]["verdict"] == "not_a_leaf"
    assert done.code == 0


def test_the_top_can_be_longer_than_five(world) -> None:
    (answer,) = leafsight("predict", world.photo(), "--model", world.model, "--json", "--top", "9").json
    assert len(answer["top"]) == 3


def test_a_missing_photograph_alone_is_an_error(colour_model: Path, tmp_path: Path) -> None:
    done = leafsight("predict", tmp_path / "no.jpg", "--model", colour_model)
    assert (done.code, done.out) == (1, "")
    assert "no.jpg" in done.error_lines[0]


def test_a_missing_photograph_among_others_says_why(colour_model: Path, scab: Path, tmp_path: Path) -> None:
    done = leafsight("predict", scab, tmp_path / "no.jpg", "--model", colour_model, "--json")
    assert done.code == 1
    assert [answer["verdict"] for answer in done.json] == ["diagnosis", "unreadable"]
    assert "No such file" in done.json[1]["reason"]
    assert done.json[1]["error"]["type"] == "storage"
    assert done.err.count("no.jpg") == 2  # the name that was given, and the path in the reason


def test_the_last_of_many_may_be_missing_and_nothing_is_lost(
    colour_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last chunk then holds one photograph, which is not the same as being asked for one."""
    monkeypatch.setattr(verb, "CHUNK_PHOTOGRAPHS", 2)
    photos = [save_picture(tmp_path / f"{n}.jpg", RED) for n in range(2)]
    done = leafsight("predict", *photos, tmp_path / "no.jpg", "--model", colour_model)
    assert done.code == 1
    assert len(done.out.splitlines()) == 4


def test_a_damaged_photograph_says_why_on_stderr(colour_model: Path, scab: Path) -> None:
    scab.write_bytes(scab.read_bytes()[:300])
    done = leafsight("predict", scab, "--model", colour_model)
    assert done.code == 1
    assert done.out.splitlines()[1].split("\t")[1] == "unreadable"
    assert done.err.startswith(f"{scab} cannot be read: ")


def test_heatmap_of_one(colour_model: Path, scab: Path, tmp_path: Path) -> None:
    target = tmp_path / "where.png"
    assert leafsight("predict", scab, "--model", colour_model, "--heatmap", target).code == 0
    with Image.open(target) as drawn, Image.open(scab) as photo:
        assert drawn.size == photo.size


def test_heatmaps_of_several_go_into_a_folder_under_names_of_their_own(
    colour_model: Path, tmp_path: Path
) -> None:
    photos = [save_picture(tmp_path / folder / "leaf.jpg", RED) for folder in ("a", "b")]
    done = leafsight("predict", *photos, "--model", colour_model, "--heatmap", tmp_path / "maps")
    assert done.code == 0
    assert len(list((tmp_path / "maps").iterdir())) == 2


def test_one_picture_for_several_photographs_is_refused(colour_model: Path, tmp_path: Path) -> None:
    photos = [save_picture(tmp_path / f"{n}.jpg", RED) for n in range(2)]
    done = leafsight("predict", *photos, "--model", colour_model, "--heatmap", tmp_path / "one.png")
    assert done.code == 2
    assert "2 photographs" in done.error_lines[0]
    assert not (tmp_path / "one.png").exists()


def test_heatmap_of_standard_input(colour_model: Path, scab: Path, tmp_path: Path) -> None:
    target = tmp_path / "where.png"
    done = leafsight("predict", "-", "--model", colour_model, "--heatmap", target, stdin=scab.read_bytes())
    assert done.code == 0
    assert target.exists()


@pytest.mark.parametrize("model", ["missing.leafsight", "."])
def test_a_model_that_is_none(model: str, scab: Path, tmp_path: Path) -> None:
    done = leafsight("predict", scab, "--model", model, folder=tmp_path)
    assert done.code == 1
    assert len(done.error_lines) == 2


def test_more_views_are_averaged(colour_model: Path, scab: Path) -> None:
    (answer,) = leafsight("predict", scab, "--model", colour_model, "--views", "4", "--json").json
    assert answer["display"] == "Apple: scab"


def test_limits_of_the_settings_hold(colour_model: Path, scab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFSIGHT_MAX_IMAGE_PIXELS", "4096")
    Image.new("RGB", (65, 65)).save(scab)
    done = leafsight("predict", scab, "--model", colour_model, "--json")
    assert done.code == 1
    assert done.json[0]["error"]["type"] == "image-too-large"


def test_the_model_of_the_settings_is_used(
    colour_model: Path, scab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_MODEL", str(colour_model))
    assert leafsight("predict", scab, "--json").json[0]["model"] == "tiny"
