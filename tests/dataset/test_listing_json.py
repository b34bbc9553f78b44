from __future__ import annotations

import os
from pathlib import Path

import pytest

from leafsight.dataset.listing_json import ListingLimits, place_inside, read_json_lines, read_listing_json
from leafsight.errors import DatasetError, StorageError


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"a": ', "not valid JSON"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "Infinity is no number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        ('{"a": "rouill\xe9"}'.encode("latin-1"), "not valid JSON"),
    ],
)
def test_what_is_no_json_is_one_error(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        read_listing_json(path, ListingLimits())


def test_size_is_looked_at_first_and_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("[" + " " * 100)
    with pytest.raises(DatasetError, match="has 101 bytes; at most 100"):
        read_listing_json(path, ListingLimits(max_json_bytes=100))
    with pytest.raises(StorageError, match=r"absent\.json"):
        read_listing_json(tmp_path / "absent.json", ListingLimits())


def test_lines_are_numbered_and_limited(tmp_path: Path) -> None:
    path = tmp_path / "metadata.jsonl"
    path.write_text('\ufeff{"a": 1}\n\n{"a": 2}\n')
    assert list(read_json_lines(path, ListingLimits())) == [(1, {"a": 1}), (3, {"a": 2})]
    with pytest.raises(DatasetError, match="more than 2 lines"):
        list(read_json_lines(path, ListingLimits(max_entries=2)))
    with pytest.raises(DatasetError, match="line 1 is longer than 5 bytes"):
        list(read_json_lines(path, ListingLimits(max_line_bytes=5)))
    path.write_text('{"a": 1}\n[1]\n')
    with pytest.raises(DatasetError, match="line 2 is no JSON object"):
        list(read_json_lines(path, ListingLimits()))


@pytest.mark.parametrize(
    "name",
    [
        "../x.jpg",
        "a/../../x.jpg",
        "/etc/passwd",
        "C:\\x.jpg",
        "..\\x.jpg",
        "a\0b.jpg",
        "",
        " ",
        7,
        None,
        ["a"],
        ".",
    ],
)
def test_no_name_leads_outside(name: object, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"x")
    (tmp_path / "in").mkdir()
    assert place_inside(str(tmp_path / "in"), name)[1]


def test_a_backslash_is_a_folder_unless_it_is_a_letter(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"x")
    assert place_inside(str(tmp_path), "./a\\1.jpg") == ("a/1.jpg", "")
    assert place_inside(str(tmp_path), "a//1.jpg") == ("a/1.jpg", "")
    if os.name != "nt":
        (tmp_path / "b\\2.jpg").write_bytes(b"x")
        assert place_inside(str(tmp_path), "b\\2.jpg") == ("b\\2.jpg", "")


@pytest.mark.parametrize("name", ["gone.jpg", "x" * 5000, "\ud800.jpg", "a"])
def test_what_is_no_file_is_said_and_never_raised(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert "no such file" in place_inside(str(tmp_path), name)[1]
