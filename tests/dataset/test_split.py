from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from leafsight.dataset import (
    PhotoIndex,
    SplitOptions,
    adopt_splits,
    fold_photos,
    joined,
    split_photos,
    split_summary,
)
from leafsight.errors import DatasetError, UsageError

Index = Callable[..., PhotoIndex]


def per_class(index: PhotoIndex) -> dict[tuple[str, str], int]:
    return dict(Counter(zip(index.column("class_name"), index.column("split"), strict=True)))


def test_the_same_seed_gives_this_split_on_every_machine(made_up: Index) -> None:
    index = split_photos(
        made_up({"a": 40, "b": 25, "c": 7}, given_group=lambda n: f"g{n // 3}"), SplitOptions(seed=7)
    )
    digest = hashlib.sha256(",".join(index.column("split")).encode()).hexdigest()
    # Written down once: if it changes, so does the held-out test of every user.
    assert digest[:16] == "688a915803711c47"


def test_seed_and_only_the_seed_changes_it(made_up: Index) -> None:
    index = made_up({"a": 60, "b": 60})
    one = split_photos(index, SplitOptions(seed=1)).column("split")
    assert one == split_photos(split_photos(index, SplitOptions(seed=2)), SplitOptions(seed=1)).column(
        "split"
    )
    assert one != split_photos(index, SplitOptions(seed=2)).column("split")
    renamed = index.with_column("path", [f"other/{path}" for path in index.column("path")])
    assert one == split_photos(renamed, SplitOptions(seed=1)).column("split")


@pytest.mark.parametrize(
    ("ratios", "expected"), [("80/10/10", (80, 10, 10)), ("5:1", (83, 17)), ("1:1", (50, 50))]
)
def test_every_class_gets_its_shares(made_up: Index, ratios: str, expected: tuple[int, ...]) -> None:
    index = split_photos(made_up({"a": 100, "b": 200}), SplitOptions(ratios=ratios))  # type: ignore[arg-type]
    counts = per_class(index)
    names = list(SplitOptions(ratios=ratios).ratios)  # type: ignore[arg-type]
    assert [counts["a", name] for name in names] == pytest.approx(expected, abs=1)
    assert [counts["b", name] for name in names] == pytest.approx([2 * share for share in expected], abs=1)


def test_every_source_gets_its_shares(made_up: Index) -> None:
    index = joined([made_up({"a": 50, "b": 50}, source="lab"), made_up({"a": 20, "b": 20}, source="field")])
    index = split_photos(index)
    counts = Counter(zip(index.column("source"), index.column("split"), strict=True))
    assert counts["field", "test"] == pytest.approx(4, abs=1)
    assert counts["lab", "test"] == pytest.approx(10, abs=1)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=4),
    group=st.integers(1, 9),
    seed=st.integers(0, 1000),
    ratios=st.sampled_from(["80/10/10", "5:1", "train=0.6,valid=0.1,calibration=0.1,test=0.2"]),
)
def test_promises_of_a_split(made_up: Index, sizes: list[int], group: int, seed: int, ratios: str) -> None:
    counts = {f"class{n}": size for n, size in enumerate(sizes)}
    index = made_up(counts, given_group=lambda n: f"g{n // group}")
    # Groups of equal number but of different classes are joined too: the worst case for stratification.
    options = SplitOptions(seed=seed, ratios=ratios)  # type: ignore[arg-type]
    done = split_photos(index, options)
    homes: dict[str, set[str]] = {}
    for key, split in zip(done.column("group"), done.column("split"), strict=True):
        homes.setdefault(key, set()).add(split)
    assert all(len(splits) == 1 for splits in homes.values())
    assert set(done.column("split")) <= set(options.ratios)
    trained = {name for (name, split) in per_class(done) if split == "train"}
    assert trained == set(counts)
    assert not split_summary(done).leaks


def test_small_classes_are_trained_on_first_and_judged_second(made_up: Index) -> None:
    index = split_photos(made_up({"big": 50, "one": 1, "two": 2, "three": 3}))
    counts = per_class(index)
    assert counts["one", "train"] == 1
    assert (counts["two", "train"], counts["two", "test"]) == (1, 1)
    assert all(counts["three", name] == 1 for name in ("train", "valid", "test"))
    summary = split_summary(index)
    assert ("one", "test") in summary.missing
    assert ("two", "train") in summary.few


def test_a_class_in_one_group_stays_in_training(made_up: Index) -> None:
    index = made_up({"a": 30, "b": 30}, given_group=lambda n: f"{n}")
    groups = [("b" if name == "b" else None) for name in index.column("class_name")]
    index = split_photos(index.with_column("given_group", groups))
    assert per_class(index)["b", "train"] == 30


def test_faulty_photographs_are_in_no_split(made_up: Index) -> None:
    index = split_photos(made_up({"a": 10, "b": 10}, fault=lambda n: "x: y" if n == 3 else None))
    splits = dict(zip(index.column("path"), index.column("split"), strict=True))
    assert splits["a/0003.jpg"] is None
    assert sum(split is None for split in splits.values()) == 2


