"""From out-of-fold scores to what they say: shares with intervals, and the classes that are given away.

Enters: scores, labels and what belongs together. Leaves: a ``ShortcutView`` for each view.
It does not know what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leafsight.evaluation.bootstrap import (
    Metrics,
    Resampling,
    Sums,
    group_sums,
    percentile_interval,
    resample,
)
from leafsight.evaluation.interval import Interval, wilson
from leafsight.evaluation.metrics import confusion_matrix, one_hot
from leafsight.evaluation.shapes import Labels, RowInts
from leafsight.evaluation.shortcut_records import ShortcutView

SETTINGS = Resampling(resamples=500)
"""Half of what an evaluation draws: six views, and nobody decides on their second digit."""
NUMBERS_IN_MEMORY = 4_000_000
"""Views are judged together, which draws the resamples once, as far as 32 MB of float64 reach."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is judged of one view.

    Attributes:
        name: of the view.
        sees: what it sees, in words.
        without_leaf: it is of the border alone.
        scores: float[n, c], out of fold, as if all classes were equally frequent.
    """

    name: str
    sees: str
    without_leaf: bool
    scores: np.ndarray


class ShortcutJudge:
    """Turns scores into ``ShortcutView``s; knows the truth and what is independent."""

    def __init__(self, labels: Labels, codes: RowInts, names: tuple[str, ...], seed: int) -> None:
        self._labels, self._codes, self._names = labels, codes, names
        self._support = np.bincount(labels, minlength=len(names))
        self._groups = np.bincount(labels[np.unique(class_group_pairs(labels, codes), return_index=True)[1]])
        self._how = Resampling(SETTINGS.resamples, SETTINGS.confidence, seed)

    def views(self, seen: Sequence[Seen]) -> tuple[ShortcutView, ...]:
        """What the scores of each view are worth."""
        shares = self._support / len(self._labels)
        even = [view.scores.argmax(axis=1) for view in seen]
        # The scores hold for equally frequent classes; Bayes' rule brings in how frequent they are here.
        frequent = [(np.maximum(view.scores, 0.0) * shares).argmax(axis=1) for view in seen]
        at_once = max(1, NUMBERS_IN_MEMORY // (len(self._labels) * len(self._names)))
        intervals: list[tuple[Interval, Interval]] = []
        for at in range(0, len(seen), at_once):
            own = slice(at, at + at_once)
            intervals += self._intervals(np.stack(frequent[own]), np.stack(even[own]))
        views = []
        for view, named, (accuracy, balanced) in zip(seen, even, intervals, strict=True):
            matrix = confusion_matrix(self._labels, named, len(self._names))
            recall = self._recall(matrix)
            given = self._given_away(matrix, recall)
            views.append(
                ShortcutView(view.name, view.sees, view.without_leaf, accuracy, balanced, recall, given)
            )
        return tuple(views)

    def _intervals(self, frequent: np.ndarray, even: np.ndarray) -> list[tuple[Interval, Interval]]:
        """Accuracy and balanced accuracy of each view, from answers int[v, n]; one set of resamples."""
        true = one_hot(self._labels, len(self._names))
        columns = {
            "photos": np.ones(len(self._labels)),
            "right": (frequent == self._labels).T,
            "hits": np.stack([true * (one == self._labels)[:, None] for one in even], axis=1),
            "support": true,
        }
        n_groups = int(self._codes.max()) + 1
        points, resampled = resample(group_sums(columns, self._codes, n_groups), _measure, self._how)
        return [
            (
                self._interval(float(points["accuracy"][k]), resampled["accuracy"][:, k], n_groups),
                self._interval(
                    float(points["balanced_accuracy"][k]), resampled["balanced_accuracy"][:, k], n_groups
                ),
            )
            for k in range(len(even))
        ]

    def _interval(self, point: float, resampled: np.ndarray, n_groups: int) -> Interval:
        """Percentiles; at 0 and 1, where resampling sees no doubt, Wilson's interval on the groups."""
        if point not in (0.0, 1.0):
            return percentile_interval(point, resampled, self._how.confidence)
        low, high = wilson(point * n_groups, n_groups, self._how.confidence)
        return Interval(point, float(low), float(high))

    def _recall(self, matrix: np.ndarray) -> dict[str, Interval]:
        share = np.diag(matrix) / self._support
        low, high = wilson(share * self._groups, self._groups, self._how.confidence)
        return {
            name: Interval(float(share[k]), float(low[k]), float(high[k]))
            for k, name in enumerate(self._names)
        }

    def _given_away(self, matrix: np.ndarray, recall: dict[str, Interval]) -> tuple[str, ...]:
        """Found, for sure, at least half the way from chance to always, and named no worse than that.

        Precision is taken as if all classes were equally large: a classifier that answers everything with one
        class finds all of it, and gives nothing away.
        """
        rates = matrix / self._support[:, None]
        precision = np.diag(rates) / np.maximum(rates.sum(axis=0), 1e-12)
        half = (1.0 + 1.0 / len(self._names)) / 2.0
        given = [
            name for k, name in enumerate(self._names) if recall[name].low >= half and precision[k] >= half
        ]
        return tuple(sorted(given, key=lambda name: (-recall[name].value, name)))


def _measure(sums: Sums) -> Metrics:
    """Accuracy [b, v], and the mean recall over the classes that a resample holds, [b, v]."""
    support = sums["support"][:, None, :]
    hits = sums["hits"].reshape(len(support), -1, support.shape[2])
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(support > 0, hits / support, np.nan)
    return {
        "accuracy": sums["right"] / sums["photos"],
        "balanced_accuracy": np.nanmean(recall, axis=2),
    }


def class_group_pairs(labels: Labels, codes: RowInts) -> RowInts:
    """One number for each class and group."""
    return np.asarray(labels * (int(codes.max()) + 1) + codes)
