from __future__ import annotations

import json

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import EvaluationOptions, Scores, compare, evaluate

CLASSES = list("abcdef")
FAST = EvaluationOptions(resamples=100)


def judged(scores: Scores, labels: np.ndarray, groups=None):
    return evaluate(scores, labels, CLASSES, groups=groups, options=FAST)


def test_a_model_against_itself_differs_in_nothing(simulate) -> None:
    evaluation = judged(*simulate(300))
    result = compare(evaluation, evaluation)
    for interval in result.differences.values():
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)
    assert (result.only_a_right, result.only_b_right) == (0, 0)


def test_pairing_shows_what_two_intervals_cannot(simulate) -> None:
    scores, labels = simulate(600, strength=1.5)
    better = scores.logits.copy()
    wrong = np.flatnonzero(better.argmax(axis=1) != labels)[:20]
    better[wrong, labels[wrong]] += 20  # 20 of 600 photographs more, all others the same
    a, b = judged(scores, labels), judged(Scores(better), labels)
    difference = compare(a, b).differences["accuracy"]
    assert difference.value == pytest.approx(20 / 600)
    assert difference.low > 0
    assert a.overall.metrics["accuracy"].high > b.overall.metrics["accuracy"].low
    assert (compare(a, b).only_a_right, compare(a, b).only_b_right) == (0, 20)
    assert compare(b, a).differences["accuracy"].high < 0


def test_the_difference_is_that_of_the_two_values(simulate) -> None:
    scores, labels = simulate(400)
    other = simulate(400, strength=1.0)[0]
    a, b = judged(scores, labels), judged(other, labels)
    for name, interval in compare(a, b).differences.items():
        gap = b.overall.metrics[name].value - a.overall.metrics[name].value
        assert interval.value == pytest.approx(gap, abs=1e-9), name


def test_groups_are_respected(simulate) -> None:
    scores, labels = simulate(100, strength=1.5)
    other = simulate(100, strength=1.2)[0]
    rows = np.repeat(np.arange(100), 6)
    widths = []
    for groups in (None, rows.tolist()):
        a, b = (judged(s.take(rows), labels[rows], groups) for s in (scores, other))
        interval = compare(a, b).differences["accuracy"]
        widths.append(interval.high - interval.low)
    assert widths[1] > 1.8 * widths[0]


def test_classes_without_photographs_have_no_difference(simulate) -> None:
    scores, labels = simulate(100)
    keep = np.flatnonzero(labels != 3)
    evaluation = judged(scores.take(keep), labels[keep])
    assert set(compare(evaluation, evaluation).f1_differences) == set("abcef")


def test_json(simulate) -> None:
    evaluation = judged(*simulate(60))
    assert json.loads(json.dumps(compare(evaluation, evaluation).to_dict(), allow_nan=False))["photos"] == 60


def test_other_photographs_are_refused(simulate) -> None:
    a, b = judged(*simulate(60)), judged(*simulate(60, seed=1))
    with pytest.raises(EvaluationError, match="same photographs"):
        compare(a, b)
    with pytest.raises(EvaluationError, match="different classes"):
        compare(a, evaluate(*simulate(60), list("ghijkl"), options=FAST))
