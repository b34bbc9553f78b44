from __future__ import annotations

import json

import numpy as np
import pytest

from leafsight.errors import DatasetError, EvaluationError
from leafsight.evaluation import wilson
from leafsight.inspection import BalanceReport, measure_balance
from leafsight.inspection.balance import effective_number, groups_needed


def counted(*sizes: int, **options: object) -> BalanceReport:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return measure_balance(labels, [f"class {k}" for k in range(len(sizes))], **options)


def test_counts_and_imbalance() -> None:
    report = counted(300, 100, 30)
    assert [one.photos for one in report.classes] == [300, 100, 30]
    assert [one.groups for one in report.classes] == [300, 100, 30]
    assert (report.photos, report.groups, report.imbalance) == (430, 430, 10.0)
    assert (report.largest.name, report.smallest.name) == ("class 0", "class 2")
    assert "class 0 has 10 times as many photographs as class 2 (300 and 30)" in report.verdict


def test_the_interval_is_that_of_the_test_that_the_class_would_get() -> None:
    report = counted(100, 400, test_share=0.2)
    assert [one.test_groups for one in report.classes] == [20, 80]
    low, high = wilson(18.0, 20)
    assert report.classes[0].interval.low == pytest.approx(float(low))
    assert report.classes[0].interval.high == pytest.approx(float(high))
    assert [one.too_small for one in report.classes] == [True, False]
    assert report.too_small == (report.classes[0],)
    assert "of class 0 it holds 20, and 90 % right would mean 70 to 97 %" in report.verdict


def test_a_leaf_photographed_ten_times_is_one_piece_of_evidence() -> None:
    labels = np.repeat([0, 1], 400)
    groups = [*(f"leaf {row // 10}" for row in range(400)), *([None] * 400)]
    few, many = measure_balance(labels, ["leaves", "photographs"], groups=groups).classes
    assert (few.photos, few.groups, few.test_groups) == (400, 40, 6)
    assert (many.photos, many.groups, many.test_groups) == (400, 400, 60)
    assert few.too_small
    assert not many.too_small
    assert few.effective < many.effective


def test_groups_needed_is_the_least_number_that_suffices() -> None:
    needed = groups_needed(0.9, 0.2)
    for count, enough in ((needed - 1, False), (needed, True)):
        low, high = wilson(0.9 * count, count)
        assert (high - low <= 0.2) == enough
    report = counted(1000, 40)
    assert f"It takes {needed} independent test photographs a class" in report.verdict
    assert groups_needed(0.5, 0.0001) == 100_000


def test_effective_numbers() -> None:
    # Cui et al. 2019: 1 for one photograph, n for beta towards 1, never above 1 / (1 - beta).
    assert effective_number(1) == pytest.approx(1.0)
    assert effective_number(0) == 0.0
    assert effective_number(100, beta=1 - 1e-9) == pytest.approx(100.0, rel=1e-4)
    assert effective_number(50_000) == pytest.approx(1000.0)
    assert counted(1000, 10).classes[0].effective == pytest.approx(632.3, abs=0.1)


def test_at_least_one_is_tested_and_one_is_left_to_learn_from() -> None:
    report = counted(0, 1, 2, 3, test_share=0.9)
    assert [one.test_groups for one in report.classes] == [0, 0, 1, 2]
    assert counted(2, 3, test_share=0.01).classes[0].test_groups == 1
    assert all(one.too_small for one in report.classes)
    assert report.classes[1].interval.low == 0.0
    assert report.classes[1].interval.high == 1.0
    assert "1 classes have none: class 0" in report.verdict
    assert "of class 0 it holds none" in report.verdict


def test_equal_classes_are_called_equal() -> None:
    report = counted(300, 310, 320)
    assert report.verdict.startswith("3 classes of about equal size (930 photographs).")
    assert report.lines() == [report.verdict]


def test_two_hundred_classes_and_one_of_fifty_thousand_stay_readable() -> None:
    report = counted(50_000, *range(1, 200))
    lines = report.lines()
    assert len(lines) == 7
    assert lines[-1].endswith("more")
    assert int(lines[-1].split()[1]) + 5 == len(report.too_small)
    assert "50,000 times" in report.verdict
    assert len(report.verdict) < 400
    assert len(report.to_dict()["classes"]) == 200


def test_a_hundred_empty_classes_are_counted() -> None:
    labels = np.repeat([0, 1], 300)
    report = measure_balance(labels, [f"class {k}" for k in range(102)])
    assert "100 classes have none: class 2, class 3, class 4, class 5, class 6 and 95 more" in report.verdict


def test_one_class() -> None:
    report = counted(50_000)
    assert report.verdict == "50000 photographs of one class, class 0: there is nothing to tell apart."
    assert report.imbalance == 1.0


def test_no_photographs() -> None:
    report = measure_balance(np.zeros(0, dtype=np.int64), ["a", "b"])
    assert (report.photos, report.groups, report.imbalance) == (0, 0, 1.0)
    assert len(report.too_small) == 2
    assert "2 classes have none" in report.verdict


def test_the_record_is_json() -> None:
    plain = json.loads(json.dumps(counted(300, 20).to_dict(), allow_nan=False))
    assert plain["too_small"] == ["class 1"]
    assert plain["classes"][0]["interval"].keys() == {"value", "low", "high"}


@pytest.mark.parametrize(
    ("labels", "names", "options", "says"),
    [
        ([0, 1], [], {}, "no class"),
        ([0, 2], ["a", "b"], {}, "2 classes"),
        ([0, 1], ["a", "b"], {"test_share": 0.0}, "test share 0.0"),
        ([0, 1], ["a", "b"], {"widest": 1.0}, "widest interval 1.0"),
        ([0, 1], ["a", "b"], {"assumed_right": 1.2}, "1.2"),
    ],
)
def test_what_cannot_be_measured(labels: list[int], names: list[str], options: dict, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        measure_balance(np.array(labels), names, **options)


def test_a_wrong_number_of_groups() -> None:
    with pytest.raises(EvaluationError, match="1 groups for 2"):
        measure_balance(np.array([0, 1]), ["a", "b"], groups=["x"])
