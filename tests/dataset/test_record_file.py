"""Files of records: what is in them can be trusted, what is not is made again."""

from __future__ import annotations

import hashlib
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from leafsight.dataset.record_file import RecordFile
from leafsight.errors import DatasetError


def key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def filled(path: Path, names: str, tag: str = "test") -> RecordFile:
    file = RecordFile(path, tag, 4)
    with file.writing() as writer:
        writer.append(np.array([[ord(name)] * 4 for name in names], np.uint8), [key(name) for name in names])
    return file


def test_records_come_back_by_number(tmp_path: Path) -> None:
    file = filled(tmp_path / "deep" / "r.bin", "abc")
    assert len(file) == 3
    assert file.read(np.array([2, 0])).tolist() == [[99] * 4, [97] * 4]
    assert filled(file.path, "d").read(np.array([0, 3])).tolist() == [[97] * 4, [100] * 4]


def test_a_record_is_known_by_its_hash(tmp_path: Path) -> None:
    file = filled(tmp_path / "r.bin", "ab")
    assert file.holds(1, key("b"))
    assert not file.holds(0, key("b"))
    assert not file.holds(2, key("b"))
    assert not file.holds(None, key("b"))
    assert not file.holds(1, None)


def test_half_a_record_does_not_count_and_is_written_over(tmp_path: Path) -> None:
    file = filled(tmp_path / "r.bin", "ab")
    with file.path.open("ab") as torn:
        torn.write(b"12345")
    assert len(RecordFile(file.path, "test", 4)) == 2
    again = filled(file.path, "c")
    assert len(again) == 3
    assert again.holds(2, key("c"))


@pytest.mark.parametrize("damage", [b"", b"leafsight rec", b"something else altogether" * 20])
def test_another_kind_of_file_counts_as_empty(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "r.bin"
    path.write_bytes(damage)
    assert len(RecordFile(path, "test", 4)) == 0
    assert filled(path, "z").read(np.array([0])).tolist() == [[122] * 4]


def test_another_tag_starts_anew(tmp_path: Path) -> None:
    filled(tmp_path / "r.bin", "abc", tag="network 1")
    file = filled(tmp_path / "r.bin", "d", tag="network 2")
    assert len(file) == 1
    assert not file.holds(0, key("a"))


def test_a_number_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds 2 records, asked for number 7"):
        filled(tmp_path / "r.bin", "ab").read(np.array([0, 7]))


def _write_one(path: Path, said: multiprocessing.Queue) -> None:
    try:
        filled(path, "x")
    except DatasetError as error:
        said.put(str(error))
    else:
        said.put("wrote")


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    file = filled(tmp_path / "r.bin", "a")
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    with file.writing():
        other = context.Process(target=_write_one, args=(file.path, said))
        other.start()
        message = said.get(timeout=60)
        other.join()
    assert "another process is reading the same photographs" in message
    assert len(file) == 1


def test_what_was_appended_before_an_error_stays(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "r.bin", "test", 4)

    def broken() -> None:
        with file.writing() as writer:
            writer.append(np.zeros((1, 4), np.uint8), [key("a")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert file.holds(0, key("a"))


def test_records_of_another_length_are_refused(tmp_path: Path) -> None:
    with (
        RecordFile(tmp_path / "r.bin", "test", 4).writing() as writer,
        pytest.raises(ValueError, match="record of 4"),
    ):
        writer.append(np.zeros((1, 5), np.uint8), [key("a")])
