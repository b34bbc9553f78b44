"""A full disk, a folder that is not ours, a torn line: an error that says so, and the old state."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.registry.kinds import folder_only

from leafsight.errors import ConflictError, DiskFullError, PermissionDeniedError, StorageError
from leafsight.registry import Registry, open_registry
from leafsight.storage import canonical_json


def state(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@contextmanager
def full_after(syncs: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A disk that is full from the nth fsync of a file on (folders are not written to)."""
    sync, left, refused = os.fsync, [syncs], [0]

    def fsync(handle: int) -> None:
        if not os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112
            left[0] -= 1
            if left[0] < 0:
                refused[0] += 1
                raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield refused


@pytest.mark.parametrize("syncs", [0, 1])
def test_a_full_disk_adds_nothing(
    registry: Registry, hashes: dict[str, str], files, folder: Path, monkeypatch, syncs: int
) -> None:
    registry.remove(hashes["apples"])
    before = state(folder)
    with full_after(syncs, monkeypatch), pytest.raises(DiskFullError, match="no space left"):
        registry.add(files["apples"])
    assert state(folder) == before
    assert registry.add(files["apples"]).hash == hashes["apples"]


def test_a_full_disk_promotes_nothing(
    registry: Registry, hashes: dict[str, str], folder: Path, monkeypatch
) -> None:
    registry.promote(hashes["apples"])
    before = state(folder)
    for act in (lambda: registry.promote(hashes["beans"]), lambda: registry.rollback()):
        with full_after(0, monkeypatch), pytest.raises(DiskFullError):
            act()
        assert state(folder) == before
    assert registry.get("serving").name == "apples"


def test_a_disk_that_fills_up_after_the_promotion_loses_no_history(
    registry: Registry, hashes: dict[str, str], folder: Path, monkeypatch
) -> None:
    registry.promote(hashes["apples"])
    with full_after(1, monkeypatch) as refused:
        change = registry.promote(hashes["beans"], reason="told")
    assert refused == [1]
    assert registry.get("serving").name == "beans"
    assert registry.history()[0] == change
    (folder / "history" / "serving.jsonl").unlink()
    with full_after(0, monkeypatch), pytest.raises(DiskFullError):
        registry.promote(hashes["cherries"])
    assert registry.get("serving").name == "beans"
    assert registry.promote(hashes["cherries"]).number == 3
    assert [one.reason for one in registry.history()] == ["", "told"]


@folder_only
def test_a_line_of_history_that_cannot_be_written_stops_the_next_change(
    registry: Registry, hashes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.registry.pointers import Pointers

    def full(*_: Any) -> None:
        raise DiskFullError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Pointers, "_append", full)
        registry.promote(hashes["apples"], reason="told")
        with pytest.raises(DiskFullError):
            registry.promote(hashes["beans"])
        assert registry.get("serving").name == "apples"
    registry.promote(hashes["beans"])
    assert [one.reason for one in registry.history()] == ["", "told"]


