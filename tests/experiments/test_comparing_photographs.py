"""Fair photographs: the same for all, and none that trained one of them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.experiments.made_subjects import CLASSES, made_index

from leafsight.dataset import PhotoIndex, joined
from leafsight.errors import EvaluationError
from leafsight.experiments import RunScores
from leafsight.experiments.comparing_photographs import common_names, in_order, names_of, seen_in_training


def trained(part: PhotoIndex, split: str = "train") -> PhotoIndex:
    return joined([part.with_column("split", [split] * len(part)), made_index(4, first=500)])


def test_what_all_have_in_common_stands_in_the_first_ones_order() -> None:
    a, b = made_index(10), made_index(10, first=4)
    names = common_names([a, b])
    assert names == tuple(names_of(a)[4:])
    assert common_names([b, a]) == names
    assert common_names([a]) == tuple(names_of(a))


def test_the_same_name_with_other_content_is_another_photograph() -> None:
    a, b = made_index(10), made_index(10, changed={3: {"content_hash": "other"}})
    assert len(common_names([a, b])) == 9
    with pytest.raises(EvaluationError, match="no photograph of this split in common"):
        common_names([a, made_index(10, contents="other")])


def test_other_labels_are_refused_by_name() -> None:
    with pytest.raises(EvaluationError, match=r"1 photographs have another class.*leaves/0003\.jpg"):
        common_names([made_index(10), made_index(10, changed={3: {"class_name": "scab of the moon"}})])


@pytest.mark.parametrize("split", ["train", "valid"])
def test_the_same_file_was_seen(split: str) -> None:
    judged = made_index(10)
    assert seen_in_training(judged, trained(made_index(3, first=2), split)) == 3


@pytest.mark.parametrize("split", ["test", "calibration"])
def test_what_did_not_train_was_not_seen(split: str) -> None:
    assert seen_in_training(made_index(10), trained(made_index(10), split)) == 0


def test_a_renamed_and_a_rewritten_copy_were_seen() -> None:
    renamed = made_index(2, source="elsewhere")
    rewritten = made_index(2, changed={number: {"content_hash": f"new-{number}"} for number in range(2)})
    assert seen_in_training(made_index(10), trained(renamed)) == 2
    assert seen_in_training(made_index(10), trained(rewritten)) == 2


@pytest.mark.parametrize(("bits", "seen"), [(0, 1), (0b1111, 1), (0b11111, 0), (2**63 - 1, 0)])
def test_a_smaller_copy_has_the_same_name_and_look(bits: int, seen: int) -> None:
    look = 7919 ^ bits
    copy = made_index(1, first=1, contents="small", changed={1: {"look_hash": look}})
    assert seen_in_training(made_index(10), trained(copy)) == seen


def test_a_name_or_a_look_alone_says_nothing() -> None:
    other_look = {number: {"look_hash": None} for number in range(10)}
    same_name = made_index(10, contents="other", changed=other_look)
    same_look = made_index(10, source="elsewhere", contents="other")
    assert seen_in_training(made_index(10), trained(same_name)) == 0
    assert seen_in_training(made_index(10), trained(same_look)) == 0


def test_faulty_photographs_trained_nobody() -> None:
    faulty = made_index(10, changed={4: {"fault": "truncated: no end"}})
    assert seen_in_training(made_index(10), trained(faulty)) == 9


def test_answers_are_put_into_one_order() -> None:
    shown = made_index(6).rows([4, 0, 2])
    own = CLASSES[::-1]
    logits = np.arange(18, dtype=np.float32).reshape(6, 3)
    scores = RunScores(
        own, logits, np.zeros(6, np.int64), tuple(names_of(made_index(6))), (), ("x",) * 6, "key"
    )
    found = in_order(scores, names_of(shown), CLASSES, shown)
    assert found.classes == CLASSES
    assert found.logits.tolist() == [[14, 13, 12], [2, 1, 0], [8, 7, 6]]
    assert [CLASSES[label] for label in found.labels] == shown.column("class_name")
    assert found.groups == ("leaf-2", "leaf-0", "leaf-1")
    assert found.sources == ("leaves",) * 3
    assert found.photos == tuple(names_of(shown))


def test_without_groups_every_photograph_stands_alone() -> None:
    shown = made_index(3, group_size=0)
    scores = RunScores(
        CLASSES, np.eye(3, dtype=np.float32), np.arange(3), tuple(names_of(shown)), (), ("x",) * 3, "key"
    )
    assert in_order(scores, names_of(shown), CLASSES, shown).groups == ()
