"""Several runs of one recipe, and two recipes side by side: means, spreads and intervals that mind both.

A number of one run moves with the seed and with the photographs that judged it. Here both are drawn anew: the
photographs by whole groups, the same draw for every run, and the runs themselves (a two-way bootstrap, Owen
2007, "The pigeonhole bootstrap", arXiv:0712.1111). Runs are few, so the spread between drawn runs is widened
by ``sqrt(k / (k - 1))``, as a variance of k values is divided by k - 1; with one run only photographs count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.bootstrap import (
    Metrics,
    Resampling,
    Sums,
    group_sums,
    percentile_interval,
    resample,
)
from leafsight.evaluation.interval import Interval
from leafsight.evaluation.metrics import measure
from leafsight.evaluation.ranking import auc, auc_resampled
from leafsight.evaluation.results import Evaluation, plain


@dataclass(frozen=True, slots=True)
class Resampled:
    """One run's number once as measured and once for every draw of photographs.

    Attributes:
        point: as measured.
        draws: float64[resamples]; runs judged on the same photographs met the same draws.
    """

    point: float
    draws: np.ndarray


@dataclass(frozen=True, slots=True)
class Repeated:
    """A number over several runs.

    Attributes:
        runs: how many.
        mean: of the runs, with the interval over runs and photographs.
        spread: standard deviation between the runs (divisor k - 1); NaN of one run.
        values: of each run, in order.
    """

    runs: int
    mean: Interval
    spread: float
    values: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values."""
        result: dict[str, Any] = plain(self)
        return result


def resampled_metrics(
    evaluation: Evaluation,
    names: Sequence[str],
    how: Resampling | None = None,
    *,
    recall_of: Sequence[int] = (),
) -> Mapping[str, Resampled]:
    """Some numbers of ``metrics.measure``, and ``auc`` of two classes, resampled over groups of photographs.

    Args:
        evaluation: of one run.
        names: such as ``accuracy`` and ``macro_f1``.
        how: the same for every run that is to be compared.
        recall_of: classes by number; the mean of their recalls is added as ``chosen_recall``.

    Raises:
        EvaluationError: a number that is not measured.
    """

    def measured(sums: Sums) -> Metrics:
        found = measure(sums)
        if len(recall_of):
            chosen = np.asarray(recall_of)
            support = sums["support"][:, chosen]
            with np.errstate(invalid="ignore", divide="ignore"):
                recall = np.where(support > 0, sums["hits"][:, chosen] / support, np.nan)
            # A class that no drawn photograph shows is left out of the mean.
            present = np.maximum((support > 0).sum(axis=1), 1)
            found["chosen_recall"] = np.nansum(recall, axis=1) / present
        return found

    evidence = evaluation.evidence
    n_groups = int(evidence.groups.max()) + 1
    how = how or Resampling()
    sums = group_sums(evidence.columns, evidence.groups, n_groups)
    points, drawn = resample(sums, measured, how)
    if "margin" in evidence.columns and "auc" in names:
        margin, second = evidence.columns["margin"], evidence.labels == 1
        points["auc"] = np.asarray(auc(margin, second))
        drawn["auc"] = auc_resampled(margin, second, evidence.groups, how)
    names = (*names, "chosen_recall") if len(recall_of) else tuple(names)
    missing = [name for name in names if name not in points]
    if missing:
        raise EvaluationError(f"{', '.join(missing)} is not measured here")
    return {name: Resampled(float(points[name]), drawn[name]) for name in names}


def repeated(runs: Sequence[Resampled], how: Resampling | None = None) -> Repeated:
    """The mean over runs of one recipe that differ in their seed.

    Args:
        runs: at least one, resampled with the same ``how``.
        how: its seed draws the runs, its level is that of the interval.

    Raises:
        EvaluationError: no run, or runs with different numbers of draws.
    """
    how = how or Resampling()
    if not runs or len({len(run.draws) for run in runs}) > 1:
        raise EvaluationError(f"{len(runs)} runs without a common number of resamples cannot be pooled")
    values = np.array([run.point for run in runs])
    table = np.stack([run.draws for run in runs])  # [runs, resamples]
    drawn = _means_of_drawn_runs(table, how.seed)
    spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    mean = percentile_interval(float(values.mean()), drawn, how.confidence)
    return Repeated(len(runs), mean, spread, tuple(values.tolist()))


def repeated_difference(
    ours: Sequence[Resampled], theirs: Sequence[Resampled], how: Resampling | None = None
) -> Repeated:
    """``ours - theirs``, run by run: the n-th of both have the same seed and met the same photographs.

    Raises:
        EvaluationError: not the same number of runs, or none.
    """
    if len(ours) != len(theirs):
        raise EvaluationError(f"{len(ours)} runs cannot be paired with {len(theirs)}")
    pairs = zip(ours, theirs, strict=True)
    return repeated([Resampled(a.point - b.point, a.draws - b.draws) for a, b in pairs], how)


def _means_of_drawn_runs(table: np.ndarray, seed: int) -> np.ndarray:
    """float64[resamples]: in each draw of photographs, the mean over as many runs drawn with replacement."""
    k, resamples = table.shape
    middle = table.mean(axis=0)
    if k == 1:
        return np.asarray(middle)
    picks = np.random.default_rng([seed, k]).integers(0, k, size=(k, resamples))
    drawn = np.take_along_axis(table, picks, axis=0).mean(axis=0)
    return np.asarray(middle + (drawn - middle) * np.sqrt(k / (k - 1)))