def test_a_real_limit_on_file_sizes(registry: Registry, hashes: dict[str, str], files, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    registry.remove(hashes["apples"])
    before, limits = state(folder), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(DiskFullError):
            registry.add(files["apples"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert state(folder) == before


def everything(registry: Registry, hashes: dict[str, str], files: dict[str, Path]) -> list[Callable[[], Any]]:
    return [
        lambda: registry.add(files["apples"], "a note"),
        lambda: registry.promote(hashes["apples"]),
        lambda: registry.rollback(),
        lambda: registry.remove(hashes["cherries"]),
    ]


def test_a_folder_that_may_only_be_read(
    registry: Registry, hashes: dict[str, str], files, folder: Path, monkeypatch
) -> None:
    registry.promote(hashes["beans"])
    before, really = state(folder), os.open

    def refuse(path: Any, flags: int, *words: Any, **more: Any) -> int:
        if flags & (os.O_CREAT | os.O_RDWR | os.O_WRONLY) and str(folder) in str(path):
            raise OSError(errno.EACCES, "Permission denied")
        return really(path, flags, *words, **more)

    monkeypatch.setattr(os, "open", refuse)
    again = open_registry(folder)
    for act in everything(again, hashes, files):
        with pytest.raises(PermissionDeniedError, match="no permission"):
            act()
    assert state(folder) == before
    assert again.get("serving").name == "beans"
    assert len(again.entries()) == 4
    assert again.add(files["beans"]).name == "beans"  # it is there, nothing to write
    assert again.verify() == ()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_somebody_else(registry: Registry, hashes: dict[str, str], files, folder: Path) -> None:
    parts = [folder, *(path for path in folder.iterdir() if path.is_dir())]
    (folder / ".lock").chmod(0o444)
    for path in parts:
        path.chmod(0o555)
    try:
        again = open_registry(folder)
        assert len(again.entries()) == 4
        for act in everything(again, hashes, files):
            with pytest.raises(PermissionDeniedError):
                act()
    finally:
        for path in parts:
            path.chmod(0o755)


def test_something_else_at_the_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="is not a folder"):
        open_registry(tmp_path / "file")
    beyond = open_registry(tmp_path / "new")
    (tmp_path / "new").write_text("x")
    with pytest.raises(StorageError):
        beyond.promote("builtin")
    with pytest.raises(StorageError):
        beyond.entries()


def test_a_line_of_history_torn_anywhere_is_made_whole(
    registry: Registry, hashes: dict[str, str], folder: Path
) -> None:
    registry.promote(hashes["apples"])
    change = registry.promote(hashes["beans"], reason="zwölf")
    path = folder / "history" / "serving.jsonl"
    whole, line = path.read_bytes(), canonical_json(change.to_dict()).encode() + b"\n"
    assert whole.endswith(line)
    for length in range(0, len(line) + 1, 7):
        path.write_bytes(whole[: len(whole) - len(line) + length])
        reader = Registry(folder, lambda: 0, 2**30, 1.0)
        assert [one.number for one in reader.history()] == [2, 1]
        open_registry(folder)
        assert path.read_bytes() == whole


def test_a_history_that_was_edited_keeps_what_can_be_read(
    registry: Registry, hashes: dict[str, str], folder: Path
) -> None:
    for name in ("apples", "beans", "cherries"):
        registry.promote(hashes[name])
    path = folder / "history" / "serving.jsonl"
    first, second, third = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, b"\xff\x00 rubbish", third, b"a line that nobody ended"]))
    again = open_registry(folder)
    assert path.read_bytes().endswith(b"nobody ended\n")
    assert [one.number for one in again.history()] == [3, 1]
    told = again.verify()
    assert [(one.what, one.message) for one in told] == [("serving", "2 lines of the history cannot be read")]
    with pytest.raises(ConflictError, match="damaged at change 2"):
        again.rollback()
    assert again.promote(hashes["beans"]).number == 4
    assert again.rollback().hash == hashes["cherries"]
    assert second not in path.read_bytes()


def test_a_history_without_end(registry: Registry, hashes: dict[str, str], folder: Path) -> None:
    registry.promote(hashes["apples"])
    with (folder / "history" / "serving.jsonl").open("ab") as file:
        file.truncate(257 * 1024 * 1024)
    with pytest.raises(StorageError, match="is larger than"):
        registry.history()
    with pytest.raises(StorageError, match="is larger than"):
        registry.promote(hashes["beans"])
    assert registry.get("serving").name == "apples"
    assert [one.what for one in registry.verify()] == ["serving"]


def test_parts_of_the_dead_are_swept(registry: Registry, hashes: dict[str, str], folder: Path) -> None:
    registry.promote(hashes["apples"])
    parts = [folder / room / ".0123.part" for room in ("bundles", "entries", "aliases")]
    for part in parts:
        part.write_bytes(b"half")
    (folder / "bundles" / f"{hashes['beans']}.leafsight").rename(
        folder / "bundles" / f"{hashes['beans']}.removed"
    )
    again = open_registry(folder)
    assert not any(part.exists() for part in parts)
    assert [entry.name for entry in again.entries()] == ["cherries", "apples", "shipped"]
    assert again.verify() == ()


def test_a_removal_that_was_overtaken_by_adding_again(
    registry: Registry, hashes: dict[str, str], folder: Path
) -> None:
    path = folder / "bundles" / f"{hashes['beans']}.leafsight"
    path.with_suffix(".removed").write_bytes(path.read_bytes())
    again = open_registry(folder)
    assert not path.with_suffix(".removed").exists()
    assert again.bundle(again.get(hashes["beans"])).name == "beans"
