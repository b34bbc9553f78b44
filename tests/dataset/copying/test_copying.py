from __future__ import annotations

import csv
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.dataset.copying.file_tree import photographs, tree

from leafsight.dataset import CopyOptions, PhotoIndex, copy_photos, index_photos
from leafsight.dataset.copying import copying, layouts, target
from leafsight.errors import DatasetError, DiskFullError

Indexed = Callable[..., PhotoIndex]
COPY = CopyOptions(link="copy")


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_in_folders_is_indexed_as_the_original_was(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 4, "fine": 4}, splits="train test")
    index = index.with_column("group", [f"g{row // 2}" for row in range(8)])
    before = tree(tmp_path / "photos")
    report = copy_photos(index, tmp_path / "out")
    assert (report.photographs, report.linked, report.copied) == (8, 8, 0)
    assert report.splits == {"test": 4, "train": 4}
    assert report.is_complete
    assert any("changing a file of the copy changes its original" in line for line in report.lines())
    assert below(tmp_path) == ["out", "photos"]
    assert tree(tmp_path / "photos") == before
    walked = index_photos(tmp_path / "out")
    listed = index_photos(tmp_path / "out" / "photos.csv")
    kept = PhotoIndex.load(tmp_path / "out" / "index.parquet")

    def told(one: PhotoIndex) -> list[tuple[object, ...]]:
        columns = ("content_hash", "class_name", "split")
        return sorted(zip(*(one.column(name) for name in columns), strict=True))

    assert told(walked) == told(listed) == told(kept) == told(index)
    assert (
        sorted(listed.column("given_group")) == sorted(kept.column("group")) == sorted(index.column("group"))
    )
    assert all(file.is_file() for file in kept.files())
    again = index_photos(tmp_path / "out", earlier=kept)
    assert again.column("content_hash") == kept.column("content_hash")


def test_a_copy_in_shards_is_indexed_as_the_original_was(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust / leaf": 4, "fine\nline": 4} if os.name != "nt" else {"a": 4}, splits="train test")
    report = copy_photos(index, tmp_path / "out", CopyOptions(layout="shards"))
    assert (report.shards, report.photographs) == (2, 8)
    again = index_photos(tmp_path / "out", store=tmp_path / "store")
    for name in ("content_hash", "class_name"):
        assert sorted(again.column(name)) == sorted(index.column(name))
    splits = dict(zip(index.column("content_hash"), index.column("split"), strict=True))
    assert again.column("split") == [splits[one] for one in again.column("content_hash")]


def test_what_was_left_out_is_listed_with_its_reason(indexed: Indexed, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    indexed({"rust": 3, "fine": 3})
    shutil.copy(folder / "rust" / "leaf 000.jpg", folder / "rust" / "twin.jpg")
    (folder / "rust" / "empty.jpg").touch()
    (tmp_path / "list.txt").write_text("fine/leaf 001.jpg\n")
    index = index_photos(folder)
    options = CopyOptions(clean=True)
    report = copy_photos(index, tmp_path / "out", options, leave_out=tmp_path / "list.txt")
    assert report.to_dict()["left_out_counts"] == {"duplicate": 1, "faulty": 1, "listed": 1}
    with (tmp_path / "out" / "left_out.csv").open(newline="") as file:
        rows = {row["source_path"]: (row["kind"], row["reason"]) for row in csv.DictReader(file)}
    assert rows["photos/rust/twin.jpg"] == ("duplicate", "the same picture as photos/rust/leaf 000.jpg")
    assert rows["photos/rust/empty.jpg"][1].startswith("empty-file")
    assert rows["photos/fine/leaf 001.jpg"] == ("listed", "list.txt line 1")
    assert len(photographs(tmp_path / "out")) == 5


@pytest.mark.parametrize("layout", ["folders", "shards"])
def test_a_photograph_that_changed_is_said_and_not_copied(
    layout: str, indexed: Indexed, tmp_path: Path
) -> None:
    index = indexed({"rust": 4})
    files = index.files()
    files[0].write_bytes(files[1].read_bytes())
    files[2].unlink()
    report = copy_photos(index, tmp_path / "out", CopyOptions(layout=layout))
    assert not report.is_complete
    assert [(one.source_path, one.kind) for one in report.left_out] == [
        ("photos/rust/leaf 000.jpg", "changed"),
        ("photos/rust/leaf 002.jpg", "gone"),
    ]
    assert report.photographs == 2


def test_a_folder_that_disappeared_leaves_nothing(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 3})
    shutil.rmtree(tmp_path / "photos")
    with pytest.raises(DatasetError, match="none of the photographs could be copied") as caught:
        copy_photos(index, tmp_path / "out")
    assert "moved" in caught.value.hint
    assert below(tmp_path) == []


def test_the_folder_is_complete_or_not_there(
    indexed: Indexed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = indexed({"rust": 5})
    place, calls = layouts.place, []

    def failing(*words: object, **more: object) -> bool:
        calls.append(words)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return place(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(layouts, "place", failing)
    with pytest.raises(KeyboardInterrupt):
        copy_photos(index, tmp_path / "out")
    assert below(tmp_path) == ["photos"]
    monkeypatch.undo()
    assert copy_photos(index, tmp_path / "out").photographs == 5


def test_what_a_killed_run_left_is_cleared_and_nothing_else(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 2})
    with pytest.raises(RuntimeError), target.new_folder(tmp_path / "out") as part:
        name = part.name
        raise RuntimeError
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.txt").touch()
    with pytest.raises(DatasetError, match="is in the way"):
        copy_photos(index, tmp_path / "out")
    (tmp_path / name / target._MARK).touch()
    copy_photos(index, tmp_path / "out")
    assert below(tmp_path) == ["out", "photos"]
    assert not (tmp_path / "out" / "mine.txt").exists()


def test_what_is_there_is_refused(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 2})
    (tmp_path / "file").touch()
    (tmp_path / "full" / "x").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "soft").symlink_to(tmp_path / "empty")
    for name, said in (("file", "no folder"), ("full", "no copy made by leafsight"), ("soft", "no folder")):
        for force in (True, False):
            with pytest.raises(DatasetError, match=said):
                copy_photos(index, tmp_path / name, CopyOptions(force=force))
    assert copy_photos(index, tmp_path / "empty").photographs == 2
    with pytest.raises(DatasetError, match="holds a copy already") as caught:
        copy_photos(index, tmp_path / "empty")
    assert "--force" in caught.value.hint


