from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leafsight.dataset import PhotoIndex, SplitOptions, split_photos

Index = Callable[..., PhotoIndex]
RATIOS = ["80/10/10", "5:1", "train=0.6,valid=0.1,calibration=0.1,test=0.2", "1:1:1"]


def off_by(index: PhotoIndex, options: SplitOptions) -> tuple[float, float]:
    """How far the worst class and the worst split are off, in largest groups."""
    groups = [
        group or own for group, own in zip(index.column("group"), index.column("content_hash"), strict=True)
    ]
    classes, splits = index.column("class_name"), index.column("split")
    totals, have = Counter(classes), Counter(zip(classes, splits, strict=True))
    whole = Counter(splits)
    largest: dict[str, int] = defaultdict(int)
    for (name, _), count in Counter(zip(classes, groups, strict=True)).items():
        largest[name] = max(largest[name], count)
    by_class = max(
        abs(have[name, split] - share * totals[name]) / largest[name]
        for name in totals
        for split, share in options.ratios.items()
    )
    most = max(Counter(groups).values())
    return by_class, max(
        abs(whole[split] - share * len(index)) / most for split, share in options.ratios.items()
    )


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(40, 90), min_size=2, max_size=8),
    largest=st.integers(1, 5),
    seed=st.integers(0, 1000),
    ratios=st.sampled_from(RATIOS),
)
def test_exact_is_within_one_group_by_class_and_overall(
    made_up: Index, sizes: list[int], largest: int, seed: int, ratios: str
) -> None:
    index = made_up({f"class{n}": size for n, size in enumerate(sizes)})
    # Groups of every size up to the largest, each of one class.
    groups = [f"{name}-{n % (largest + 7)}-{n // 20}" for n, name in enumerate(index.column("class_name"))]
    options = SplitOptions(seed=seed, ratios=ratios, exact=True)  # type: ignore[arg-type]
    done = split_photos(index.with_column("given_group", groups), options)
    by_class, overall = off_by(done, options)
    assert by_class <= 1 + 1e-9
    assert overall <= 1 + 1e-9
    assert done.split_record["within_one_group"]


def test_a_class_is_within_one_group_without_being_asked(made_up: Index) -> None:
    index = made_up({f"c{n}": 31 + n for n in range(30)}, given_group=lambda n: f"{n // 2}")
    named = [
        f"{name}{group}"
        for name, group in zip(index.column("class_name"), index.column("given_group"), strict=True)
    ]
    options = SplitOptions(seed=1)
    assert off_by(split_photos(index.with_column("given_group", named), options), options)[0] <= 1


def test_what_holds_already_is_not_touched(made_up: Index) -> None:
    index = made_up({"a": 100, "b": 200})
    plain, exact = split_photos(index), split_photos(index, SplitOptions(exact=True))
    assert plain.split_record["within_one_group"]
    assert exact.split_record["moved_to_be_exact"] == 0
    assert plain.column("split") == exact.column("split")


def test_what_misses_is_mended_only_when_asked(made_up: Index) -> None:
    index = made_up({f"c{n:02d}": 14 for n in range(40)})
    options = SplitOptions(ratios="80/10/10", seed=0)  # type: ignore[arg-type]
    plain = split_photos(index, options)
    exact = split_photos(index, options.model_copy(update={"exact": True}))
    assert not plain.split_record["within_one_group"]
    assert exact.split_record["moved_to_be_exact"] > 0
    assert off_by(plain, options)[1] > 1
    assert off_by(exact, options) <= (1, 1)
    moved = sum(a != b for a, b in zip(plain.column("split"), exact.column("split"), strict=True))
    assert moved == exact.split_record["moved_to_be_exact"]


def test_classes_stay_in_their_splits_and_kept_photographs_where_they_are(made_up: Index) -> None:
    index = made_up({f"c{n}": 4 for n in range(30)})
    done = split_photos(index, SplitOptions(exact=True))
    held = set(zip(done.column("class_name"), done.column("split"), strict=True))
    assert {(name, "train") for name in index.classes} <= held
    assert {(name, "test") for name in index.classes} <= held
    test = [n for n, split in enumerate(done.column("split")) if split == "test"]
    again = split_photos(done, SplitOptions(exact=True, keep=("test",), seed=9))
    assert [n for n, split in enumerate(again.column("split")) if split == "test"] == test


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_several_classes_come_nearer(made_up: Index, seed: int) -> None:
    index = made_up({"a": 40, "b": 25, "c": 7}, given_group=lambda n: f"g{n // 3}")
    options = SplitOptions(seed=seed + 7)
    before = off_by(split_photos(index, options), options)
    after = off_by(split_photos(index, options.model_copy(update={"exact": True})), options)
    assert max(after) <= max(before)
