"""What a search came to: its trials, the best of them, how sure that is, and which keys mattered.

Enters: a study. Leaves: plain records, and a table as CSV. Every number in here is of the validation
photographs; no photograph of another split was ever looked at.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from leafsight.evaluation import Interval, wilson
from leafsight.experiments.search_range import RangeTest
from leafsight.experiments.search_space import Changes, Space, changes_of
from leafsight.experiments.search_study import AS_IT_STANDS, RUN, SharedStudy

LEAST_FOR_IMPORTANCE = 10
BEST_FOR_IMPORTANCE = 5
"""Optuna's advice for PED-ANOVA (Watanabe et al. 2023, arXiv 2304.10255): at least so many good trials."""
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One finished trial.

    Attributes:
        number: from 1; of its folder.
        value: of the metric; of a pruned trial what it had last, None if it had nothing.
        complete: whether it came to its end.
        changes: key path -> value.
        valid: accuracy, macro F1 and loss on validation at the kept epoch; empty when pruned.
        epochs: how many were trained.
        duration_s: from its beginning to its end, as the study saw it.
        as_it_stands: whether it is the recipe without changes.
        note: why it was ended.
    """

    number: int
    value: float | None
    complete: bool
    changes: Changes
    valid: dict[str, Any]
    epochs: int
    duration_s: float
    as_it_stands: bool
    note: str

    @property
    def folder(self) -> str:
        """Name of the folder of the trial."""
        return folder_name(self.number - 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "trial": self.number,
            "state": "complete" if self.complete else "pruned",
            "value": self.value,
            "changes": self.changes,
            "valid": self.valid,
            "epochs": self.epochs,
            "duration_s": round(self.duration_s, 3),
            "as_it_stands": self.as_it_stands,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """A search at one moment.

    Attributes:
        name: of the recipe.
        metric: what was searched for.
        wanted: number of finished trials.
        trials: finished ones, in order.
        own: the recipe's own values of the keys that it says something about.
        space: what was tried, after the range tests.
        tests: of learning rates.
        importance: share of each key, or empty where there are too few trials.
        photographs: that validate.
        groups: of those, how many are independent.
        fraction: of the training photographs that the trials trained on.
    """

    name: str
    metric: str
    wanted: int
    trials: tuple[TrialRow, ...]
    own: Changes
    space: Space
    tests: tuple[RangeTest, ...]
    importance: Mapping[str, float]
    photographs: int
    groups: int
    fraction: float = 1.0

    @property
    def complete(self) -> list[TrialRow]:
        """Trials that came to their end, best first; of equals the earlier one."""
        done = [row for row in self.trials if row.complete]
        return sorted(done, key=lambda row: (-float(row.value or 0.0), row.number))

    @property
    def best(self) -> TrialRow | None:
        """The trial with the highest value."""
        return next(iter(self.complete), None)

    @property
    def interval(self) -> Interval | None:
        """95 % Wilson interval of the best trial's accuracy; photographs of one group count as one."""
        if self.best is None:
            return None
        accuracy = float(self.best.valid["accuracy"])
        low, high = wilson(accuracy * self.groups, self.groups)
        return Interval(accuracy, float(low), float(high))

    def as_good(self) -> int:
        """Trials other than the best whose accuracy lies inside its interval."""
        if self.interval is None or self.best is None:
            return 0
        low, best = self.interval.low, self.best
        return sum(row is not best and float(row.valid["accuracy"]) >= low for row in self.complete)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        pruned = len(self.trials) - len(self.complete)
        return {
            "recipe": self.name,
            "metric": self.metric,
            "split": "valid",
            "counts": {"wanted": self.wanted, "complete": len(self.complete), "pruned": pruned},
            "best": self.best.to_dict() if self.best else None,
            "accuracy": self.interval.to_dict() if self.interval else None,
            "photographs": self.photographs,
            "independent": self.groups,
            "train_fraction": self.fraction,
            "as_good": self.as_good(),
            "own": self.own,
            "space": {key: tried.model_dump(mode="json") for key, tried in self.space.items()},
            "range_tests": [test.to_dict() for test in self.tests],
            "importance": dict(self.importance),
            "trials": [row.to_dict() for row in self.trials],
        }


