from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leafsight.dataset import COLUMNS, PhotoIndex, joined
from leafsight.errors import DatasetError, StorageError

Index = Callable[..., PhotoIndex]


def test_survives_the_file(made_up: Index, tmp_path: Path) -> None:
    index = made_up({"ржавчина": 3, "line\nbreak": 2}, split=lambda n: "train" if n else None)
    index = PhotoIndex(index.table, ["one note", "two\nlines"])
    index.save(tmp_path / "a" / "index.parquet")
    again = PhotoIndex.load(tmp_path / "a" / "index.parquet")
    assert again.table.equals(index.table)
    assert again.notes == index.notes
    assert again.fingerprint() == index.fingerprint()
    assert (
        pq.ParquetFile(tmp_path / "a" / "index.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to count threads")
def test_reading_leaves_no_thread_behind(made_up: Index, tmp_path: Path) -> None:
    """A thread of Arrow's pool that works on while a program ends turns its success into SIGABRT."""
    made_up({"a": 3}).save(tmp_path / "index.parquet")
    code = f"""
        import os
        import pyarrow.parquet
        from pathlib import Path
        from leafsight.dataset import PhotoIndex
        before = os.listdir("/proc/self/task")
        PhotoIndex.load(Path({str(tmp_path / "index.parquet")!r}))
        print(len(os.listdir("/proc/self/task")) - len(before), "more")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    assert done.stdout == "0 more\n"


def test_classes_and_labels_ignore_faulty_rows(made_up: Index) -> None:
    index = made_up({"b": 2, "a": 2, "only faulty": 1})
    faults = [None, None, None, None, "empty-file: no bytes"]
    index = index.with_column("fault", faults)
    assert index.classes == ("a", "b")
    assert index.labels.tolist() == [0, 0, 1, 1, -1]
    assert index.row_ids().tolist() == [0, 1, 2, 3]
    assert index.faults() == [("made-up/only faulty/0000.jpg", "empty-file: no bytes")]
    assert index.class_counts() == {"a": 2, "b": 2}


def test_a_part_keeps_the_labels_of_the_whole(made_up: Index) -> None:
    index = made_up({"a": 2, "b": 2}, split=lambda n: "train")
    index = index.with_column("split", ["train", "train", "test", "test"])
    part = index.where(split="test")
    assert part.classes == ("b",)
    assert part.labels_for(index.classes).tolist() == [1, 1]
    assert index.split_counts() == {"test": 2, "train": 2}


def test_a_split_that_is_not_there_names_those_that_are(made_up: Index) -> None:
    index = made_up({"a": 2}, split="train")
    with pytest.raises(DatasetError, match="'valid'") as caught:
        index.where(split="valid")
    assert "train" in caught.value.hint


def test_fingerprint_is_of_photographs_and_labels(made_up: Index) -> None:
    index = made_up({"a": 2, "b": 2})
    moved = index.with_column("root", ["/elsewhere"] * 4)
    divided = index.with_column("split", ["train"] * 4)
    relabelled = index.with_class_names(str.upper)
    assert moved.fingerprint() == index.fingerprint() == divided.fingerprint()
    assert divided.split_fingerprint() != index.split_fingerprint()
    assert relabelled.fingerprint() != index.fingerprint()
    assert relabelled.classes == ("A", "B")


def test_files_point_to_the_stored_place(made_up: Index) -> None:
    index = made_up({"a": 2}).with_column("stored_as", [None, "0000/0000001.jpg"])
    assert index.files() == [Path("/nowhere/a/0000.jpg"), Path("/nowhere/0000/0000001.jpg")]


def test_joined_is_sorted_and_rows_pick(made_up: Index) -> None:
    whole = joined([made_up({"a": 2}, source="z"), made_up({"b": 1}, source="y")])
    assert whole.column("source") == ["y", "z", "z"]
    assert whole.sources == ("y", "z")
    assert whole.rows(np.array([2, 0])).column("path") == ["a/0001.jpg", "b/0000.jpg"]


@pytest.mark.parametrize("content", [b"", b"PAR1 but no index", b"\x00" * 100])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="not a readable index"):
        PhotoIndex.load(path)


def test_a_truncated_file_is_refused(made_up: Index, tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    made_up({"a": 50}).save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="not a readable index"):
        PhotoIndex.load(path)


def test_a_newer_format_and_a_stranger_are_refused(made_up: Index, tmp_path: Path) -> None:
    table = made_up({"a": 1}).table
    newer, stranger = tmp_path / "newer.parquet", tmp_path / "stranger.parquet"
    pq.write_table(table.replace_schema_metadata({b"leafsight.index.format": b"99"}), newer)
    pq.write_table(pa.table({"x": [1]}), stranger)
    for path in (newer, stranger):
        with pytest.raises(DatasetError, match="index format"):
            PhotoIndex.load(path)
    with pytest.raises(StorageError):
        PhotoIndex.load(tmp_path / "absent.parquet")


def test_a_table_without_our_columns_is_refused() -> None:
    with pytest.raises(DatasetError, match="content_hash"):
        PhotoIndex(pa.table({"path": ["a"]}))


def test_columns_are_replaced_whole_or_not(made_up: Index) -> None:
    index = made_up({"a": 2})
    with pytest.raises(DatasetError, match="2 rows"):
        index.with_column("split", ["train"])
    with pytest.raises(DatasetError, match="colour"):
        index.with_column("colour", ["red", "red"])
    assert set(index.table.column_names) == set(COLUMNS)


def test_numbers_are_nan_where_nothing_is_known(made_up: Callable[..., PhotoIndex]) -> None:
    index = made_up({"rust": 3}, sharpness=lambda number: None if number == 1 else float(number))
    assert index.numbers("sharpness")[[0, 2]].tolist() == [0.0, 2.0]
    assert np.isnan(index.numbers("sharpness")[1])
    assert index.numbers("width_px").tolist() == [40.0] * 3
