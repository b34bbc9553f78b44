"""The conditions by themselves, on answers that are made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from leafsight.evaluation import Scores
from leafsight.retraining import Exam, GateOptions
from leafsight.retraining.gate_checks import (
    Pair,
    accuracy_check,
    class_rows,
    group_checks,
    more_than_chance,
    taught_checks,
)
from leafsight.retraining.gate_exam import Answers

OPTIONS = GateOptions(resamples=500)


def pair_of(
    champion: Sequence[bool],
    candidate: Sequence[bool],
    names: Sequence[str] | None = None,
    groups: Sequence[int] | None = None,
    known: tuple[str, ...] = ("a", "b"),
) -> Pair:
    n = len(champion)
    said = tuple(names or ["a"] * n)
    scores = Scores(np.zeros((n, 3)))
    exam = Exam(said, np.asarray(groups or range(n), np.int64), ("lab",) * n, scores, scores)
    labels = np.zeros(n, np.int64)
    return Pair(
        exam,
        Answers(known, labels, None, np.asarray(champion, bool)),
        Answers(("a", "b", "new"), labels, None, np.asarray(candidate, bool)),
    )


def test_equal_answers_lose_nothing() -> None:
    right = [True] * 900 + [False] * 100
    check = accuracy_check(pair_of(right, right), OPTIONS)
    assert check.passed
    assert (check.value, check.low) == (0.0, 0.0)


def test_a_loss_that_may_be_larger_than_the_margin_fails() -> None:
    old = [True] * 1000
    assert not accuracy_check(pair_of(old, [False] * 20 + [True] * 980), OPTIONS).passed
    # Nothing is lost on average, but a hundred answers changed: it may as well have been a loss.
    swapped = [False] * 50 + [True] * 950
    assert not accuracy_check(pair_of([True] * 950 + [False] * 50, swapped), OPTIONS).passed
    assert accuracy_check(pair_of(old, [False] * 1 + [True] * 999), OPTIONS).passed


def test_photographs_of_one_leaf_are_one_piece_of_evidence() -> None:
    old, new = [True] * 40, [False] * 10 + [True] * 30
    apart, together = pair_of(old, new), pair_of(old, new, groups=[0] * 10 + list(range(1, 31)))
    everything = np.ones(40, bool)
    assert more_than_chance(apart, everything) == pytest.approx(2.0**-10)
    assert more_than_chance(together, everything) == 0.5
    assert more_than_chance(pair_of(old, old), everything) == 1.0


def test_a_class_may_lose_by_chance_but_not_more() -> None:
    names = ["a"] * 40 + ["b"] * 40
    old = [True] * 80
    few = next(iter(group_checks(pair_of(old, [False] * 3 + [True] * 77, names), OPTIONS)))
    assert few.passed
    assert few.value == pytest.approx(-0.075)
    many = next(iter(group_checks(pair_of(old, [False] * 6 + [True] * 74, names), OPTIONS)))
    assert not many.passed
    assert "1 fail: a" in many.said


def test_a_small_class_is_not_judged_by_itself() -> None:
    check = next(iter(group_checks(pair_of([True] * 10, [False] * 10), OPTIONS)))
    assert check.passed
    assert "none is judged" in check.said


def test_taught_classes_need_half_of_what_was_held_out() -> None:
    names = ["new"] * 10
    good = list(taught_checks(pair_of([False] * 10, [True] * 5 + [False] * 5, names), ("new",), OPTIONS))
    assert [check.passed for check in good] == [True]
    assert good[0].low is not None
    assert good[0].low < 0.5 == good[0].value
    poor = list(taught_checks(pair_of([False] * 10, [True] * 4 + [False] * 6, names), ("new",), OPTIONS))
    assert [check.passed for check in poor] == [False]
    assert [check.passed for check in taught_checks(None, ("new",), OPTIONS)] == [False]
    assert list(taught_checks(None, (), OPTIONS)) == []


def test_contributions_of_known_classes_are_not_lost() -> None:
    names = ["a"] * 20
    checks = list(taught_checks(pair_of([True] * 20, [False] * 8 + [True] * 12, names), (), OPTIONS))
    assert [(check.name, check.passed) for check in checks] == [("contributions", False)]
    kept = list(taught_checks(pair_of([True] * 20, [True] * 20, names), (), OPTIONS))
    assert [check.passed for check in kept] == [True]


def test_rows_say_who_does_not_know_a_class() -> None:
    pair = pair_of([True, False], [True, True], ["a", "new"])
    rows = {row.name: row for row in class_rows(pair, "contributions")}
    assert (rows["a"].champion, rows["a"].candidate) == (1, 1)
    assert (rows["new"].champion, rows["new"].candidate) == (None, 1)
    assert 0 < rows["new"].low < rows["new"].high == 1.0