def folder_name(run: int) -> str:
    """Of the trial that is Optuna's number ``run``; people count from 1."""
    return f"{run + 1:03d}"


def finished_rows(trials: Sequence[FrozenTrial], space: Space) -> tuple[TrialRow, ...]:
    """The finished ones among Optuna's trials."""
    rows = [_row(trial, space) for trial in trials if trial.state in STATES]
    return tuple(sorted(rows, key=lambda row: row.number))


def _row(trial: FrozenTrial, space: Space) -> TrialRow:
    facts = trial.user_attrs
    return TrialRow(
        number=int(facts[RUN]) + 1,
        value=trial.value,
        complete=trial.state == TrialState.COMPLETE,
        changes=changes_of(trial.params, space),
        valid=dict(facts.get("valid", {})),
        epochs=int(facts.get("epochs", 0)),
        duration_s=trial.duration.total_seconds() if trial.duration else 0.0,
        as_it_stands=bool(facts.get(AS_IT_STANDS, False)),
        note=str(facts.get("note", "")),
    )


def importance_of(study: SharedStudy, complete: Sequence[TrialRow]) -> dict[str, float]:
    """The share of each key in whether a trial is among the best ones, by PED-ANOVA; largest first.

    Empty for fewer than ten complete trials, or where all came to the same: nothing can be told then.
    """
    if len(complete) < LEAST_FOR_IMPORTANCE or len({row.value for row in complete}) < 2:
        return {}
    return study.importance(max(0.1, BEST_FOR_IMPORTANCE / len(complete)))


def trials_csv(outcome: SearchOutcome) -> str:
    """Every finished trial as a row; a value that is no number or word is written as JSON."""
    keys = list(outcome.space)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["trial", "state", "value", "accuracy", "macro_f1", "epochs", "seconds", "note", *keys])
    for row in outcome.trials:
        numbers = [row.valid.get(name, "") for name in ("accuracy", "macro_f1")]
        changes = [_cell(row.changes.get(key, "")) for key in keys]
        state, seconds = row.to_dict()["state"], math.ceil(row.duration_s)
        table.writerow([row.number, state, row.value, *numbers, row.epochs, seconds, row.note, *changes])
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def shown(value: Any) -> str:
    """A value of a recipe for people: numbers with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def trial_folder(folder: Path, run: int) -> Path:
    """Where a trial runs."""
    return folder / "trials" / folder_name(run)


def result_in_words(outcome: SearchOutcome) -> str:
    """The best number with its interval, and how far it can be believed."""
    best, interval = outcome.best, outcome.interval
    assert best is not None
    assert interval is not None
    groups = f" of {outcome.groups} groups" if outcome.groups < outcome.photographs else ""
    share = f", trained on {outcome.fraction:.0%} of the training photographs" if outcome.fraction < 1 else ""
    macro = f"macro F1 {best.value:.3f}, " if outcome.metric == "macro_f1" else ""
    return (
        f"{macro}accuracy {interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}] on "
        f"{outcome.photographs} validation photographs{groups}{share}"
    )


def doubt_in_words(outcome: SearchOutcome) -> str:
    """How far the best number can be believed (the winner's curse), and what to do about it."""
    others = len(outcome.complete) - 1
    told = ""
    if others:
        told = (
            f"Of the other {others} trials that came to their end, {outcome.as_good()} lie inside the "
            "interval of the best: these photographs do not tell them apart. "
        )
    return (
        f"The best of many is partly the luckiest of many, so its number is too high. {told}Train the best "
        "recipe and judge it on photographs that no trial has seen, such as the test split."
    )
