from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.errors import EvaluationError
from leafsight.evaluation import EvaluationOptions, Scores, evaluate, holm, mcnemar, sign_flip, tell_apart

COUNTS = st.integers(0, 60)
GAINS = st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 4)), min_size=1, max_size=14)


def exact(only_a: int, only_b: int) -> Fraction:
    """By whole numbers, from the definition."""
    n, least = only_a + only_b, min(only_a, only_b)
    return min(2 * Fraction(sum(math.comb(n, k) for k in range(least + 1)), 2**n), Fraction(1))


@given(COUNTS, COUNTS)
def test_mcnemar_is_the_binomial_by_whole_numbers(only_a: int, only_b: int) -> None:
    assert mcnemar(only_a, only_b) == pytest.approx(float(exact(only_a, only_b)), rel=1e-12)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        (1, 7, 0.0703125),  # hyper-responsive airways after a transplant: Fagerland et al. 2013, table 1
        (0, 0, 1.0),
        (8, 8, 1.0),
        (0, 5, 0.0625),
        (500, 600, float(exact(500, 600))),
    ],
)
def test_known_values(only_a: int, only_b: int, p: float) -> None:
    assert mcnemar(only_a, only_b) == pytest.approx(p, rel=1e-6)
    assert mcnemar(only_b, only_a) == pytest.approx(p, rel=1e-6)


def test_thousands_of_photographs_stay_within_floating_point() -> None:
    assert mcnemar(5000, 5000) == pytest.approx(1.0)
    assert mcnemar(4900, 5100) == pytest.approx(float(exact(4900, 5100)), rel=1e-9)
    assert 0.0 <= mcnemar(0, 3000) < 1e-300


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(EvaluationError, match="-1"):
        mcnemar(-1, 3)


@given(GAINS)
def test_the_sign_flip_counts_every_way_to_flip(rows: list[tuple[int, int]]) -> None:
    gained, groups = (np.array(column) for column in zip(*rows, strict=True))
    totals = [int(gained[groups == group].sum()) for group in np.unique(groups)]
    observed = abs(sum(totals))
    signs = list(product((-1, 1), repeat=len(totals)))
    extreme = sum(
        abs(sum(s * total for s, total in zip(way, totals, strict=True))) >= observed for way in signs
    )
    assert sign_flip(gained, groups) == pytest.approx(extreme / len(signs), rel=1e-9)


@given(COUNTS, COUNTS, st.integers(0, 30))
def test_alone_photographs_give_mcnemar(only_a: int, only_b: int, both: int) -> None:
    gained = np.array([-1] * only_a + [1] * only_b + [0] * both, dtype=np.int64)
    assert sign_flip(gained, np.arange(len(gained))) == pytest.approx(mcnemar(only_a, only_b), rel=1e-9)


@given(GAINS)
def test_the_names_of_the_models_and_of_groups_do_not_matter(rows: list[tuple[int, int]]) -> None:
    gained, groups = (np.array(column) for column in zip(*rows, strict=True))
    p = sign_flip(gained, groups)
    assert 0 < p <= 1
    assert sign_flip(-gained, groups) == pytest.approx(p)
    assert sign_flip(gained, 100 - 7 * groups) == pytest.approx(p)


def test_ten_photographs_of_one_leaf_prove_nothing() -> None:
    gained = np.ones(10, dtype=np.int64)
    assert mcnemar(0, 10) == pytest.approx(2 / 2**10)
    assert sign_flip(gained, np.zeros(10, dtype=np.int64)) == 1.0


