"""The rules that `benchmarks/combining.py` compares: how k answers become one, and when a plant is familiar.

Enters: log-probabilities of drawn plants. Leaves: the log-likelihood, ECE and accuracy of each rule, with the
growth that suits it best. It does not know where the plants come from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

KS = (1, 2, 3, 6)
BINS = 15
SHIPPED_GROWTH = 0.25
Growth = dict[int, float]
Case = tuple[tuple[str, str], bool, int]
"""Split and kind of plants, whether the crop is given, how many photographs."""


@dataclass(frozen=True)
class Drawn:
    """Drawn plants: log-probabilities [n, k, c], labels [n], number of the plant [n], photographs [n, k]."""

    logs: np.ndarray
    labels: np.ndarray
    plant: np.ndarray
    rows: np.ndarray

    def means(self, values: np.ndarray) -> np.ndarray:
        """Mean over the drawings of each plant; NaN for plants that are not asked."""
        counts = np.bincount(self.plant)
        with np.errstate(invalid="ignore"):
            return np.bincount(self.plant, values) / counts


def arithmetic(logs: np.ndarray) -> np.ndarray:
    return np.log(np.exp(logs).mean(axis=1))


def geometric(logs: np.ndarray) -> np.ndarray:
    return logs.mean(axis=1)


def trimmed(logs: np.ndarray) -> np.ndarray:
    return np.sort(logs, axis=1)[:, 1:-1].mean(axis=1) if logs.shape[1] > 2 else logs.mean(axis=1)


def median(logs: np.ndarray) -> np.ndarray:
    return np.asarray(np.median(logs, axis=1))


def vote(logs: np.ndarray) -> np.ndarray:
    """Shares of first guesses; a tenth of a vote goes by the mean probability, which also breaks ties."""
    hits = np.eye(logs.shape[2])[logs.argmax(axis=2)].sum(axis=1)
    return np.log((hits + 0.1 * np.exp(logs).mean(axis=1)) / (logs.shape[1] + 0.1) + 1e-12)


PRIOR = "geometric mean, class prior"
METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "geometric mean (chosen)": geometric,
    PRIOR: geometric,
    "geometric mean, trimmed": trimmed,
    "median": median,
    "arithmetic mean": arithmetic,
    "vote": vote,
}
GATES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda strange: strange.mean(axis=1),
    "lower median (chosen)": lambda strange: np.sort(strange, axis=1)[:, (strange.shape[1] - 1) // 2],
    "lower third": lambda strange: np.sort(strange, axis=1)[:, (strange.shape[1] - 1) // 3],
    "most familiar": lambda strange: strange.min(axis=1),
}


def compare(
    cases: dict[Case, Drawn],
    fitting: list[tuple[str, str]],
    titles: dict[str, list[tuple[str, str]]],
    prior: np.ndarray,
) -> list[dict[str, Any]]:
    """Each rule with no growth, its best one, that of Bayes' rule, and one of its own for each k.

    Args:
        cases: drawn plants.
        fitting: the sets of plants whose log-likelihood decides.
        titles: means over which sets are shown.
        prior: float[c], log shares of the classes.
    """
    found = []
    for name, method in METHODS.items():
        own = prior if name == PRIOR else np.zeros_like(prior)
        rule = Rule(cases, {case: method(drawn.logs) - own for case, drawn in cases.items()}, own)
        for which, growth in rule.growths([case for case in cases if case[0] in fitting]).items():
            row = {"method": name, "which": which, "growth": [round(growth[k], 3) for k in KS[1:]]}
            for title, sets in titles.items():
                some = [(drawn, rule.said(case, growth)) for case, drawn in cases.items() if case[0] in sets]
                row[title] = [
                    float(np.mean([ask(*one) for one in some])) for ask in (mean_nll, ece, accuracy)
                ]
            losses = {case: rule.losses(case, growth) for case in cases if case[0] in fitting}
            found.append((row, losses))
    reference = next(losses for row, losses in found if row["which"] == "a quarter")
    return [{**row, "more_than_chosen": difference(losses, reference)} for row, losses in found]


@dataclass(frozen=True)
class Rule:
    """One way to pool, before it is sharpened; ``prior`` was taken away and comes back after that."""

    cases: dict[Case, Drawn]
    pooled: dict[Case, np.ndarray]
    prior: np.ndarray

    def said(self, case: Case, growth: Growth) -> np.ndarray:
        scaled = self.pooled[case] * case[2] ** growth[case[2]] + self.prior
        return scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)

    def losses(self, case: Case, growth: Growth) -> np.ndarray:
        return nll(self.cases[case], self.said(case, growth))

    def growths(self, fitting: list[Case]) -> dict[str, Growth]:
        def best(ks: tuple[int, ...]) -> float:
            some = [case for case in fitting if case[2] in ks]
            return golden(
                lambda one: float(np.mean([np.nanmean(self.losses(c, dict.fromkeys(KS, one))) for c in some]))
            )

        fixed = {"none": 0.0, "best": best(KS), "a quarter": SHIPPED_GROWTH, "Bayes": 1.0}
        same = {which: dict.fromkeys(KS, growth) for which, growth in fixed.items()}
        return {**same, "by k": {k: best((k,)) for k in KS[1:]}}


def nll(drawn: Drawn, logs: np.ndarray) -> np.ndarray:
    return drawn.means(-logs[np.arange(len(logs)), drawn.labels])


def mean_nll(drawn: Drawn, logs: np.ndarray) -> float:
    return float(np.nanmean(nll(drawn, logs)))


def accuracy(drawn: Drawn, logs: np.ndarray) -> float:
    return float(np.nanmean(drawn.means(logs.argmax(axis=1) == drawn.labels)))


def ece(drawn: Drawn, logs: np.ndarray) -> float:
    sure, right = np.exp(logs.max(axis=1)), logs.argmax(axis=1) == drawn.labels
    weight = 1.0 / np.bincount(drawn.plant)[drawn.plant]
    bins = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    return float(np.abs(np.bincount(bins, weight * (sure - right), BINS)).sum() / weight.sum())


def difference(losses: dict[Case, np.ndarray], reference: dict[Case, np.ndarray]) -> list[float]:
    """Mean loss more than the reference's, with the 95 % interval of 1,000 resamples of plants, paired."""
    drawn = np.zeros(1000)
    point = 0.0
    counts: dict[tuple[str, str], np.ndarray] = {}
    for case, values in losses.items():
        gap = values - reference[case]
        there = np.isfinite(gap)
        if case[0] not in counts:  # the same resamples for every k, with and without the crop
            n = max(len(one) for other, one in losses.items() if other[0] == case[0])
            counts[case[0]] = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), 1000)
        weight = counts[case[0]][:, : len(gap)][:, there]
        drawn += (weight @ gap[there]) / weight.sum(axis=1) / len(losses)
        point += float(gap[there].mean()) / len(losses)
    return [point, *(float(end) for end in np.quantile(drawn, [0.025, 0.975]))]


def golden(loss: Callable[[float], float], low: float = -0.5, high: float = 1.5) -> float:
    """Where a convex function is smallest, by golden sections."""
    part = (5**0.5 - 1) / 2
    for _ in range(25):
        left, right = high - part * (high - low), low + part * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2
