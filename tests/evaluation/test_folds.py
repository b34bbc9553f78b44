from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation.folds import draw_rows, group_codes, group_folds


def collection(n_groups: int, seed: int = 0, c: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Groups of 1 to 4 photographs, each of one class."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 5, n_groups)
    groups = np.repeat(np.arange(n_groups), sizes)
    return generator.integers(0, c, n_groups)[groups], groups


def test_no_group_stands_in_two_folds_and_none_is_lost() -> None:
    labels, groups = collection(200)
    folds = group_folds(labels, groups, 5)
    assert sorted(np.unique(folds)) == [0, 1, 2, 3, 4]
    for group in range(200):
        assert len(set(folds[groups == group].tolist())) == 1


def test_every_fold_has_its_share_of_every_class() -> None:
    labels, groups = collection(400)
    folds = group_folds(labels, groups, 5)
    for label in range(4):
        photographs = np.bincount(folds[labels == label], minlength=5)
        assert photographs.max() - photographs.min() <= 4  # the size of one group
    assert np.bincount(folds).max() - np.bincount(folds).min() <= 12


def test_many_classes_of_one_group_do_not_all_fall_into_the_first_fold() -> None:
    folds = group_folds(np.arange(50), np.arange(50), 5)
    assert np.bincount(folds).tolist() == [10] * 5


def test_the_seed_decides_and_nothing_else() -> None:
    labels, groups = collection(100)
    assert np.array_equal(group_folds(labels, groups, 5, 3), group_folds(labels, groups, 5, 3))
    assert not np.array_equal(group_folds(labels, groups, 5, 3), group_folds(labels, groups, 5, 4))


def test_labels_may_leave_out_classes() -> None:
    labels = np.repeat([2, 7], 10)
    folds = group_folds(labels, np.arange(20), 5)
    assert all(np.bincount(folds[labels == label]).tolist() == [2] * 5 for label in (2, 7))


@pytest.mark.parametrize(("groups", "folds"), [(np.arange(3), 5), (np.arange(3), 1), (np.zeros(3, int), 2)])
def test_what_cannot_be_folded(groups: np.ndarray, folds: int) -> None:
    with pytest.raises(EvaluationError, match="folds"):
        group_folds(np.zeros(3, dtype=np.int64), groups, folds)


def test_a_draw_keeps_groups_whole_and_classes_in_proportion() -> None:
    labels, groups = collection(1000)
    rows = draw_rows(labels, groups, 500)
    assert 490 <= len(rows) <= 500
    assert np.array_equal(rows, np.sort(rows))
    drawn = set(groups[rows].tolist())
    assert len(rows) == int(np.isin(groups, list(drawn)).sum())
    share = np.bincount(labels[rows]) / np.bincount(labels)
    assert share.max() - share.min() < 0.03


def test_a_draw_of_everything_and_a_group_larger_than_the_draw() -> None:
    labels, groups = collection(50)
    assert np.array_equal(draw_rows(labels, groups, 10_000), np.arange(len(labels)))
    assert len(draw_rows(np.zeros(20, dtype=np.int64), np.zeros(20, dtype=np.int64), 5)) == 20


def test_codes_from_numbers_and_names() -> None:
    assert group_codes(np.array([9, 4, 9]), 3).tolist() == [1, 0, 1]
    assert group_codes(["a", None, "a", None], 4).tolist() == [0, 1, 0, 2]
    with pytest.raises(EvaluationError, match="2 groups for 3"):
        group_codes(["a", "b"], 3)
