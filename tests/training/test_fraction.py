"""A share of the training photographs: nested, whole groups, every class; and a long tail."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leafsight.training.fraction import class_shares, share_of_rows


def collection(seed: int, n_classes: int = 4, most: int = 60):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), rng.integers(5, most, n_classes))
    groups = [f"{label}-{rng.integers(0, 12)}" if rng.uniform() < 0.6 else "" for label in labels]
    return np.arange(len(labels)) * 3, labels, groups


def taken(rows, labels, groups, share: float) -> set[int]:
    return set(share_of_rows(rows, labels, groups, np.full(labels.max() + 1, share)).tolist())


@given(st.integers(0, 500), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_larger_share_holds_every_row_of_a_smaller_one(seed: int, one: float, other: float) -> None:
    data = collection(seed)
    small, large = sorted((one, other))
    assert taken(*data, small) <= taken(*data, large)


@given(st.integers(0, 500), st.floats(0.01, 1.0))
def test_groups_stay_whole_and_every_class_stays(seed: int, share: float) -> None:
    rows, labels, groups = collection(seed)
    kept = taken(rows, labels, groups, share)
    for name in {group for group in groups if group}:
        members = {int(row) for row, group in zip(rows, groups, strict=True) if group == name}
        assert members <= kept or not members & kept
    assert {int(label) for row, label in zip(rows, labels, strict=True) if int(row) in kept} == set(
        labels.tolist()
    )


@given(st.integers(0, 500), st.floats(0.05, 1.0))
def test_the_share_is_met_to_within_a_group(seed: int, share: float) -> None:
    rows, labels, groups = collection(seed)
    kept = taken(rows, labels, groups, share)
    for label in set(labels.tolist()):
        own = [
            (int(row), group) for row, one, group in zip(rows, labels, groups, strict=True) if one == label
        ]
        largest = max(sum(group == other for _, other in own) if group else 1 for _, group in own)
        assert abs(sum(row in kept for row, _ in own) - share * len(own)) <= max(1, largest)


def test_all_of_it_is_the_rows_themselves() -> None:
    rows, labels, groups = collection(1)
    assert share_of_rows(rows, labels, groups, np.ones(4)) is rows


def test_a_long_tail_has_the_ratio_and_keeps_the_order() -> None:
    labels = np.repeat(np.arange(5), [100, 90, 110, 100, 95])
    shares = class_shares(labels, 5, 1.0, 20.0)
    sizes = shares * np.bincount(labels)
    assert sizes.max() / sizes.min() == 20
    assert np.argsort(-sizes, kind="stable").tolist() == [2, 0, 3, 4, 1]


def test_a_long_tail_never_asks_for_more_than_there_is() -> None:
    labels = np.repeat(np.arange(3), [1000, 30, 5])
    shares = class_shares(labels, 3, 0.5, 2.0)
    assert (shares <= 0.5).all()
    assert shares[0] == 0.5
    assert class_shares(labels, 4, 1.0, 1.0).tolist() == [1, 1, 1, 1]


def test_the_last_group_is_taken_only_where_that_lies_nearer() -> None:
    rows, labels, groups = np.arange(9), np.zeros(9, np.int64), list("aaabbbccc")
    assert len(share_of_rows(rows, labels, groups, np.array([0.4]))) == 3
    assert len(share_of_rows(rows, labels, groups, np.array([0.6]))) == 6
