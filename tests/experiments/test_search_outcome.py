from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from leafsight.evaluation import wilson
from leafsight.experiments import SearchOutcome, doubt_in_words, result_in_words, shown
from leafsight.experiments.search_outcome import TrialRow, trials_csv
from leafsight.experiments.search_range import RangeTest
from leafsight.experiments.search_results import provenance
from leafsight.training import SearchRange

SPACE = {
    "stages.0.learning_rate": SearchRange(low=1e-4, high=1e-1, log=True),
    "optimizer.betas": SearchRange(choices=([0.9, 0.999], [0.8, 0.99])),
    "batch_size": SearchRange(low=8, high=32, integer=True),
}


def row(number: int, value: float | None, *, complete: bool = True, rate: float = 0.01) -> TrialRow:
    valid = {"accuracy": value, "macro_f1": value, "loss": 0.4} if complete else {}
    changes = {"stages.0.learning_rate": rate, "optimizer.betas": [0.8, 0.99], "batch_size": 8 + number}
    note = "" if complete else "<worse> than the median"
    return TrialRow(number, value, complete, changes, valid, 3, 1.25, number == 1, note)


def outcome(*rows: TrialRow, metric: str = "accuracy", groups: int = 40) -> SearchOutcome:
    return SearchOutcome(
        name="small",
        metric=metric,
        wanted=9,
        trials=rows or (row(1, 0.7), row(2, 0.8), row(3, 0.3, complete=False), row(4, 0.8)),
        own={"stages.0.learning_rate": 0.003, "optimizer.betas": [0.9, 0.999], "batch_size": 10},
        space=SPACE,
        tests=(RangeTest("stages.0.learning_rate", 0.01, 1e-3, 1e-1, "narrowed", (1e-4, 1.0), (2.0, 1.0)),),
        importance={"stages.0.learning_rate": 0.75, "batch_size": 0.25},
        photographs=50,
        groups=groups,
    )


def test_the_best_is_the_first_of_equals_and_never_a_pruned_one() -> None:
    found = outcome(row(1, 0.7), row(2, 0.8), row(3, 0.8), row(4, 0.9, complete=False))
    assert found.best is not None
    assert found.best.number == 2
    assert [one.number for one in found.complete] == [2, 3, 1]
    assert outcome(row(1, 0.2, complete=False)).best is None
    assert outcome(row(1, 0.2, complete=False)).interval is None


def test_the_interval_counts_groups_not_photographs() -> None:
    interval = outcome().interval
    low, high = wilson(0.8 * 40, 40)
    assert interval is not None
    assert (interval.value, interval.low, interval.high) == (0.8, float(low), float(high))
    assert outcome().as_good() == 2  # 0.7 lies inside of it, too
    assert outcome(row(1, 0.1), row(2, 0.8)).as_good() == 0


def test_the_winners_curse_is_said_with_numbers() -> None:
    said = result_in_words(outcome())
    assert said.startswith("accuracy 0.800 [0.65")
    assert "50 validation photographs of 40 groups" in said
    assert "trained on" not in said
    assert result_in_words(replace(outcome(), fraction=0.2)).endswith(
        "trained on 20% of the training photographs"
    )
    assert "groups" not in result_in_words(outcome(groups=50))
    assert result_in_words(outcome(metric="macro_f1")).startswith("macro F1 0.800, accuracy 0.800")
    assert "too high" in doubt_in_words(outcome())
    assert "Of the other 2 trials" in doubt_in_words(outcome())
    assert "Of the other" not in doubt_in_words(outcome(row(1, 0.5)))


def test_the_table_holds_every_trial() -> None:
    rows = list(csv.DictReader(io.StringIO(trials_csv(outcome()))))
    assert [one["state"] for one in rows] == ["complete", "complete", "pruned", "complete"]
    assert float(rows[1]["value"]) == 0.8
    assert rows[2]["accuracy"] == ""
    assert json.loads(rows[0]["optimizer.betas"]) == [0.8, 0.99]
    assert rows[3]["batch_size"] == "12"


def test_plain_values() -> None:
    plain = json.loads(json.dumps(outcome().to_dict(), allow_nan=False))
    assert plain["best"]["trial"] == 2
    assert plain["counts"] == {"wanted": 9, "complete": 3, "pruned": 1}
    assert plain["split"] == "valid"
    assert plain["accuracy"]["value"] == 0.8
    assert outcome(row(1, None, complete=False)).to_dict()["best"] is None


def test_where_the_best_values_come_from() -> None:
    said = provenance(outcome())
    assert "trial 2, the best of 4 by accuracy on validation" in said
    assert "stages.0.learning_rate: 0.003 -> 0.01" in said
    assert "batch_size" not in said  # it is as it was
    assert "no trial was better" in provenance(outcome(row(1, 0.9), row(2, 0.8)))


@pytest.mark.parametrize(
    ("value", "said"), [(0.00312345, "0.00312"), (3, "3"), ("light", "light"), ([1, 2], "[1, 2]")]
)
def test_values_for_people(value: object, said: str) -> None:
    assert shown(value) == said
