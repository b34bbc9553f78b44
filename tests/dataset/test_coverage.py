from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leafsight.dataset import (
    Coverage,
    FoundSets,
    PhotoIndex,
    SplitOptions,
    class_coverage,
    coverage_sentence,
    fold_photos,
    split_photos,
)
from leafsight.errors import DatasetError, UsageError

Index = Callable[..., PhotoIndex]


@pytest.fixture
def half_known(made_up: Index) -> PhotoIndex:
    """Two classes: of a, four photographs have a leaf; of a, two more are the same file."""
    index = made_up({"a": 10, "b": 10})
    given = ["g1", "g1", "g2", "g2", *[None] * 16]
    hashes = index.column("content_hash")
    hashes[5] = hashes[4]
    return index.with_column("given_group", given).with_column("content_hash", hashes)


def test_where_every_group_comes_from(half_known: PhotoIndex) -> None:
    done = split_photos(half_known)
    assert class_coverage(done) == {"a": Coverage(4, 2, 4), "b": Coverage(0, 0, 10)}
    assert done.column("group_from")[:7] == [*["given"] * 4, *["found"] * 2, None]
    record = done.split_record
    assert record["coverage"] == {"given": 4, "found": 2, "none": 14}
    assert record["classes"]["a"] == {"given": 4, "found": 2, "none": 4}
    assert (record["seed"], record["largest_group"]) == (0, 2)
    assert record["photographs"] == done.split_counts()
    assert sum(record["reached"].values()) == pytest.approx(1)


def test_the_record_is_in_the_file_and_goes_when_it_no_longer_holds(
    half_known: PhotoIndex, tmp_path: Path
) -> None:
    done = split_photos(half_known, SplitOptions(seed=5))
    done.save(tmp_path / "s.parquet")
    again = PhotoIndex.load(tmp_path / "s.parquet")
    assert again.split_record == done.split_record
    assert again.where(split="test").split_record == done.split_record
    assert not again.with_column("split", [None] * len(again)).split_record
    assert not half_known.split_record


def test_a_damaged_record_is_said(
    half_known: PhotoIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.dataset import photo_index

    done = split_photos(half_known)
    monkeypatch.setattr(photo_index, "canonical_json", lambda _: "[1")
    done.save(tmp_path / "s.parquet")
    with pytest.raises(DatasetError, match="damaged record"):
        PhotoIndex.load(tmp_path / "s.parquet")


def test_splitting_again_remembers_what_was_given_and_what_found(
    half_known: PhotoIndex, tmp_path: Path
) -> None:
    split_photos(half_known).save(tmp_path / "s.parquet")
    options = SplitOptions(seed=3, keep_groups=True, group_by=())
    again = split_photos(PhotoIndex.load(tmp_path / "s.parquet"), options)
    assert class_coverage(again) == {"a": Coverage(4, 2, 4), "b": Coverage(0, 0, 10)}
    forgotten = split_photos(half_known, SplitOptions(group_by=()))
    assert class_coverage(forgotten)["a"] == Coverage(0, 2, 8)


def test_groups_of_an_index_from_before_count_as_found(made_up: Index) -> None:
    index = made_up({"a": 3}, group="g")
    assert class_coverage(index) == {"a": Coverage(0, 3, 0)}


def test_what_the_check_found_joins_and_counts_as_found(made_up: Index) -> None:
    index = made_up({"a": 10, "b": 10}, fault=lambda n: "x: y" if n == 9 else None)
    found = [FoundSets("copies", [[0, 10], [10, 2], [9, 3]]), FoundSets("same_leaf", [(4, 5)])]
    options = SplitOptions(group_by=("copies", "same_leaf"))
    done = split_photos(index, options, found=found)
    groups = done.column("group")
    assert groups[0] == groups[10] == groups[2] is not None
    assert groups[4] == groups[5] is not None
    assert groups[3] is None
    assert class_coverage(done)["a"] == Coverage(0, 4, 5)
    assert [rule["rule"] for rule in done.split_record["rules"]] == ["duplicates", "copies", "same_leaf"]
    with pytest.raises(UsageError, match="'same_leaf' needs what the duplicate finder found"):
        split_photos(index, options, found=found[:1])
    with pytest.raises(UsageError, match="no rule is called 'twins'"):
        split_photos(index, options, found=[FoundSets("twins", [])])


def test_every_fold_says_which_it_is(half_known: PhotoIndex) -> None:
    folds = fold_photos(half_known, 4, SplitOptions(seed=2))
    assert [fold.split_record["fold"]["number"] for fold in folds] == [0, 1, 2, 3]
    for fold in folds:
        assert fold.split_record["ratios"] == {"train": 0.75, "test": 0.25}
        assert fold.split_record["reached"]["test"] == pytest.approx(0.25, abs=0.11)
        assert fold.split_record["coverage"] == {"given": 4, "found": 2, "none": 14}
    assert coverage_sentence(folds[1].split_record).startswith(
        "Split (fold 2 of 4, seed 2) of 20 photographs:"
    )


def test_one_sentence_says_how_far_to_trust() -> None:
    record = {"seed": 1, "coverage": {"given": 2500, "found": 500, "none": 2000}}
    assert coverage_sentence(record) == (
        "Split (seed 1) of 5,000 photographs: 2,500 (50%) are kept together by a group column or leaf map, "
        "500 (10%) by groups that leafsight found, and of 2,000 (40%) no relatives are known, so the same "
        "leaf may be on both sides there."
    )
    assert coverage_sentence({"coverage": {"given": 1, "found": 0, "none": 0}}).endswith(
        "relatives are known of all."
    )
    repaired = {"coverage": {"given": 1, "found": 0, "none": 0}, "repair": {"moved": 3, "left_out": 1}}
    assert coverage_sentence(repaired).startswith("Split (repaired, 3 moved and 1 left out)")


@pytest.mark.parametrize("record", [{}, {"coverage": 3}, {"coverage": {"given": "x", "found": 0, "none": 0}}])
def test_a_record_from_elsewhere_says_nothing(record: dict[str, object]) -> None:
    assert coverage_sentence(record) == ""