def test_force_replaces_what_it_made_and_keeps_the_rest(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 4, "fine": 2})
    out = tmp_path / "out"
    copy_photos(index, out, COPY)
    (out / "rust" / "leaf 001.jpg").write_bytes(b"worked on")
    (out / "notes.txt").write_text("mine")
    shutil.rmtree(out / "fine")
    (out / "fine").symlink_to(tmp_path / "photos" / "fine")  # the originals, of the very hashes
    before = tree(tmp_path / "photos")
    report = copy_photos(index.rows([0, 1]), out, CopyOptions(link="copy", force=True))
    assert report.photographs == 2
    assert sorted(photographs(out)) == ["fine/leaf 000.jpg", "fine/leaf 001.jpg"]
    assert any("out.before" in note for note in report.notes)
    kept = tmp_path / "out.before"
    assert (kept / "notes.txt").read_text() == "mine"
    assert (kept / "rust" / "leaf 001.jpg").read_bytes() == b"worked on"
    assert sorted(path.name for path in (kept / "rust").iterdir()) == ["leaf 001.jpg"]
    assert tree(tmp_path / "photos") == before
    with pytest.raises(DatasetError, match=r"out\.before is in the way"):
        copy_photos(index, out, CopyOptions(force=True))


def test_force_leaves_nothing_where_nothing_was_added(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 3}, splits="train test")
    for options in (CopyOptions(), CopyOptions(force=True, layout="shards"), CopyOptions(force=True)):
        report = copy_photos(index, tmp_path / "out", options)
        assert below(tmp_path) == ["out", "photos"]
        assert report.notes == ()
    assert len(photographs(tmp_path / "out")) == 3


def test_a_list_that_was_tampered_with_removes_nothing_outside(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 2})
    out = tmp_path / "out"
    copy_photos(index, out, COPY)
    original = tmp_path / "photos" / "rust" / "leaf 000.jpg"
    text = (out / "photos.csv").read_text()
    (out / "photos.csv").write_text(
        text.replace("rust/leaf 000.jpg,rust", "../photos/rust/leaf 000.jpg,rust")
    )
    copy_photos(index, out, CopyOptions(force=True))
    assert original.exists()


def test_room_is_looked_at_first(indexed: Indexed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = indexed({"rust": 20})

    def nearly_full(_: object) -> object:
        return shutil._ntuple_diskusage(10**9, 10**9, 20 * 1024)  # type: ignore[attr-defined]

    monkeypatch.setattr(copying.shutil, "disk_usage", nearly_full)
    for options in (COPY, CopyOptions(layout="shards")):
        with pytest.raises(DiskFullError, match=r"needs \d+ MB"):
            copy_photos(index, tmp_path / "out", options)
    assert below(tmp_path) == ["photos"]
    assert copy_photos(index, tmp_path / "out").linked == 20  # links need no room


def test_a_disk_that_fills_up_leaves_nothing(
    indexed: Indexed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = indexed({"rust": 3})

    def full(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(layouts, "place", full)
    with pytest.raises(DiskFullError):
        copy_photos(index, tmp_path / "out")
    assert below(tmp_path) == ["photos"]


def test_where_the_copy_may_not_or_should_not_be(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 2}, name="deep/photos")
    report = copy_photos(index, tmp_path / "deep" / "photos" / "clean")
    assert any("will find the copy, too" in note for note in report.notes)
    inner = PhotoIndex.load(tmp_path / "deep" / "photos" / "clean" / "index.parquet")
    with pytest.raises(DatasetError, match="the photographs themselves lie in"):
        copy_photos(inner, tmp_path / "deep" / "photos" / "clean", CopyOptions(force=True))


def test_nothing_left_to_copy(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 2}).with_column("fault", ["x: y", "x: y"])
    with pytest.raises(DatasetError, match="no photograph is left to copy"):
        copy_photos(index, tmp_path / "out", CopyOptions(clean=True))
    assert below(tmp_path) == ["photos"]


def test_odd_names_of_splits_are_told_of(indexed: Indexed, tmp_path: Path) -> None:
    report = copy_photos(indexed({"rust": 2}, splits="one two"), tmp_path / "out")
    assert any("no usual name of a split" in note for note in report.notes)
    assert set(index_photos(tmp_path / "out" / "photos.csv").column("split")) == {"one", "two"}


@pytest.mark.skipif(os.name == "nt", reason="no locks of this kind")
def test_two_copies_into_one_folder_do_not_meet(indexed: Indexed, tmp_path: Path) -> None:
    index = indexed({"rust": 2})
    with target.new_folder(tmp_path / "out") as part:
        (part / "x").touch()
        with pytest.raises(DatasetError, match="another process"):
            copy_photos(index, tmp_path / "out")
        assert (part / "x").exists()
    assert below(tmp_path / "out") == ["x"]
