"""Judged runs -> the rows of an ablation's table: means, spreads, differences, each with its interval.

Enters: answers of every run to the same photographs. Leaves: records for tables and pages. It trains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from leafsight.errors import StorageError
from leafsight.evaluation import (
    Interval,
    Repeated,
    Resampled,
    Resampling,
    plain,
    repeated,
    repeated_difference,
    resampled_metrics,
)
from leafsight.experiments.ablation_plan import AblationPlan, Row
from leafsight.experiments.run_scores import RunScores
from leafsight.storage import read_json

METRICS = ("accuracy", "macro_f1")
AUC = "auc"
VALID = "valid"
CHOSEN_RECALL = "chosen_recall"


@dataclass(frozen=True)
class CellResult:
    """One judged run, or mean of runs.

    Attributes:
        seed: of the table.
        place: its folder below the ablation's.
        scores: answers by split.
        duration_s: of training; of all members for a mean.
        machine: what it ran on, from ``run.json``.
        train_counts: photographs of each class that it was trained on.
    """

    seed: int
    place: Path
    scores: Mapping[str, RunScores]
    duration_s: float
    machine: Mapping[str, Any]
    train_counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RowResult:
    """One variant over its seeds.

    Attributes:
        name: of the variant.
        title: what it is, for people.
        change: key path -> value, all of them.
        views: averaged views of each photograph.
        average: runs whose weights were averaged; 0 for single runs.
        seeds: of the runs that are finished.
        metrics: by split and name.
        differences: to the row compared with, on the judged split, by name; empty for that row itself and
            where the two were judged on other photographs.
        duration_s: mean over the runs.
        published: what the original reached, or ``None``.
        failure: why a run of it is missing, or empty.
    """

    name: str
    title: str
    change: Mapping[str, Any]
    views: int
    average: int
    seeds: tuple[int, ...]
    metrics: Mapping[str, Mapping[str, Repeated]]
    differences: Mapping[str, Repeated]
    duration_s: float
    published: float | None
    failure: str = ""


@dataclass(frozen=True)
class AblationResult:
    """The whole table as far as it is known.

    Attributes:
        name: of the table.
        title: what it asks.
        recipe: name of the recipe.
        metric: by which variants are compared.
        against: the row that the others are compared with.
        split: the photographs that judge.
        seeds: wanted.
        rows: in order; rows without a finished run have no numbers.
        photos: judged photographs, and groups among them, of the row compared with.
        machine: of the first finished run.
        smallest: names of the classes whose recall is told by itself.
        changes: that hold for every row.
    """

    name: str
    title: str
    recipe: str
    metric: str
    against: str
    split: str
    seeds: tuple[int, ...]
    rows: tuple[RowResult, ...]
    photos: tuple[int, int] = (0, 0)
    machine: Mapping[str, Any] = field(default_factory=dict)
    smallest: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values."""
        result: dict[str, Any] = plain(self)
        return result

    @property
    def is_complete(self) -> bool:
        """Whether every row has every seed, or a reason why not."""
        return all(len(row.seeds) == len(self.seeds) or row.failure for row in self.rows)


def pool_results(
    plan: AblationPlan,
    cells: Mapping[str, Sequence[CellResult]],
    split: str,
    failures: Mapping[str, str] | None = None,
    how: Resampling | None = None,
) -> AblationResult:
    """Pool the judged runs of every row.

    Args:
        plan: for names and order.
        cells: by variant, the judged runs.
        split: that the differences are taken on.
        failures: by variant, why a run is missing.
        how: of the intervals.
    """
    how = how or Resampling()
    base = cells.get(plan.against, ())
    first = base[0] if base else next((found[0] for found in cells.values() if found), None)
    smallest = _smallest(first, plan.options.smallest)
    drawn = _Drawn(how, smallest)
    rows = tuple(
        _row(row, plan, cells.get(row.variant.name, ()), base, split, drawn, (failures or {}))
        for row in plan.rows
    )
    judged = first.scores[split] if first else None
    return AblationResult(
        name=plan.name,
        title=plan.options.title,
        recipe=plan.recipe.recipe.name,
        metric=plan.options.metric,
        against=plan.against,
        split=split,
        seeds=tuple(plan.options.seeds),
        rows=rows,
        photos=drawn.photos(judged) if judged else (0, 0),
        machine=first.machine if first else {},
        smallest=tuple(judged.classes[number] for number in smallest) if judged else (),
        changes=plan.changes,
    )


