from __future__ import annotations

import os
from pathlib import Path

from leafsight.images import PHOTO_SUFFIXES, ImageFormat, photographs_below


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_photographs_come_folder_by_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    wanted = [touch(tmp_path / name) for name in ("B.JPG", "c.tiff", "a/2.png", "a/10.webp", "b/deep/1.mpo")]
    touch(tmp_path / "notes.txt")
    touch(tmp_path / ".hidden.jpg")
    touch(tmp_path / "a" / "jpg")
    assert list(photographs_below(tmp_path)) == [wanted[0], wanted[1], wanted[3], wanted[2], wanted[4]]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    one = touch(tmp_path / "in" / "1.jpg")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    assert list(photographs_below(tmp_path)) == [one]


def test_what_is_no_folder_holds_nothing(tmp_path: Path) -> None:
    assert list(photographs_below(tmp_path / "gone")) == []
    assert list(photographs_below(touch(tmp_path / "1.jpg"))) == []


def test_names_that_are_no_text_are_found(tmp_path: Path) -> None:
    odd = touch(tmp_path / os.fsdecode(b"leaf-\xff.jpeg"))
    assert list(photographs_below(tmp_path)) == [odd]


def test_every_format_that_is_read_is_looked_for() -> None:
    assert all(any(suffix[1:].upper()[:3] == one.value.upper()[:3] for suffix in PHOTO_SUFFIXES)
               for one in ImageFormat if one is not ImageFormat.JPEG)  # fmt: skip
    assert {".jpg", ".jpeg"} < PHOTO_SUFFIXES
