from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from leafsight.errors import DiskFullError, PermissionDeniedError, StorageError
from leafsight.storage import (
    canonical_json,
    merged,
    os_errors_translated,
    read_json,
    replacing,
    write_bytes,
    write_json,
)


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b.bin", b"123")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"123"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b.bin"]


def test_the_mode_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_bytes(tmp_path / "f", b"")
    finally:
        os.umask(old)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640


def test_an_exception_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_bytes(path, b"old")
    with pytest.raises(RuntimeError, match="half"), replacing(path) as file:
        file.write(b"ne")
        raise RuntimeError("half way")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_full_disk_is_named_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_bytes(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="no space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.EDQUOT, DiskFullError), (errno.EROFS, PermissionDeniedError), (errno.EIO, StorageError)],
)
def test_operating_system_errors_become_ours(number: int, expected: type[StorageError]) -> None:
    with pytest.raises(expected) as caught, os_errors_translated(Path("/x")):
        raise OSError(number, "told")
    assert type(caught.value) is expected


def test_json_has_one_spelling_and_no_nan(tmp_path: Path) -> None:
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    write_json(tmp_path / "v.json", {"b": [1, 2], "a": None})
    assert read_json(tmp_path / "v.json") == {"a": None, "b": [1, 2]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "n.json", float("nan"))
    assert not (tmp_path / "n.json").exists()


def test_reading_json_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(StorageError, match="not valid JSON"):
        read_json(tmp_path / "bad.json")
    with pytest.raises(StorageError, match="No such file") as caught:
        read_json(tmp_path / "none.json")
    assert caught.value.hint == "check the path"
    (tmp_path / "big.json").write_text("[" + "1," * 100 + "1]")
    with pytest.raises(StorageError, match="larger than 10 bytes"):
        read_json(tmp_path / "big.json", max_bytes=10)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"n": ' + "9" * 10_000 + "}"], ids=["nested", "long number"]
)
def test_json_that_python_chokes_on_is_not_a_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(StorageError, match="is not valid JSON"):
        read_json(tmp_path / "odd.json")


def test_tables_are_merged_within_tables_and_lists_replaced() -> None:
    base = {"a": {"x": 1, "deep": {"p": 1, "q": 2}}, "list": [1, 2], "plain": 3}
    changes = {"a": {"deep": {"q": 5}}, "list": [9], "plain": {"now": "a table"}, "new": {"k": 0}}
    assert merged(base, changes) == {
        "a": {"x": 1, "deep": {"p": 1, "q": 5}},
        "list": [9],
        "plain": {"now": "a table"},
        "new": {"k": 0},
    }
    assert base["a"] == {"x": 1, "deep": {"p": 1, "q": 2}}  # left as it was
