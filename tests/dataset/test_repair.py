from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leafsight.dataset import PhotoIndex, RepairOptions, plan_repair, split_summary
from leafsight.errors import DatasetError

Index = Callable[..., PhotoIndex]
SPLITS = ("train", "valid", "test")


def laid_out(made_up: Index, photographs: list[tuple[str, str, str]]) -> PhotoIndex:
    """(class, split, group) a photograph."""
    counts: dict[str, int] = {}
    for name, _, _ in sorted(photographs):
        counts[name] = counts.get(name, 0) + 1
    ordered = sorted(photographs, key=lambda one: one[0])
    index = made_up(counts).with_column("split", [split for _, split, _ in ordered])
    return index.with_column("given_group", [group or None for _, _, group in ordered])


def changes(index: PhotoIndex, **options: object) -> list[tuple[str, str, str | None]]:
    plan = plan_repair(index, RepairOptions(**options))  # type: ignore[arg-type]
    return [(step.photograph.split("/", 1)[1], step.split, step.to) for step in plan.steps]


def test_a_group_comes_together_where_most_of_it_is(made_up: Index) -> None:
    index = laid_out(
        made_up, [("a", "train", "g")] * 3 + [("a", "test", "g")] + [("a", "test", ""), ("b", "train", "")]
    )
    assert changes(index) == [("a/0003.jpg", "test", "train")]
    assert changes(index, by="drop") == [("a/0003.jpg", "test", None)]
    plan = plan_repair(index)
    assert plan.steps[0].why == "same group as made-up/a/0000.jpg"
    assert plan.counts() == {"a": {"test -> train": 1}}
    assert plan.before == {"test": 2, "train": 4}
    assert plan.repaired.split_counts() == {"test": 1, "train": 5}
    assert not split_summary(plan.repaired).leaks
    assert plan.repaired.split_record["repair"]["moved"] == 1


def test_a_copy_is_left_out_where_its_picture_is_already(made_up: Index) -> None:
    index = laid_out(made_up, [("a", "train", "g")] * 3 + [("a", "test", "g")] * 2)
    pixels = index.column("pixel_hash")
    index = index.with_column("pixel_hash", [*pixels[:3], pixels[0], pixels[4]])
    assert changes(index) == [("a/0003.jpg", "test", None), ("a/0004.jpg", "test", "train")]
    assert plan_repair(index).steps[0].why == "same picture as made-up/a/0000.jpg"


def test_of_equal_sides_the_smaller_split_keeps_the_group(made_up: Index) -> None:
    index = laid_out(made_up, [("a", "train", "g"), ("a", "test", "g")] + [("a", "train", "")] * 5)
    assert changes(index) == [("a/0000.jpg", "train", "test")]


def test_a_kept_split_stays_as_it_is(made_up: Index) -> None:
    index = laid_out(
        made_up,
        [("a", "train", "g")] * 3 + [("a", "test", "g"), ("a", "test", ""), ("a", "train", "")],
    )
    assert changes(index, keep=("test",)) == [(f"a/000{n}.jpg", "train", None) for n in range(3)]
    with pytest.raises(DatasetError, match="'dev' that should be kept"):
        plan_repair(index, RepairOptions(keep=("dev",)))
    with pytest.raises(DatasetError, match="1 groups are in two kept splits, such as that of made-up/a/0000"):
        plan_repair(index, RepairOptions(keep=("test", "train")))


def test_a_class_stays_where_it_was_when_another_group_can_turn(made_up: Index) -> None:
    index = laid_out(
        made_up,
        [("a", "train", "g")] * 3 + [("a", "valid", "g")] + [("a", "train", "h")] * 2 + [("a", "valid", "h")],
    )
    assert changes(index) == [
        ("a/0003.jpg", "valid", "train"),
        ("a/0004.jpg", "train", "valid"),
        ("a/0005.jpg", "train", "valid"),
    ]
    assert not plan_repair(index).lost


