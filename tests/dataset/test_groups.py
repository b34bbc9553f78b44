from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from leafsight.dataset import GroupOptions, PhotoIndex, group_photos, read_leaf_map
from leafsight.errors import DatasetError

Index = Callable[..., PhotoIndex]


def sets(index: PhotoIndex) -> set[frozenset[str]]:
    """Names of the photographs in every group."""
    members: dict[str, set[str]] = {}
    for path, group in zip(index.column("path"), index.column("group"), strict=True):
        if group is not None:
            members.setdefault(group, set()).add(path)
    return {frozenset(names) for names in members.values()}


def changed(index: PhotoIndex, column: str, values: dict[int, object]) -> PhotoIndex:
    return index.with_column(column, [values.get(n, value) for n, value in enumerate(index.column(column))])


def test_duplicates_are_joined_even_when_nobody_asks(made_up: Index) -> None:
    index = made_up({"a": 3, "b": 2})
    hashes, pixels = index.column("content_hash"), index.column("pixel_hash")
    index = changed(index, "content_hash", {4: hashes[0]})
    index = changed(index, "pixel_hash", {1: pixels[2]})
    grouped, reports = group_photos(index, GroupOptions(group_by=()))
    assert sets(grouped) == {frozenset({"a/0000.jpg", "b/0001.jpg"}), frozenset({"a/0001.jpg", "a/0002.jpg"})}
    assert [(r.rule, r.groups, r.photographs, r.largest) for r in reports] == [("duplicates", 2, 4, 2)]
    assert grouped.column("group")[0] == hashes[0]


def test_the_column_of_a_csv_counts_within_its_source(made_up: Index) -> None:
    index = made_up({"a": 4}, given_group=lambda n: "leaf" if n < 2 else None)
    grouped, _ = group_photos(index)
    assert sets(grouped) == {frozenset({"a/0000.jpg", "a/0001.jpg"})}
    other = index.with_column("source", ["x", "y", "x", "x"])
    assert len(sets(group_photos(other)[0])) == 2


def test_a_pattern_finds_patients_in_file_names_across_classes(made_up: Index) -> None:
    index = made_up({"a": 4, "b": 3})
    names = ["a/7_1.jpg", "a/7_2.jpg", "a/8_1.jpg", "a/x_1.jpg", "b/8_2.jpg", "b/08_2.jpg", "b/n7_1.jpg"]
    index = index.with_column("path", names)
    grouped, reports = group_photos(index, GroupOptions(group_by=(), name_pattern=r"(\d+)_"))
    together = {frozenset({"a/7_1.jpg", "a/7_2.jpg"}), frozenset({"a/8_1.jpg", "b/8_2.jpg"})}
    assert sets(grouped) == together | {frozenset({"b/08_2.jpg"})}
    assert [str(report) for report in reports if report.rule == "name"] == [
        "grouping by name: 4 photographs in 2 groups, the largest has 2"
    ]
    given = dict(zip(names, grouped.column("group_from"), strict=True))
    assert given == {
        name: "given" if grouped_ else None
        for name, grouped_ in zip(names, [True, True, True, False, True, True, False], strict=True)
    }
    other = index.with_column("source", ["x", "y", *["x"] * 5])
    assert frozenset({"a/7_1.jpg", "a/7_2.jpg"}) not in sets(
        group_photos(other, GroupOptions(group_by=(), name_pattern=r"(\d+)_"))[0]
    )


def test_a_pattern_that_takes_part_finds_nothing_where_its_brackets_do_not(made_up: Index) -> None:
    index = made_up({"a": 2}).with_column("path", ["a/7_1.jpg", "a/no.jpg"])
    grouped, _ = group_photos(index, GroupOptions(group_by=(), name_pattern=r"(?:(\d+)_|no)"))
    assert grouped.column("group")[1] is None


