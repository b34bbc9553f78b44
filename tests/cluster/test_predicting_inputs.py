"""What there is to diagnose: each photograph once, in chunks, whatever it is called and wherever it lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leafsight.cluster.predicting_chunks import Chunk
from leafsight.cluster.predicting_inputs import check_inputs, find_chunks
from leafsight.errors import ConfigError, StorageError, UsageError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def photos(chunks: list[Chunk]) -> list[str]:
    return [chunk.photo(name) for chunk in chunks for name in chunk.names]


def test_photographs_in_chunks_and_each_tar_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    touch(*(Path(f"in/{group}/{n}.JPG") for group in "ab" for n in range(3)))
    touch(
        Path("in/a/1.tar"), Path("in/b/2.TGZ"), Path("in/b/3.tar.gz"), Path("in/c/4.gz"), Path("in/c/t.txt")
    )
    chunks = list(find_chunks(("in", "no.jpg"), 4))
    assert [(len(chunk.names), chunk.is_shard) for chunk in chunks] == [
        (1, False), (4, False), (1, True), (2, False), (1, True), (1, True)
    ]  # fmt: skip
    wanted = [f"in/{group}/{n}.JPG" for group in "ab" for n in range(3)]
    assert sorted(photos(chunks)) == sorted([*wanted, "in/a/1.tar", "in/b/2.TGZ", "in/b/3.tar.gz", "no.jpg"])
    assert chunks[1].place(chunks[1].names[0]) == str(tmp_path / "in" / "a" / "0.JPG")


def test_a_chunk_is_a_line_and_a_chunk_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"b\xffd \n\xc3\xa9.jpg")
    (tmp_path / name).touch()
    (chunk,) = find_chunks((str(tmp_path),), 4)
    assert "\n" not in chunk.to_line()
    again = Chunk.from_line(chunk.to_line())
    assert again == chunk
    assert Path(again.place(again.names[0])).exists()
    assert again.photo(again.names[0]) == f"{tmp_path}/b\\xffd \né.jpg"


def test_what_is_no_input(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "b" / "1.jpg", tmp_path / "ab" / "1.jpg")
    whole = check_inputs([f"{tmp_path}/a/../a", f"{tmp_path}/ab/", f"{tmp_path}/no.jpg"])
    assert whole == (f"{tmp_path}/a", f"{tmp_path}/ab", f"{tmp_path}/no.jpg")
    with pytest.raises(StorageError, match="no such"):
        check_inputs([str(tmp_path / "nothing")])
    with pytest.raises(UsageError, match="standard input"):
        check_inputs(["-"])
    with pytest.raises(UsageError, match="named twice"):
        check_inputs([str(tmp_path / "a"), f"{tmp_path}/a/"])
    with pytest.raises(UsageError, match="lies inside"):
        check_inputs([str(tmp_path / "a" / "b"), str(tmp_path / "a")])
    with pytest.raises(UsageError, match="no photographs in"):
        list(find_chunks((str(tmp_path / "a"), str(tmp_path)), 4)) + list(
            find_chunks((str(_empty(tmp_path)),), 4)
        )


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_addresses_of_buckets() -> None:
    pytest.importorskip("obstore")
    assert check_inputs(["s3://leaves/a/?region=x"]) == ("s3://leaves/a?region=x",)
    with pytest.raises(UsageError, match="lies inside"):
        check_inputs(["s3://leaves/a?region=x", "s3://leaves/a/b.tar"])
    with pytest.raises(ConfigError):
        check_inputs(["s3://key:secret@leaves/a"])
    (chunk,) = find_chunks(("s3://leaves/a/one.jpg?region=x",), 4)
    assert (chunk.root, chunk.names) == ("s3://leaves/a?region=x", ("one.jpg",))
    assert chunk.photo("one.jpg") == "s3://leaves/a/one.jpg"


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "locked" / "2.jpg")
    scan = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    (chunk,) = find_chunks((str(tmp_path),), 4)
    assert chunk.names == ("a/1.jpg", "locked/")
    assert chunk.photo("locked/") == str(tmp_path / "locked")
