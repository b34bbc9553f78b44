"""A person has many photographs: files, folders, a pipe, names of every kind, and some that are broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import BLUE, RED
from tests.journeys.small_world import COLOURS, in_another_process, leafsight, save_picture

NAMES = [
    "Blätter.jpg",
    "листья.jpg",
    "葉っぱ.jpg",
    "with space.jpg",
    "two\nlines.jpg",
    "ta\tb.jpg",
    "-dash.jpg",
]


def test_a_folder_is_searched_through_in_order(colour_model: Path, tmp_path: Path) -> None:
    for number, (display, colour) in enumerate(COLOURS.items()):
        save_picture(tmp_path / f"{number}" / f"{display.replace(': ', '-')}.jpg", colour)
    (tmp_path / "notes.txt").write_text("no photograph")
    (tmp_path / ".hidden.jpg").write_bytes(b"no photograph")
    answers = leafsight("predict", tmp_path, "--model", colour_model, "--json").json
    assert [answer["display"] for answer in answers] == list(COLOURS)


@pytest.mark.parametrize("name", NAMES)
def test_any_name(colour_model: Path, tmp_path: Path, name: str) -> None:
    photo = save_picture(tmp_path / name, RED)
    table = leafsight("predict", photo, photo, "--model", colour_model)
    assert table.code == 0
    assert len(table.out.splitlines()) == 3
    assert all(len(row.split("\t")) == 5 for row in table.out.splitlines())
    (line,) = leafsight("predict", photo, "--model", colour_model, "--lines").out.splitlines()
    assert json.loads(line)["photo"] == str(photo)


def test_a_name_that_is_no_text(colour_model: Path, tmp_path: Path) -> None:
    photo = os.fsencode(save_picture(tmp_path / "a.jpg", RED).parent) + b"/leaf-\xff.jpg"
    try:
        (tmp_path / "a.jpg").rename(os.fsdecode(photo))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    for how in ("--json", "--lines", "--threads=1"):
        done = leafsight("predict", tmp_path, "--model", colour_model, how)
        assert done.code == 0, done.err
        assert "leaf-" in done.out
    (answer,) = leafsight("predict", tmp_path, "--model", colour_model, "--json").json
    assert answer["photo"].endswith("leaf-\\xff.jpg")


def test_a_photograph_in_a_pipe(colour_model: Path, tmp_path: Path) -> None:
    data = save_picture(tmp_path / "a.jpg", BLUE).read_bytes()
    done = in_another_process("predict", "-", "--model", colour_model, "--json", stdin=data)
    assert done.json[0]["photo"] == "-"
    assert done.json[0]["display"] == "Tomato: early blight"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 ...", b"GIF89a" + b"\0" * 50])
def test_no_photograph_in_a_pipe(colour_model: Path, data: bytes) -> None:
    done = leafsight("predict", "-", "--model", colour_model, "--json", stdin=data)
    assert done.code == 1
    assert done.json[0]["verdict"] == "unreadable"
    assert done.json[0]["reason"] in done.err


def test_links_in_a_loop_end(colour_model: Path, tmp_path: Path) -> None:
    save_picture(tmp_path / "a.jpg", RED)
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    done = leafsight("predict", tmp_path, "--model", colour_model, "--json")
    assert done.code == 1
    assert sorted(answer["verdict"] for answer in done.json) == ["diagnosis", "unreadable"]


def test_an_empty_folder_says_what_it_looked_for(colour_model: Path, tmp_path: Path) -> None:
    done = leafsight("predict", tmp_path, "--model", colour_model)
    assert done.code == 2
    assert ".jpg" in done.error_lines[1]


def test_broken_ones_never_stop_the_others(colour_model: Path, tmp_path: Path) -> None:
    for number in range(20):
        photo = save_picture(tmp_path / f"{number:02d}.jpg", RED, seed=number)
        if number % 5 == 0:
            photo.write_bytes(photo.read_bytes()[: 40 * (number + 1)])
    done = leafsight("predict", tmp_path, "--model", colour_model, "--lines")
    verdicts = [json.loads(line)["verdict"] for line in done.out.splitlines()]
    assert done.code == 1
    assert [number for number, verdict in enumerate(verdicts) if verdict == "unreadable"] == [0, 5, 10, 15]
    assert done.err.count("cannot be read") == 4


def test_the_odd_files_get_an_answer_each(world, shared_data: Path) -> None:
    folder = shared_data / "odd-files"
    if not folder.is_dir():
        pytest.skip("needs the odd files of the shared data")
    done = leafsight("predict", folder, "--model", world.model, "--json")
    files = [path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"}]
    assert len(done.json) == len(files)
    assert all(answer["reason"] for answer in done.json)
    assert done.code == (1 if any(answer["verdict"] == "unreadable" for answer in done.json) else 0)
