from __future__ import annotations

import os
from pathlib import Path

import pytest

from leafsight.dataset.folders import find_in_folders, label_by_folder
from leafsight.errors import DatasetError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def found(root: Path) -> list[tuple[str, str, str | None]]:
    return [(photo.path, photo.class_name, photo.split) for photo in find_in_folders(root, "s").photos]


def test_class_folders_with_names_of_any_kind(tmp_path: Path) -> None:
    touch(tmp_path, "叶 锈病/фото 1.jpg", "line\nbreak/a\nb.jpg", "rust/deep/er/x.JPG", "rust/no-suffix")
    assert found(tmp_path) == [
        ("line\nbreak/a\nb.jpg", "line\nbreak", None),
        ("rust/deep/er/x.JPG", "rust", None),
        ("rust/no-suffix", "rust", None),
        ("叶 锈病/фото 1.jpg", "叶 锈病", None),
    ]


def test_split_folders_give_the_split(tmp_path: Path) -> None:
    touch(tmp_path, "Train/a/1.jpg", "val/a/2.jpg", "test/b/3.jpg")
    assert found(tmp_path) == [
        ("Train/a/1.jpg", "a", "train"),
        ("test/b/3.jpg", "b", "test"),
        ("val/a/2.jpg", "a", "valid"),
    ]


def test_a_lone_split_folder_still_is_one(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.jpg", "train/b/2.jpg")
    assert {split for _, _, split in found(tmp_path)} == {"train"}


def test_classes_called_test_are_classes_when_they_hold_photographs(tmp_path: Path) -> None:
    touch(tmp_path, "test/1.jpg", "train/2.jpg")
    assert found(tmp_path) == [("test/1.jpg", "test", None), ("train/2.jpg", "train", None)]


def test_wrapping_folders_are_looked_through(tmp_path: Path) -> None:
    touch(tmp_path, "Archive/Plant Village/a/1.jpg", "Archive/Plant Village/b/2.jpg")
    assert [class_name for _, class_name, _ in found(tmp_path)] == ["a", "b"]
    touch(tmp_path / "other", "outer/train/a/1.jpg", "outer/test/a/2.jpg")
    assert [split for _, _, split in found(tmp_path / "other")] == ["test", "train"]


def test_one_class_is_no_wrapper(tmp_path: Path) -> None:
    assert found(touch(tmp_path, "rust/1.jpg")) == [("rust/1.jpg", "rust", None)]


def test_litter_is_ignored_and_the_rest_is_said(tmp_path: Path) -> None:
    touch(
        tmp_path, "a/1.jpg", "a/Thumbs.db", "a/.DS_Store", ".git/x/1.jpg", "__MACOSX/a/1.jpg", "a/notes.txt"
    )
    touch(tmp_path, "loose.jpg", "b/2.jpg")
    finding = find_in_folders(tmp_path, "s")
    assert [photo.path for photo in finding.photos] == ["a/1.jpg", "b/2.jpg"]
    assert any("1 .txt" in note for note in finding.notes)
    assert any("1 files are in no class folder" in note for note in finding.notes)


def test_links_neither_loop_nor_relabel(tmp_path: Path) -> None:
    root = touch(tmp_path / "root", "b/1.jpg", "c/2.jpg")
    outside = touch(tmp_path / "outside", "3.jpg")
    (root / "a").symlink_to(root / "b")
    (root / "b" / "up").symlink_to(root)
    (root / "b" / "self").symlink_to(root / "b" / "self")
    (root / "d").symlink_to(outside)
    assert found(root) == [
        ("b/1.jpg", "b", None),
        ("b/self", "b", None),
        ("c/2.jpg", "c", None),
        ("d/3.jpg", "d", None),
    ]


def test_bytes_that_are_no_text_become_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    photo = find_in_folders(tmp_path, "s").photos[0]
    assert photo.path == "a/caf\\xe9.jpg"
    assert photo.fault is not None
    assert photo.fault.startswith("unreadable-name")


@pytest.mark.parametrize("names", [(), ("a/", "b/"), ("1.jpg",), ("a/readme.txt",)])
def test_nothing_to_index_says_what_to_do(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).mkdir() if name.endswith("/") else touch(tmp_path, name)
    with pytest.raises(DatasetError, match="no photographs") as caught:
        find_in_folders(tmp_path, "s")
    assert "folder" in caught.value.hint


def test_missing_and_wrong_paths(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        find_in_folders(tmp_path / "absent", "s")
    with pytest.raises(DatasetError, match="not a folder"):
        find_in_folders(touch(tmp_path, "file.bin") / "file.bin", "s")


def test_a_folder_that_cannot_be_listed_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    finding = find_in_folders(tmp_path, "s")
    assert [photo.path for photo in finding.photos] == ["a/1.jpg"]
    assert any("could not be listed: Permission denied" in note for note in finding.notes)


def test_order_of_discovery_does_not_matter() -> None:
    names = ["b/2.jpg", "a/1.jpg", "b/1.jpg"]
    assert label_by_folder(names, "/r", "s").photos == label_by_folder(reversed(names), "/r", "s").photos
