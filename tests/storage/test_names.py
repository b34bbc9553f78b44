from __future__ import annotations

import os

import pytest

from leafsight.storage import free_name, is_litter, readable


def test_names_that_are_taken_get_a_number_that_is_free() -> None:
    taken: dict[str, int] = {}
    wanted = ["a", "a~2", "a", "a", "b", "a~2"]
    assert [free_name(name, taken) for name in wanted] == ["a", "a~2", "a~3", "a~4", "b", "a~2~2"]


@pytest.mark.parametrize(
    ("name", "litter"),
    [("a/1.jpg", False), ("a/.x/1.jpg", True), ("__MACOSX/a", True), ("a/Thumbs.db", True), ("a.b/c", False)],
)
def test_what_desktops_leave_behind(name: str, litter: bool) -> None:
    assert is_litter(name) is litter


def test_bytes_that_are_no_text_can_be_read() -> None:
    assert readable("ä/1.jpg") == "ä/1.jpg"
    assert readable(os.fsdecode(b"a\xff.jpg")) == "a\\xff.jpg"
