from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.experiments.made_subjects import ASKING, CLASSES, made_index, made_subject

from leafsight.evaluation import EvaluationOptions, holm
from leafsight.experiments import RunScores
from leafsight.experiments.comparing_differences import (
    confusion_changes,
    differing_photos,
    pairs_with_first,
    photos_all_have_wrong,
)
from leafsight.experiments.comparing_photographs import in_order, names_of

FAST = EvaluationOptions(resamples=100)
INDEX = made_index(60)


def answered(wrong: Sequence[int], sure: dict[int, float] | None = None) -> RunScores:
    scores = made_subject("x", INDEX, wrong=wrong, sure=sure).judge(INDEX, ASKING)
    return in_order(scores, names_of(INDEX), CLASSES, INDEX)


def test_differences_are_of_the_other_minus_the_first() -> None:
    first, other = answered(range(30)), answered(range(20, 32))
    pair = pairs_with_first(["a", "b"], [first.evaluation(FAST), other.evaluation(FAST)], FAST)[0]
    assert (pair.against, pair.run) == ("a", "b")
    assert pair.comparison.differences["accuracy"].value == pytest.approx(18 / 60)
    assert (pair.tests.only_a_right, pair.tests.only_b_right) == (2, 20)
    assert pair.tests.sign_flip is not None
    assert pair.mcnemar_holm == pair.tests.mcnemar
    assert pair.p_value == pair.sign_flip_holm == pair.tests.sign_flip
    # Twenty photographs are ten leaves: less evidence than McNemar's test sees.
    assert pair.tests.sign_flip > 10 * pair.tests.mcnemar


def test_several_pairs_are_adjusted_together() -> None:
    evaluations = [answered(wrong).evaluation(FAST) for wrong in (range(30), range(18), range(28), range(6))]
    pairs = pairs_with_first(list("abcd"), evaluations, FAST)
    assert [pair.run for pair in pairs] == list("bcd")
    assert [pair.mcnemar_holm for pair in pairs] == list(holm([pair.tests.mcnemar for pair in pairs]))
    whole = [pair.tests.sign_flip for pair in pairs if pair.tests.sign_flip is not None]
    assert [pair.sign_flip_holm for pair in pairs] == list(holm(whole))
    assert pairs[0].mcnemar_holm > pairs[0].tests.mcnemar


def test_without_groups_mcnemar_decides() -> None:
    alone = [replace(answered(wrong), groups=()).evaluation(FAST) for wrong in (range(9), range(3))]
    pair = pairs_with_first(["a", "b"], alone, FAST)[0]
    assert pair.sign_flip_holm is None
    assert pair.p_value == pair.mcnemar_holm


def test_changed_mistakes_come_largest_first() -> None:
    healthy = [row for row, name in enumerate(INDEX.column("class_name")) if name == "healthy"]
    rust = [row for row, name in enumerate(INDEX.column("class_name")) if name == "rust"]
    first, other = answered([*healthy[:5], *rust[:2]]), answered([*healthy[:1], *rust[:4]])
    found = confusion_changes(first.evaluation(FAST), other.evaluation(FAST))
    assert [(one.true, one.answer, one.before, one.after) for one in found] == [
        ("healthy", "rust", 5, 1), ("rust", "scab", 2, 4),
    ]  # fmt: skip
    assert len(confusion_changes(first.evaluation(FAST), other.evaluation(FAST), most=1)) == 1
    assert confusion_changes(first.evaluation(FAST), first.evaluation(FAST)) == ()


def test_the_most_surprising_contradiction_comes_first() -> None:
    first = answered([3], {3: 9.0, 10: 1.0, 20: 5.0})
    other = answered([10, 20], {3: 2.0, 10: 9.0, 20: 5.0})
    found = differing_photos([first, other])
    assert [one.row for one in found] == [20, 3, 10]
    assert found[0].photo == "leaves/0020.jpg"
    assert [answer.right for answer in found[1].answers] == [False, True]
    assert found[1].label == INDEX.column("class_name")[3]
    assert found[1].surprise == pytest.approx(np.exp(2) / (np.exp(2) + 2))
    assert found[0].answers[0].probability == pytest.approx(np.exp(5) / (np.exp(5) + 2), abs=1e-5)


def test_what_all_have_wrong_comes_with_the_surest_first() -> None:
    first = answered([3, 10, 20], {3: 9.0, 10: 1.0, 20: 5.0})
    other = answered([3, 10, 7], {3: 2.0, 10: 1.5})
    found = photos_all_have_wrong([first, other])
    assert [one.row for one in found] == [3, 10]
    assert found[0].surprise == pytest.approx(np.exp(2) / (np.exp(2) + 2))
    assert not any(answer.right for one in found for answer in one.answers)
    assert photos_all_have_wrong([first, answered([7])]) == ()


def test_wrong_in_different_ways_is_wrong_all_the_same() -> None:
    first, other = answered([3]), answered([3])
    turned = np.roll(other.logits[3], 1)
    other.logits[3] = turned
    assert len({one.logits[3].argmax() for one in (first, other)} | {int(first.labels[3])}) == 3
    assert [one.row for one in photos_all_have_wrong([first, other])] == [3]


def test_of_three_two_that_contradict_each_other_are_enough() -> None:
    found = differing_photos([answered([]), answered([]), answered([7])])
    assert [one.row for one in found] == [7]
    assert [answer.right for answer in found[0].answers] == [True, True, False]


def test_the_same_answers_are_no_difference() -> None:
    assert differing_photos([answered([1, 2]), answered([1, 2], {5: 0.5})]) == ()
