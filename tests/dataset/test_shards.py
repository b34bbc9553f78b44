from __future__ import annotations

import json
from pathlib import Path

import pytest

from leafsight.dataset.shards import class_list, is_shard, label_by_key, shard_files
from leafsight.errors import DatasetError


def stored(root: Path, **files: str) -> dict[str, str | None]:
    """Files as an archive's store keeps them: name in the tar to place below ``root``."""
    places: dict[str, str | None] = {}
    for number, (name, text) in enumerate(files.items()):
        name = name.replace("__", ".")
        (root / str(number)).write_text(text)
        places[name] = str(number)
    return places


def test_a_shard_is_known_by_its_keys() -> None:
    assert is_shard(["a/1.jpg", "a/1.cls"])
    assert is_shard(["1.seg.png", "1.png", "1.json"])
    assert not is_shard(["rust/1.jpg", "rust/2.jpg", "labels.json", "classes.txt"])
    assert not is_shard(["rust/1.jpg", "healthy/1.cls"])
    assert not is_shard(["rust/1.jpg", "rust/1.json"])  # outlines drawn by a person, in class folders
    assert not is_shard([])


def test_where_the_class_comes_from(tmp_path: Path) -> None:
    told = {"class_name": "rust", "group": "leaf 1", "split": "val", "sha256": "x"}
    places = stored(
        tmp_path,
        a__jpg="", a__cls="1", a__json=json.dumps(told),
        b__jpg="", b__cls="1",
        c__png="", c__txt="mildew",
        d__JPG="", d__json='{"label": "wilt", "group": 5}',
        e__json='{"label": "no picture"}',
    )  # fmt: skip
    finding = label_by_key(places, tmp_path, "s", Path("train-000000.tar"), ("healthy", "scab"))
    assert [(p.path, p.class_name, p.given_group, p.split, p.stored_as) for p in finding.photos] == [
        ("a.jpg", "rust", "leaf 1", "valid", "0"),
        ("b.jpg", "scab", None, "train", "3"),
        ("c.png", "mildew", None, "train", "5"),
        ("d.JPG", "wilt", None, "train", "7"),
    ]
    assert any("read as a WebDataset shard" in note for note in finding.notes)
    assert any("1 keys of train-000000.tar have no picture" in note for note in finding.notes)


def test_numbers_without_a_list_stay_numbers(tmp_path: Path) -> None:
    finding = label_by_key(stored(tmp_path, a__jpg="", a__cls="7\n"), tmp_path, "s", Path("x.tar"))
    assert [(photo.class_name, photo.split) for photo in finding.photos] == [("7", None)]


def test_every_fault_comes_at_once_with_its_key(tmp_path: Path) -> None:
    places = stored(
        tmp_path,
        a__jpg="", a__cls="9",
        b__jpg="",
        c__jpg="", c__json='{"label": NaN}',
        d__jpg="", d__png="", d__cls="0",
        e__jpg="", e__cls=" ",
        f__jpg="", f__json='{"label": "half \\ud800"}',
        ok__jpg="", ok__cls="0",
    )  # fmt: skip
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    places |= {"g.jpg": "0", "g.cls": "bytes"}
    with pytest.raises(DatasetError) as caught:
        label_by_key(places, tmp_path, "s", Path("x.tar"), ("rust",))
    message = caught.value.message
    for said in (
        "key 'a': class 9 is not among the 1 of classes.txt",
        "key 'b': no label",
        "key 'c':",
        "NaN is no number",
        "key 'd': more than one picture: d.jpg, d.png",
        "key 'e': no label",
        "key 'f': no label",
        "key 'g':",
    ):
        assert said in message
    assert "key 'ok'" not in message
    assert str(tmp_path) not in message


def test_a_picture_that_was_too_large_keeps_its_label(tmp_path: Path) -> None:
    places = stored(tmp_path, a__cls="0") | {"a.jpg": None}
    photo = label_by_key(places, tmp_path, "s", Path("x.tar"), ("rust",)).photos[0]
    assert (photo.class_name, photo.stored_as) == ("rust", None)


def test_a_folder_of_tars_and_its_classes(tmp_path: Path) -> None:
    for name in ("b.tar", "a.tar.gz", "c.tgz", "photos.csv", "classes.txt", ".hidden.tar"):
        (tmp_path / name).write_text("rust\nearly blight\n")
    assert [path.name for path in shard_files(tmp_path)] == ["a.tar.gz", "b.tar", "c.tgz"]
    assert class_list(tmp_path) == ("rust", "early blight")
    (tmp_path / "rust").mkdir()
    assert shard_files(tmp_path) == []
    assert class_list(tmp_path / "rust") == ()
    assert shard_files(tmp_path / "absent") == []