def test_a_leaf_map_knows_folders_after_classes_were_renamed(made_up: Index, tmp_path: Path) -> None:
    path = tmp_path / "leaves.csv"
    path.write_text("class,file,leaf\na,0000.jpg,1\na,0002.jpg,1\nb,0000.jpg,1\na,0001.jpg,2\nz,0003.jpg,1\n")
    index = made_up({"a": 4, "b": 1}).with_class_names(str.upper)
    grouped, reports = group_photos(index, GroupOptions(leaf_map=path))
    assert sets(grouped) == {
        frozenset({"a/0000.jpg", "a/0002.jpg"}),
        frozenset({"a/0001.jpg"}),
        frozenset({"b/0000.jpg"}),
    }
    assert grouped.column("group")[3] is None
    assert {report.rule: report.groups for report in reports}["leaf_map"] == 1


def test_near_duplicates_count_only_within_a_class(made_up: Index) -> None:
    index = made_up({"a": 3, "b": 1})
    looks = index.column("look_hash")
    index = changed(index, "look_hash", {1: looks[0] ^ 0b111, 3: looks[0]})
    assert sets(group_photos(index)[0]) == {frozenset({"a/0000.jpg", "a/0001.jpg"})}
    assert not sets(group_photos(index, GroupOptions(near_distance=2))[0])
    assert not sets(group_photos(index, GroupOptions(group_by=("column",)))[0])


def test_capture_runs_leave_mapped_photographs_alone(made_up: Index) -> None:
    index = made_up({"a": 6})
    index = index.with_column("path", [f"a/IMG_{3000 + n}.jpg" for n in range(6)])
    options = GroupOptions(group_by=("leaf_map", "capture_runs"), run_gap=1, run_limit=8)
    leaves = {("a", "IMG_3002.jpg"): "one", ("a", "IMG_3003.jpg"): "one"}
    assert sets(group_photos(index, options, leaf_map=leaves)[0]) == {
        frozenset({"a/IMG_3002.jpg", "a/IMG_3003.jpg"}),
        frozenset({"a/IMG_3000.jpg", "a/IMG_3001.jpg"}),
        frozenset({"a/IMG_3004.jpg", "a/IMG_3005.jpg"}),
    }


def test_rules_add_up(made_up: Index) -> None:
    index = made_up({"a": 4}, given_group=lambda n: "g" if n in (0, 1) else None)
    looks = index.column("look_hash")
    grouped, _ = group_photos(changed(index, "look_hash", {2: looks[1]}))
    assert sets(grouped) == {frozenset({"a/0000.jpg", "a/0001.jpg", "a/0002.jpg"})}
    assert grouped.column("given_group") == index.column("given_group")


def test_grouping_again_replaces_and_notes_once(made_up: Index) -> None:
    index = made_up({"a": 3}, given_group="g")
    grouped, _ = group_photos(index)
    again, _ = group_photos(grouped, GroupOptions(group_by=()))
    assert len(sets(grouped)) == 1
    assert not sets(again)
    assert len([note for note in again.notes if note.startswith("grouping by")]) == 1


def test_faulty_photographs_join_nothing(made_up: Index) -> None:
    index = made_up({"a": 3}, given_group="g", fault=lambda n: "empty-file: x" if n == 0 else None)
    assert sets(group_photos(index)[0]) == {frozenset({"a/0001.jpg", "a/0002.jpg"})}


def test_what_is_no_leaf_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leaves.csv"
    path.write_text("klass,file\na,b\n")
    with pytest.raises(DatasetError, match="lacks the columns class, leaf"):
        read_leaf_map(path)
    path.write_bytes(b"class,file,leaf\n\xff\xfe,b,c\n")
    with pytest.raises(DatasetError, match="utf-8"):
        read_leaf_map(path)


def test_options_refuse_what_makes_no_sense() -> None:
    for wrong in (
        {"group_by": ("astrology",)},
        {"run_limit": 1},
        {"near_distance": 40},
        {"neer_distance": 4},
    ):
        with pytest.raises(ValidationError):
            GroupOptions(**wrong)  # type: ignore[arg-type]