class _Drawn:
    """Resampled numbers of judged runs, each worked out once."""

    def __init__(self, how: Resampling, recall_of: tuple[int, ...]) -> None:
        self.how, self._recall_of = how, recall_of
        self._known: dict[str, Mapping[str, Resampled]] = {}
        self._photos: dict[str, tuple[int, int]] = {}

    def of(self, scores: RunScores) -> Mapping[str, Resampled]:
        if scores.key not in self._known:
            evaluation = scores.evaluation()
            self._photos[scores.key] = (evaluation.overall.photos, evaluation.overall.groups)
            names = (*METRICS, AUC) if AUC in evaluation.overall.metrics else METRICS
            self._known[scores.key] = resampled_metrics(
                evaluation, names, self.how, recall_of=self._recall_of
            )
        return self._known[scores.key]

    def photos(self, scores: RunScores) -> tuple[int, int]:
        """Photographs and independent groups among them."""
        self.of(scores)
        return self._photos[scores.key]


def _row(
    row: Row,
    plan: AblationPlan,
    cells: Sequence[CellResult],
    base: Sequence[CellResult],
    split: str,
    drawn: _Drawn,
    failures: Mapping[str, str],
) -> RowResult:
    variant = row.variant
    splits = cells[0].scores.keys() if cells else ()
    metrics = {}
    for one in splits:
        by_run = [drawn.of(cell.scores[one]) for cell in cells]
        metrics[one] = {name: repeated([run[name] for run in by_run], drawn.how) for name in by_run[0]}
    return RowResult(
        name=variant.name,
        title=variant.title,
        change=plan.options.changes_of(variant),
        views=variant.views,
        average=variant.average,
        seeds=tuple(cell.seed for cell in cells),
        metrics=metrics,
        differences={} if variant.name == plan.against else _differences(cells, base, split, drawn),
        duration_s=fmean(cell.duration_s for cell in cells) if cells else 0.0,
        published=variant.published,
        failure=failures.get(variant.name, ""),
    )


def _differences(
    cells: Sequence[CellResult], base: Sequence[CellResult], split: str, drawn: _Drawn
) -> dict[str, Repeated]:
    """Run by run with the same seed, where both were judged on the same photographs under the same labels."""
    theirs = {cell.seed: cell for cell in base}
    pairs = [(cell.scores[split], theirs[cell.seed].scores[split]) for cell in cells if cell.seed in theirs]
    if not pairs or any(not _same_exam(a, b) for a, b in pairs):
        return {}
    ours, others = [drawn.of(a) for a, _ in pairs], [drawn.of(b) for _, b in pairs]
    return {
        name: repeated_difference([one[name] for one in ours], [one[name] for one in others], drawn.how)
        for name in ours[0]
    }


def _same_exam(a: RunScores, b: RunScores) -> bool:
    return a.photos == b.photos and a.classes == b.classes and np.array_equal(a.labels, b.labels)


def _smallest(cell: CellResult | None, count: int) -> tuple[int, ...]:
    """Classes with the fewest training photographs, by number; ties go to the earlier name."""
    if cell is None or not count:
        return ()
    order = np.argsort(np.asarray(cell.train_counts), kind="stable")
    return tuple(int(number) for number in order[:count])


def load_ablation(folder: Path) -> AblationResult:
    """Read ``table.json`` of an ablation back.

    Raises:
        StorageError: missing, or no such table.
    """
    path = folder / "table.json"
    told = read_json(path)
    try:
        return _result_of(told)
    except (KeyError, TypeError, AttributeError) as error:
        raise StorageError(f"{path} holds no table of an ablation: {error}") from error


def _result_of(told: dict[str, Any]) -> AblationResult:
    rows = tuple(
        RowResult(
            **{
                **row,
                "seeds": tuple(row["seeds"]),
                "metrics": {split: _numbers(found) for split, found in row["metrics"].items()},
                "differences": _numbers(row["differences"]),
            }
        )
        for row in told["rows"]
    )
    lists = {name: tuple(told[name]) for name in ("seeds", "photos", "smallest")}
    return AblationResult(**{**told, **lists, "rows": rows})


def _numbers(told: Mapping[str, Any]) -> dict[str, Repeated]:
    return {
        name: Repeated(
            found["runs"],
            Interval(*(_number(found["mean"][end]) for end in ("value", "low", "high"))),
            _number(found["spread"]),
            tuple(_number(value) for value in found["values"]),
        )
        for name, found in told.items()
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
