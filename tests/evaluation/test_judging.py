from __future__ import annotations

import json
import time

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import EvaluationOptions, Scores, evaluate, fit_calibration
from leafsight.evaluation.judging import group_codes

CLASSES = [f"crop{i // 2} condition{i}" for i in range(6)]
CROPS = {name: name.split()[0] for name in CLASSES}
FAST = EvaluationOptions(resamples=100)


@pytest.fixture
def calibration(simulate):
    scores, labels = simulate(1500, seed=10)
    train, train_labels = simulate(1500, seed=11)
    return fit_calibration(scores.logits, labels, scores.embedding, train.embedding, train_labels, CLASSES)


def judge(scores, labels, **keywords):
    return evaluate(scores, labels, CLASSES, options=keywords.pop("options", FAST), **keywords)


def test_every_interval_holds_its_value(simulate, calibration) -> None:
    evaluation = judge(*simulate(900), calibration=calibration, known_crops=CROPS)
    assert len(evaluation.overall.metrics) == 20
    for name, interval in evaluation.overall.metrics.items():
        assert interval.low <= interval.value <= interval.high, name


def test_json_holds_no_nan_and_all_parts(simulate, calibration) -> None:
    scores, labels = simulate(300)
    keep = labels != 4
    evaluation = judge(scores.take(np.flatnonzero(keep)), labels[keep], calibration=calibration)
    plain = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert plain["overall"]["absent"] == [CLASSES[4]]
    assert plain["per_class"][4]["recall"] == {"value": None, "low": None, "high": None}
    assert plain["confusion"][0][0] == int(evaluation.confusion[0, 0])
    assert "evidence" not in plain


def test_counts_agree_with_each_other(simulate, calibration) -> None:
    scores, labels = simulate(500)
    evaluation = judge(scores, labels, calibration=calibration)
    accuracy = evaluation.overall.metrics["accuracy"].value
    assert accuracy == pytest.approx(np.trace(evaluation.confusion) / 500)
    assert sum(entry.right for entry in evaluation.per_class) == round(accuracy * 500)
    assert sum(evaluation.set_sizes) == sum(evaluation.verdicts.values()) == 500
    assert sum(entry.photos for entry in evaluation.reliability) == 500
    answered = evaluation.overall.metrics["answered"].value
    assert evaluation.verdicts["diagnosis"] == round(answered * 500)
    assert evaluation.overall.risk_coverage[-1].risk == pytest.approx(1 - accuracy)


def test_a_class_without_photographs_is_named_and_not_averaged(simulate) -> None:
    labels = np.array([0, 0, 1, 1])
    evaluation = judge(Scores((np.eye(6) * 5)[labels].astype(np.float32)), labels)
    assert evaluation.overall.absent == tuple(CLASSES[2:])
    assert evaluation.overall.metrics["macro_f1"].value == 1.0