def test_a_class_that_cannot_stay_is_said(made_up: Index) -> None:
    index = laid_out(
        made_up, [("a", "train", "g"), ("a", "train", "g"), ("a", "valid", "g"), ("b", "valid", "")]
    )
    plan = plan_repair(index)
    assert plan.lost == (("a", "valid"),)
    assert "a would have no photograph left in valid" in plan.lines()


def test_a_picture_under_two_labels_is_named_and_left_out_only_on_request(made_up: Index) -> None:
    index = laid_out(made_up, [("a", "train", "")] * 3 + [("b", "valid", "")] * 3)
    pixels = index.column("pixel_hash")
    index = index.with_column("pixel_hash", [*pixels[:3], pixels[0], *pixels[4:]])
    plan = plan_repair(index)
    (conflict,) = plan.conflicts
    assert (conflict.classes, conflict.splits) == (("a", "b"), ("train", "valid"))
    assert conflict.photographs == ("made-up/a/0000.jpg", "made-up/b/0000.jpg")
    assert [(step.to, step.why) for step in plan.steps] == [("train", "same picture as made-up/a/0000.jpg")]
    assert changes(index, drop_conflicting=True) == [
        ("a/0000.jpg", "train", None),
        ("b/0000.jpg", "valid", None),
    ]
    why = plan_repair(index, RepairOptions(drop_conflicting=True)).steps[0].why
    assert why == "the same picture is also called b"


def test_photographs_without_a_split_stay_without(made_up: Index) -> None:
    index = laid_out(made_up, [("a", "train", "g"), ("a", "test", "g"), ("a", "train", "g")])
    index = index.with_column("split", ["train", None, "train"])
    plan = plan_repair(index)
    assert plan.is_clean
    assert plan.repaired.column("split") == ["train", None, "train"]
    assert plan.lines()[0].startswith("clean")
    with pytest.raises(DatasetError, match="no photograph has a split"):
        plan_repair(made_up({"a": 2}))


def test_the_plan_as_text_json_and_table(made_up: Index) -> None:
    index = laid_out(
        made_up, [("a", "train", f"g{n}") for n in range(30)] + [("a", "test", f"g{n}") for n in range(30)]
    )
    plan = plan_repair(index)
    told = json.loads(json.dumps(plan.to_dict()))
    assert (told["torn_groups"], told["moved"] + told["left_out"], len(told["steps"])) == (30, 30, 30)
    rows = list(csv.DictReader(io.StringIO(plan.to_csv())))
    assert [row["photograph"] for row in rows] == [step.photograph for step in plan.steps]
    lines = plan.lines()
    assert lines[0] == "30 groups are in two splits or more"
    assert any("and 20 more photographs; --plan FILE" in line for line in lines)
    assert len(lines) < 30


@settings(max_examples=20, deadline=None)
@given(
    photographs=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(SPLITS), st.integers(0, 3)), min_size=1, max_size=12
    ),
    by=st.sampled_from(["move", "drop"]),
)
def test_the_plan_is_the_smallest(made_up: Index, photographs: list[tuple[str, str, int]], by: str) -> None:
    """Against every way to bring every group to one side, of which one that loses fewest classes is taken."""
    named = [(name, split, f"{name}{group}") for name, split, group in photographs]
    index = laid_out(made_up, named)
    plan = plan_repair(index, RepairOptions(by=by))  # type: ignore[arg-type]
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, split, group in named:
        groups.setdefault(group, []).append((name, split))
    had = {(name, split) for name, split, _ in named}

    def price(sides: tuple[str, ...]) -> tuple[int, int]:
        held = {(members[0][0], side) for members, side in zip(groups.values(), sides, strict=True)}
        moved = sum(
            split != side
            for members, side in zip(groups.values(), sides, strict=True)
            for _, split in members
        )
        return len(had - held), moved

    choices = [sorted({split for _, split in members}) for members in groups.values()]
    assert (len(plan.lost), len(plan.steps)) == min(price(sides) for sides in product(*choices))
    assert not split_summary(plan.repaired).leaks
    assert plan_repair(plan.repaired).is_clean