def test_a_kept_test_stays_and_draws_its_relatives(made_up: Index) -> None:
    index = split_photos(made_up({"a": 50, "b": 50}))
    test = [n for n, split in enumerate(index.column("split")) if split == "test"]
    grown = joined([index, made_up({"a": 30, "b": 30}, source="new")])
    # One new photograph is a copy of one that is locked away.
    hashes = grown.column("content_hash")
    hashes[-1] = hashes[test[0]]
    grown = grown.with_column("content_hash", hashes)
    again = split_photos(grown, SplitOptions(keep=("test",), seed=5))
    assert [again.column("split")[n] for n in test] == ["test"] * len(test)
    assert again.column("split")[-1] == "test"
    counts = Counter(again.column("split"))
    assert counts["test"] == len(test) + 1
    assert counts["valid"] / counts["train"] == pytest.approx(1 / 8, rel=0.15)
    assert not split_summary(again).leaks


def test_splits_are_adopted_by_content(made_up: Index) -> None:
    earlier = split_photos(made_up({"a": 30, "b": 30}))
    moved = made_up({"a": 30, "b": 30}).with_column("path", [f"new/{n:03d}.jpg" for n in range(60)])
    grown = joined([moved, made_up({"a": 9, "b": 9}, source="new", split="extra")])
    adopted = adopt_splits(grown, earlier, ("test",))
    wanted = [split if split == "test" else None for split in earlier.column("split")]
    assert adopted.column("split") == [*wanted, *["extra"] * 18]
    assert adopt_splits(grown, earlier).column("split")[:60] == earlier.column("split")
    kept = split_photos(adopted, SplitOptions(keep=("test",)))
    assert [n for n, split in enumerate(kept.column("split")) if split == "test"] == [
        n for n, split in enumerate(wanted) if split == "test"
    ]


def test_two_kept_splits_that_share_a_group_are_reported(made_up: Index) -> None:
    index = made_up({"a": 20, "b": 20}, given_group=lambda n: f"{n // 2}")
    before = [(["test", "valid", None, None, None] * 8)[n] for n in range(40)]
    again = split_photos(index.with_column("split", before), SplitOptions(keep=("test", "valid")))
    assert all(old in (None, new) for old, new in zip(before, again.column("split"), strict=True))
    leaks = split_summary(again).leaks
    assert {leak.kind for leak in leaks} == {"group"}
    assert all("train" not in leak.splits for leak in leaks)


def test_kept_splits_that_leave_nothing_to_train_on_are_refused(made_up: Index) -> None:
    index = made_up({"a": 5, "b": 5}).with_column("split", ["test"] * 5 + [None] * 5)
    with pytest.raises(DatasetError, match="all photographs of a are in or belong to kept splits"):
        split_photos(index, SplitOptions(keep=("test",)))


def test_what_cannot_be_split_says_why(made_up: Index) -> None:
    with pytest.raises(DatasetError, match="only the class 'a'") as caught:
        split_photos(made_up({"a": 10}))
    assert "second class" in caught.value.hint
    with pytest.raises(DatasetError, match="no usable photograph"):
        split_photos(made_up({"a": 2, "b": 2}, fault="x: y"))
    with pytest.raises(DatasetError, match="'test' that should be kept"):
        split_photos(made_up({"a": 2, "b": 2}), SplitOptions(keep=("test",)))
    with pytest.raises(UsageError, match="every split is kept"):
        split_photos(made_up({"a": 2, "b": 2}), SplitOptions(keep=("train", "valid", "test")))
    with pytest.raises(ValidationError, match="add up"):
        SplitOptions(ratios="0.5,0.1")  # type: ignore[arg-type]


def test_folds_hold_out_every_photograph_once(made_up: Index) -> None:
    index = made_up({"a": 31, "b": 20}, given_group=lambda n: f"g{n // 2}")
    folds = fold_photos(index, 4, SplitOptions(seed=3))
    held = Counter(n for fold in folds for n, split in enumerate(fold.column("split")) if split == "test")
    assert len(folds) == 4
    assert set(held.values()) == {1}
    assert len(held) == len(index)
    sizes = [fold.split_counts()["test"] for fold in folds]
    assert max(sizes) - min(sizes) <= 4
    for fold in folds:
        assert not split_summary(fold).leaks
        assert {"a", "b"} == {name for (name, split) in per_class(fold) if split == "train"}
    assert [f.column("split") for f in folds] == [
        f.column("split") for f in fold_photos(index, 4, SplitOptions(seed=3))
    ]


def test_folds_refuse_what_they_cannot_train(made_up: Index) -> None:
    with pytest.raises(UsageError, match="1 folds"):
        fold_photos(made_up({"a": 9, "b": 9}), 1)
    with pytest.raises(DatasetError, match="photographs of b belong together"):
        fold_photos(made_up({"a": 9, "b": 1}), 3)