def test_chance_is_called_a_difference_no_more_often_than_promised() -> None:
    """Two equally good models on leaves photographed eight times, both asked 400 times over."""
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 8)
    alone, whole = 0, 0
    for _ in range(400):
        # Which of the two is better differs from leaf to leaf, and holds for all photographs of it.
        leaning = np.repeat(generator.normal(size=30) * 1.5, 8)
        right_a = generator.random(240) < 1 / (1 + np.exp(-1 - leaning))
        right_b = generator.random(240) < 1 / (1 + np.exp(-1 + leaning))
        gained = right_b.astype(np.int64) - right_a.astype(np.int64)
        alone += mcnemar(int((gained < 0).sum()), int((gained > 0).sum())) <= 0.05
        whole += sign_flip(gained, groups) <= 0.05
    assert whole <= 31  # 20 are promised; more than 31 of 400 come up once in two hundred times
    assert alone > 100  # what is wrong with taking each photograph for itself; docs/comparing.md says so


def test_a_real_difference_is_found_in_whole_groups() -> None:
    generator = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 4)
    gained = (generator.random(240) < 0.3).astype(np.int64) - (generator.random(240) < 0.1)
    assert sign_flip(gained, groups) < 0.001


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))  # Holm 1979's steps
    assert holm([]) == ()
    assert holm([0.4]) == (0.4,)
    assert holm([0.9, 0.8]) == (1.0, 1.0)


@pytest.mark.parametrize("wrong", [[0.5, 1.2], [-0.1], [float("nan")]])
def test_what_is_no_probability_is_refused(wrong: list[float]) -> None:
    with pytest.raises(EvaluationError, match=r"lie in 0\.\.1"):
        holm(wrong)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(
        p <= new <= min(1.0, p * len(p_values)) + 1e-12 for p, new in zip(p_values, adjusted, strict=True)
    )
    assert [adjusted[i] for i in np.argsort(p_values, kind="stable")] == sorted(adjusted)


def test_holm_keeps_its_promise_for_several_tests_that_depend_on_each_other() -> None:
    generator = np.random.default_rng(2)
    wrong = 0
    for _ in range(1000):
        shared = generator.random()
        p_values = np.where(generator.random(5) < 0.5, shared, generator.random(5))
        wrong += min(holm(p_values.tolist())) <= 0.05
    assert wrong <= 70  # 50 are promised at most


def judged(simulate, seed: int, groups: list[object] | None = None, n: int = 200):
    scores, labels = simulate(n, strength=1.5)
    other = simulate(n, strength=1.5, seed=seed)[0] if seed else scores
    logits = other.logits
    return evaluate(
        Scores(logits), labels, list("abcdef"), groups=groups, options=EvaluationOptions(resamples=100)
    )


def test_two_evaluations_are_told_apart(simulate) -> None:
    groups: list[object] = [number // 4 for number in range(200)]
    a, b = judged(simulate, 0, groups), judged(simulate, 1, groups)
    found = tell_apart(a, b)
    right_a, right_b = (one.evidence.columns["correct"] > 0 for one in (a, b))
    assert found.only_a_right == int((right_a & ~right_b).sum())
    assert found.only_b_right == int((right_b & ~right_a).sum())
    assert found.mcnemar == mcnemar(found.only_a_right, found.only_b_right)
    assert found.sign_flip is not None
    assert 0 < found.sign_flip <= 1
    assert json.loads(json.dumps(found.to_dict()))["only_a_right"] == found.only_a_right


def test_without_groups_there_is_one_test(simulate) -> None:
    found = tell_apart(judged(simulate, 0), judged(simulate, 1))
    assert found.sign_flip is None
    assert found.mcnemar < 0.05


def test_a_model_against_itself(simulate) -> None:
    evaluation = judged(simulate, 0, [number // 2 for number in range(200)])
    found = tell_apart(evaluation, evaluation)
    assert (found.only_a_right, found.only_b_right, found.mcnemar, found.sign_flip) == (0, 0, 1.0, 1.0)


def test_other_photographs_are_refused(simulate) -> None:
    with pytest.raises(EvaluationError, match="same photographs"):
        tell_apart(judged(simulate, 0), judged(simulate, 0, n=100))
    with pytest.raises(EvaluationError, match="same photographs"):
        tell_apart(judged(simulate, 0), judged(simulate, 0, [0] * 200))
