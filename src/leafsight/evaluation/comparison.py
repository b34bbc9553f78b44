"""Is one model better than another, on the same photographs, by more than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.answers import measure_answers
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
from leafsight.evaluation.results import Evaluation, plain


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences ``b - a``; positive means that b has more.

    Attributes:
        photos: number of photographs both were judged on.
        groups: number of independent groups among them.
        differences: by metric, with the paired bootstrap interval.
        f1_differences: by class, for classes with photographs.
        only_a_right: photographs that only a has right.
        only_b_right: photographs that only b has right.
    """

    photos: int
    groups: int
    differences: Mapping[str, Interval]
    f1_differences: Mapping[str, Interval]
    only_a_right: int
    only_b_right: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values."""
        result: dict[str, Any] = plain(self)
        return result


def compare(
    a: Evaluation, b: Evaluation, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Paired bootstrap (Efron and Tibshirani 1993, section 16): in every resample both meet the same groups.

    Pairing takes out what both find hard, so far smaller differences show than from two intervals.

    Args:
        a: the present model.
        b: the candidate.
        resamples: number of resamples.
        confidence: level of the intervals.
        seed: of the draws.

    Raises:
        EvaluationError: the two were not judged on the same photographs, groups and classes.
    """
    if a.classes != b.classes:
        raise EvaluationError("the two evaluations have different classes")
    mine, theirs = a.evidence, b.evidence
    if not (np.array_equal(mine.labels, theirs.labels) and np.array_equal(mine.groups, theirs.groups)):
        raise EvaluationError(
            "the two evaluations are not about the same photographs",
            hint="judge both models on the same split, in the same order, with the same groups",
        )
    shared = [name for name in mine.columns if name in theirs.columns and _same_width(mine, theirs, name)]
    both = {f"a {name}": mine.columns[name] for name in shared} | {
        f"b {name}": theirs.columns[name] for name in shared
    }

    def difference(sums: Sums) -> Metrics:
        one, other = (_measured({name: sums[f"{who} {name}"] for name in shared}) for who in "ab")
        return {name: other[name] - one[name] for name in one}

    n_groups = int(mine.groups.max()) + 1
    sums = group_sums(both, mine.groups, n_groups)
    points, resampled = resample(sums, difference, Resampling(resamples, confidence, seed))
    f1, f1_resampled = points.pop("f1"), resampled.pop("f1")
    right_a, right_b = mine.columns["correct"] > 0, theirs.columns["correct"] > 0
    return Comparison(
        photos=len(mine.labels),
        groups=n_groups,
        differences={
            name: percentile_interval(float(point), resampled[name], confidence)
            for name, point in points.items()
        },
        f1_differences={
            name: percentile_interval(float(f1[index]), f1_resampled[:, index], confidence)
            for index, name in enumerate(a.classes)
            if np.isfinite(f1[index])
        },
        only_a_right=int((right_a & ~right_b).sum()),
        only_b_right=int((right_b & ~right_a).sum()),
    )


def _measured(sums: Sums) -> Metrics:
    return measure(sums) | measure_answers(sums)


def _same_width(one: Any, other: Any, name: str) -> bool:
    return bool(one.columns[name].shape == other.columns[name].shape)