def test_without_mistakes_the_interval_is_not_a_point() -> None:
    labels = np.arange(30) % 6
    scores = Scores((np.eye(6) * 9)[labels].astype(np.float32))
    alone = judge(scores, labels).overall.metrics["accuracy"]
    grouped = judge(scores, labels, groups=[i // 6 for i in range(30)]).overall.metrics["accuracy"]
    assert alone.value == alone.high == grouped.high == 1.0
    assert 0.85 < alone.low < 0.95
    assert grouped.low < 0.6  # five groups prove less than thirty photographs


def test_groups_widen_intervals(simulate) -> None:
    scores, labels = simulate(200, strength=2.0)
    rows = np.repeat(np.arange(200), 8)
    plain = judge(scores.take(rows), labels[rows])
    grouped = judge(scores.take(rows), labels[rows], groups=[f"leaf {i}" for i in rows])
    assert (plain.overall.groups, grouped.overall.groups) == (1600, 200)
    for name in ("accuracy", "macro_f1", "nll", "aurc"):
        narrow, wide = plain.overall.metrics[name], grouped.overall.metrics[name]
        assert narrow.value == pytest.approx(wide.value)
        assert (wide.high - wide.low) > 2 * (narrow.high - narrow.low), name
    assert grouped.per_class[0].groups * 8 == grouped.per_class[0].photos
    assert grouped.per_class[0].recall.low < plain.per_class[0].recall.low


def test_a_leaf_photographed_often_counts_once() -> None:
    labels = np.array([0, 0, 0, 0, 1, 2])
    answers = np.array([1, 1, 1, 0, 1, 2])  # one leaf of four photographs, three of them wrong
    scores = Scores((np.eye(6) * 9)[answers].astype(np.float32))
    metrics = judge(scores, labels, groups=["a", "a", "a", "a", None, None]).overall.metrics
    assert metrics["accuracy"].value == pytest.approx(3 / 6)
    assert metrics["group_accuracy"].value == pytest.approx((1 / 4 + 1 + 1) / 3)
    assert metrics["group_accuracy"].low <= metrics["group_accuracy"].value <= metrics["group_accuracy"].high
    assert "group_accuracy" not in judge(scores, labels).overall.metrics


def test_group_codes() -> None:
    assert group_codes(["a", None, "a", None, 7, "7"], 6).tolist() == [0, 1, 0, 2, 3, 3]
    assert group_codes(None, 3).tolist() == [0, 1, 2]


def test_domains_are_judged_by_themselves(simulate, calibration) -> None:
    home, home_labels = simulate(600)
    abroad, abroad_labels = simulate(200, seed=5, strength=0.5, shift=9.0)
    scores = Scores(
        np.concatenate([home.logits, abroad.logits]), np.concatenate([home.embedding, abroad.embedding])
    )
    labels = np.concatenate([home_labels, abroad_labels])
    domains = ["home"] * 600 + ["abroad"] * 200
    evaluation = judge(scores, labels, calibration=calibration, domains=domains)
    first, second = evaluation.domains
    assert (first.name, first.photos, second.name, second.photos) == ("home", 600, "abroad", 200)
    alone = judge(abroad, abroad_labels, calibration=calibration).overall
    for name, interval in alone.metrics.items():
        assert second.metrics[name].value == pytest.approx(interval.value, nan_ok=True), name
    assert first.metrics["accuracy"].value > second.metrics["accuracy"].value + 0.3
    assert second.metrics["answered"].value < 0.05  # unlike the training photographs


def test_a_given_crop_by_hand(simulate) -> None:
    # Truth 0 (crop0). The best is class 2, then 0: wrong alone, right within the crop.
    scores = Scores(np.array([[1, 0, 2, 0, 0, 0], [0, 1, 0, 2, 0, 0]], dtype=np.float32))
    metrics = judge(scores, np.array([0, 0]), known_crops=CROPS).overall.metrics
    assert metrics["accuracy"].value == 0.0
    assert metrics["crop_right"].value == 0.0
    assert metrics["crop_given_accuracy"].value == 0.5


def test_classes_without_a_crop_are_left_out_of_crop_numbers(simulate) -> None:
    scores, labels = simulate(300)
    some = {name: crop for name, crop in CROPS.items() if crop != "crop2"}
    evaluation = judge(scores, labels, known_crops=some)
    told = labels < 4
    top = np.where(np.arange(6) // 2 == labels[:, None] // 2, scores.logits, -np.inf).argmax(axis=1)
    assert evaluation.overall.metrics["crop_given_accuracy"].value == pytest.approx(
        (top == labels)[told].mean()
    )
    assert "crop_right" not in judge(scores, labels).overall.metrics


def test_calibration_lowers_the_calibration_error(simulate, calibration) -> None:
    scores, labels = simulate(3000)
    raw, fitted = (
        judge(scores, labels, calibration=c).overall.metrics["ece"].value for c in (None, calibration)
    )
    assert fitted < raw
    assert fitted < 0.03


def test_coverage_at_home_keeps_the_promise(simulate, calibration) -> None:
    metrics = judge(*simulate(3000), calibration=calibration).overall.metrics
    assert metrics["set_coverage"].value >= 0.9
    assert metrics["accuracy_answered"].value >= calibration.target_accuracy - 0.02


def test_mistakes_are_the_surest_wrong_answers(simulate) -> None:
    scores, labels = simulate(400, strength=1.0)
    evaluation = judge(scores, labels, options=EvaluationOptions(resamples=100, mistakes=7))
    assert len(evaluation.mistakes) == 7
    shown = [mistake.probability for mistake in evaluation.mistakes]
    assert shown == sorted(shown, reverse=True)
    wrong = scores.logits.argmax(axis=1) != labels
    assert all(wrong[mistake.row] and mistake.true != mistake.answer for mistake in evaluation.mistakes)


def test_confused_pairs_by_hand() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    answers = np.array([0, 1, 1, 2, 0, 1])
    evaluation = judge(Scores((np.eye(6) * 5)[answers].astype(np.float32)), labels)
    assert [(p.true[-1], p.answer[-1], p.photos, p.share) for p in evaluation.confused] == [
        ("0", "1", 2, 0.5),
        ("0", "2", 1, 0.25),
        ("1", "0", 1, 0.5),
    ]


def test_one_photograph_is_enough() -> None:
    metrics = judge(Scores(np.eye(6, dtype=np.float32)[:1]), np.array([0])).overall.metrics
    assert metrics["accuracy"].value == 1.0
    assert metrics["accuracy"].low < 0.3


def test_the_same_seed_gives_the_same_evaluation(simulate, calibration) -> None:
    one, two = (judge(*simulate(300), calibration=calibration).to_dict() for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("keywords", "match"),
    [
        ({"groups": ["a"]}, "1 groups for 10"),
        ({"domains": ["a"] * 11}, "11 domains for 10"),
        ({"known_crops": {"crop9 x": "crop9"}}, "no class 'crop9 x'"),
    ],
)
def test_what_does_not_fit_is_refused(simulate, keywords, match) -> None:
    with pytest.raises(EvaluationError, match=match):
        judge(*simulate(10), **keywords)


def test_a_calibration_for_other_classes_is_refused(simulate, calibration) -> None:
    with pytest.raises(EvaluationError, match="another list of classes"):
        evaluate(*simulate(10), CLASSES[::-1], calibration)


@pytest.mark.slow
def test_three_thousand_photographs_take_seconds(simulate) -> None:
    scores, labels = simulate(3000, 49)
    started = time.perf_counter()
    evaluate(scores, labels, [str(i) for i in range(49)])
    assert time.perf_counter() - started < 4.0
