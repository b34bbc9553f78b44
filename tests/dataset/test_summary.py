from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from leafsight.dataset import PhotoIndex, split_photos, split_summary

Index = Callable[..., PhotoIndex]


def test_counts_groups_and_coverage_per_class(made_up: Index) -> None:
    index = made_up({"a": 10, "b": 4})
    groups = ["g1"] * 4 + ["g2"] * 2 + [None] * 4 + [None] * 4
    splits = ["train"] * 8 + ["test"] * 2 + ["train"] * 3 + ["test"]
    summary = split_summary(index.with_column("group", groups).with_column("split", splits))
    a, b = summary.classes
    assert (a.class_name, a.photographs, a.splits, a.largest_group) == ("a", 10, {"test": 2, "train": 8}, 4)
    assert a.groups == {"test": 2, "train": 4}
    assert (a.covered, b.covered) == pytest.approx((0.6, 0.0))
    assert summary.covered == pytest.approx(6 / 14)
    assert summary.splits == {"test": 3, "train": 11}
    assert summary.few == (("a", "test"), ("b", "test"), ("b", "train"))
    assert not summary.leaks


def test_leaks_of_a_split_that_others_made(made_up: Index) -> None:
    index = made_up({"a": 6}, split=lambda n: "train" if n % 2 else "test")
    hashes, pixels = index.column("content_hash"), index.column("pixel_hash")
    hashes[1], pixels[1] = hashes[0], pixels[0]
    pixels[3] = pixels[2]
    index = index.with_column("content_hash", hashes).with_column("pixel_hash", pixels)
    index = index.with_column("group", [None, None, None, None, "leaf", "leaf"])
    leaks = split_summary(index).leaks
    assert [(leak.kind, leak.splits, leak.photographs[0]) for leak in leaks] == [
        ("file", ("test", "train"), "made-up/a/0000.jpg"),
        ("pixels", ("test", "train"), "made-up/a/0002.jpg"),
        ("group", ("test", "train"), "made-up/a/0004.jpg"),
    ]


def test_missing_parts_and_unsplit_photographs_are_said(made_up: Index) -> None:
    index = made_up({"a": 8, "b": 8})
    splits = ["train"] * 7 + ["test"] + ["train"] * 7 + [None]
    summary = split_summary(index.with_column("split", splits))
    assert summary.missing == (("b", "test"),)
    assert summary.unsplit == 1
    lines = "\n".join(summary.lines())
    assert "b has no photograph in test" in lines
    assert "1 usable photographs are in no split" in lines


def test_lines_hold_a_row_a_class_and_what_grouping_did(made_up: Index) -> None:
    index = split_photos(made_up({"a": 20, "longer name": 20}, given_group=lambda n: f"{n // 2}"))
    summary = split_summary(index)
    lines = summary.lines()
    assert lines[0].split()[:4] == ["class", "test", "train", "valid"]
    assert lines[0].split()[-3:] == ["given", "found", "none"]
    assert lines[1].split()[-3:] == ["20", "0", "0"]
    assert lines[3].startswith("all")
    assert any(line.startswith("grouping by column: 40 photographs in 10 groups") for line in lines)
    assert json.loads(json.dumps(summary.to_dict()))["splits"] == summary.splits


def test_two_hundred_classes_stay_readable(made_up: Index) -> None:
    counts = {f"class {n:03d}": 4 + n for n in range(200)}
    index = split_photos(made_up(counts))
    lines = split_summary(index).lines()
    assert len(lines) < 60
    assert lines[1].startswith("class 000")
    assert any(line == "... and 170 more classes; --json has them all" for line in lines)
    assert len(split_summary(index).to_dict()["classes"]) == 200


def test_long_names_and_many_leaks_do_not_fill_the_screen(made_up: Index) -> None:
    index = made_up(
        {"x" * 90: 80}, group=lambda n: f"g{n // 2}", split=lambda n: "train" if n % 2 else "test"
    )
    lines = split_summary(index).lines()
    assert max(map(len, lines[:3])) < 110
    assert any("and 30 more leaks" in line for line in lines)


def test_an_index_without_splits_has_an_empty_summary(made_up: Index) -> None:
    summary = split_summary(made_up({"a": 2}))
    assert (summary.splits, summary.missing, summary.unsplit) == ({}, (), 2)
    assert summary.lines()


def test_many_small_classes_are_one_line() -> None:
    from leafsight.dataset.summary import listed

    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d and 3 more"
