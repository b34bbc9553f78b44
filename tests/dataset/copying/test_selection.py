from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leafsight.dataset import PhotoIndex
from leafsight.dataset.copying.selection import select
from leafsight.errors import DatasetError, StorageError

Index = Callable[..., PhotoIndex]


def left(index: PhotoIndex, **options: object) -> dict[str, str]:
    chosen = select(index, **{"clean": True, "listed": None, **options})  # type: ignore[arg-type]
    assert len(chosen.row_ids) + len(chosen.left_out) == len(index)
    return {one.source_path: one.kind for one in chosen.left_out}


def test_faulty_photographs_stay_only_without_clean_and_only_if_read(made_up: Index) -> None:
    index = made_up({"rust": 4}, fault=lambda number: "corrupt-image: torn" if number < 2 else None)
    hashes = index.column("content_hash")
    index = index.with_column("content_hash", [None, *hashes[1:]])
    assert left(index) == {"made-up/rust/0000.jpg": "faulty", "made-up/rust/0001.jpg": "faulty"}
    assert left(index, clean=False) == {"made-up/rust/0000.jpg": "faulty"}


def test_of_equal_pictures_the_one_in_the_test_stays(made_up: Index) -> None:
    splits = ["train", "valid", "test", "train", "train"]
    index = made_up({"rust": 5}, pixel_hash="same", split=lambda number: splits[number])
    chosen = select(index, clean=True, listed=None)
    assert chosen.row_ids == [2]
    assert {one.reason for one in chosen.left_out} == {"the same picture as made-up/rust/0002.jpg"}
    assert left(index, clean=False) == {}


def test_equal_bytes_that_could_not_be_decoded_are_duplicates_too(made_up: Index) -> None:
    index = made_up({"rust": 2}, pixel_hash=None, content_hash="same")
    assert left(index) == {"made-up/rust/0001.jpg": "duplicate"}


def test_a_picture_with_two_labels_is_left_out_whole(made_up: Index) -> None:
    index = made_up({"rust": 2, "wilt": 1, "fine": 1}, pixel_hash=lambda number: f"{number}")
    assert left(index) == {
        "made-up/fine/0000.jpg": "two-labels",
        "made-up/rust/0000.jpg": "two-labels",
        "made-up/wilt/0000.jpg": "two-labels",
    }


def test_a_list_names_photographs_in_three_ways(made_up: Index, tmp_path: Path) -> None:
    index = made_up({"rust": 4})
    listed = tmp_path / "out.txt"
    listed.write_bytes("\ufeffrust/0000.jpg\r\nmade-up/rust/0001.jpg\n\n/nowhere/rust/0002.jpg\n".encode())
    chosen = select(index, clean=False, listed=listed)
    assert chosen.row_ids == [3]
    assert [one.reason for one in chosen.left_out] == ["out.txt line 1", "out.txt line 2", "out.txt line 4"]


def test_lines_that_name_nothing_or_several_are_told_at_once(made_up: Index, tmp_path: Path) -> None:
    from leafsight.dataset import joined

    index = joined([made_up({"rust": 2}), made_up({"rust": 1}, source="other")])
    listed = tmp_path / "out.txt"
    listed.write_text("rust/0000.jpg\nrust/0001.jpg\nrust/gone.jpg\n")
    with pytest.raises(DatasetError) as caught:
        select(index, clean=False, listed=listed)
    assert "line 1: 2 photographs are called 'rust/0000.jpg'; write source/path" in caught.value.message
    assert "line 3: no photograph is called 'rust/gone.jpg'" in caught.value.message
    assert "line 2" not in caught.value.message
    with pytest.raises(StorageError):
        select(index, clean=False, listed=tmp_path / "absent.txt")
