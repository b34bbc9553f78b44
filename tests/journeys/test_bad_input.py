"""Every kind of bad input of the first issue, from outside: a clear error, and nothing lost.

The rooms test the details; ``docs/development.md`` has the table.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.fakes.tiny_bundle import RED
from tests.journeys.small_world import World, draw, leafsight, save_collection, save_picture, with_settings


def train(data: Path, run: Path, *words: str):
    return leafsight(
        "train", "simple-cnn", "--data", data, "--out", run, "-q", "--no-export", *with_settings(), *words
    )


@pytest.mark.parametrize("verb", [("check",), ("split", "--out", "s.parquet"), ("evaluate",)])
def test_an_empty_folder(tmp_path: Path, colour_model: Path, verb: tuple[str, ...]) -> None:
    (tmp_path / "photos").mkdir()
    model = ("--model", colour_model) if verb[0] == "evaluate" else ()
    done = leafsight(*verb, tmp_path / "photos", *model, "-q", folder=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "no photographs" in done.error_lines[0]
    assert "folder" in done.error_lines[1]


def test_an_empty_folder_cannot_be_trained_on(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    done = train(tmp_path / "photos", tmp_path / "run")
    assert (done.code, len(done.error_lines)) == (1, 2)


def test_one_class(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 6})
    done = train(photos, tmp_path / "run")
    assert done.code == 1
    assert "only the class 'rust'" in done.error_lines[0]


def test_a_class_with_one_photograph_is_said_and_the_others_train(world: World, tmp_path: Path) -> None:
    photos = draw(tmp_path / "photos")
    save_picture(photos / "lonely" / "a.jpg", RED)
    assert "lonely (1)" in leafsight("check", photos, "-q").out
    assert train(photos, tmp_path / "run").code == 0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.name == "nt", reason="needs owners and modes of Unix")
def test_no_permission_to_read_or_write(colour_model: Path, open_folder: Path) -> None:
    photo = save_picture(open_folder / "red.jpg", RED)
    assert leafsight("predict", photo, "--model", colour_model).code == 0
    model = shutil.copy(colour_model, open_folder)
    assert leafsight("recipes", "cp", "quick", open_folder / "mine.toml").code == 0  # all is imported now
    photo.chmod(0)
    open_folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:  # whom nothing stops
        os.seteuid(65534)
    try:
        read = leafsight("predict", photo, "--model", model)
        write = leafsight("recipes", "cp", "quick", open_folder / "other.toml")
    finally:
        if root:
            os.seteuid(0)
        open_folder.chmod(0o755)
    assert (read.code, write.code) == (1, 1)
    assert "no permission" in read.error_lines[0]
    assert "no permission" in write.error_lines[0]
    assert "owner and mode" in write.error_lines[1]


def test_links_in_a_loop(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    (photos / "rust" / "again").symlink_to(photos, target_is_directory=True)
    (photos / "rust" / "self.jpg").symlink_to(photos / "rust" / "self.jpg")
    found = leafsight("check", photos, "--json", "-q").json
    assert found["usable"] == 6


@pytest.mark.parametrize("name", ["ржавчина", "さび 病", "two\nlines", "quo'te\""])
def test_class_names_of_any_kind(tmp_path: Path, name: str) -> None:
    photos = save_collection(tmp_path / "photos", {name: 4, "healthy": 4})
    assert name in leafsight("check", photos, "--no-model", "--json", "-q").json["class_counts"]


def test_files_that_are_no_usable_photographs(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 12, "healthy": 12})
    whole = (photos / "rust" / "000.jpg").read_bytes()
    bad = photos / "rust"
    (bad / "empty.jpg").write_bytes(b"")
    (bad / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (bad / "words.jpg").write_bytes(b"only words")
    frames = [Image.new("RGB", (40, 40), (shade, 0, 0)) for shade in (0, 100, 200)]
    frames[0].save(bad / "moving.gif", save_all=True, append_images=frames[1:])
    (bad / "moving.gif").rename(bad / "moving.jpg")
    Image.new("1", (40_000, 9_000)).save(bad / "bomb.png")
    found = leafsight("check", photos, "--no-model", "--json", "-q").json["findings"]
    told = json.dumps([finding for finding in found if finding["part"] == "files"])
    for name in ("empty.jpg", "cut.jpg", "words.jpg", "moving.jpg", "bomb.png"):
        assert name in told
    assert train(photos, tmp_path / "run").code == 0  # the good ones are enough


def test_a_wrong_extension_is_no_fault(colour_model: Path, tmp_path: Path) -> None:
    save_picture(tmp_path / "red.png", RED).rename(tmp_path / "red.jpg")
    assert leafsight("predict", tmp_path / "red.jpg", "--model", colour_model).code == 0


def test_a_list_that_names_missing_files(tmp_path: Path) -> None:
    save_collection(tmp_path / "photos", {"rust": 2})
    (tmp_path / "photos" / "list.csv").write_text(
        "path,label\nrust/000.jpg,rust\nrust/no.jpg,rust\nrust/001.jpg,\n"
    )
    done = leafsight("check", tmp_path / "photos" / "list.csv", "-q")
    assert done.code == 1
    assert "no.jpg" in done.err
    assert "3" in done.err  # the line


def edited_manifest(model: Path, target: Path, change) -> Path:
    """A copy of a model file whose manifest was changed."""
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest).encode()
            new.writestr(name, data)
    return target


def test_a_truncated_model(colour_model: Path, tmp_path: Path) -> None:
    photo, model = save_picture(tmp_path / "red.jpg", RED), tmp_path / "cut.leafsight"
    whole = colour_model.read_bytes()
    for share in (0, 0.2, 0.5, 0.99):
        model.write_bytes(whole[: int(len(whole) * share)])
        done = leafsight("predict", photo, "--model", model)
        assert (done.code, done.out) == (1, ""), share
        assert "cut.leafsight" in done.error_lines[0]


def test_an_altered_model(colour_model: Path, tmp_path: Path) -> None:
    photo, model = save_picture(tmp_path / "red.jpg", RED), tmp_path / "altered.leafsight"
    data = bytearray(colour_model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    done = leafsight("predict", photo, "--model", model)
    assert done.code == 1
    assert "altered.leafsight" in done.error_lines[0]


def test_a_model_from_the_future(colour_model: Path, tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "red.jpg", RED)
    model = edited_manifest(
        colour_model, tmp_path / "new.leafsight", lambda manifest: manifest.update(format_version=99)
    )
    done = leafsight("predict", photo, "--model", model)
    assert done.code == 1
    assert "99" in done.error_lines[0]
    assert "update" in done.error_lines[1] or "pip install" in done.error_lines[1]


def test_a_model_for_other_classes(world: World, colour_model: Path) -> None:
    done = leafsight("evaluate", world.photographs, "--model", colour_model, "-q", "--json")
    # Only "not a leaf" is known to both: the rest is told of, not scored.
    assert done.code == 0
    assert done.json["unknown_classes"]["classes"] == ["Roundleaf___Rust", "Roundleaf___healthy"]


def test_a_recipe_with_several_faults_stops_before_any_work(world: World, tmp_path: Path) -> None:
    done = train(world.photographs, tmp_path / "run", "--set", "sede=1", "--set", "batch_size=0")
    assert done.code == 2
    assert "sede" in done.err
    assert "batch_size" in done.err
    assert not (tmp_path / "run").exists()
