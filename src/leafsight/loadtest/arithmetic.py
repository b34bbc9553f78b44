"""Arrival times, quantiles and their intervals: the arithmetic of the study, on plain numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence

Z_95 = 1.959964
"""Of the normal distribution: 95 % lie within it (two-sided)."""


def poisson_schedule(rate_per_s: float, seconds: float, seed: int) -> list[float]:
    """Arrival times in [0, seconds) of a Poisson process: independent exponential gaps of mean 1 / rate.

    Raises:
        ValueError: the rate is not above 0.
    """
    if rate_per_s <= 0:
        raise ValueError(f"the rate is {rate_per_s}, not above 0")
    generator, at, found = random.Random(seed), 0.0, []  # noqa: S311 (a load, no secret)
    while (at := at + generator.expovariate(rate_per_s)) < seconds:
        found.append(at)
    return found


def constant_schedule(rate_per_s: float, seconds: float) -> list[float]:
    """Arrival times in [0, seconds) at equal distances.

    Raises:
        ValueError: the rate is not above 0.
    """
    if rate_per_s <= 0:
        raise ValueError(f"the rate is {rate_per_s}, not above 0")
    return [number / rate_per_s for number in range(math.ceil(seconds * rate_per_s))]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of sorted values: always one that was observed, never between two.

    Raises:
        ValueError: no values.
    """
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def quantile_interval(ordered: Sequence[float], share: float) -> tuple[float, float] | None:
    """A 95 % interval of a quantile from order statistics, or None where there are too few values for it.

    The number of values below the true quantile is binomial; its normal approximation gives the two ranks
    (Conover, Practical Nonparametric Statistics, 3.2). Requests under load are not independent: the true
    uncertainty is larger, which is why the study repeats its steps and shows their spread, too.
    """
    count = len(ordered)
    half = Z_95 * math.sqrt(count * share * (1 - share))
    low, high = math.floor(count * share - half), math.ceil(count * share + half)
    if low < 1 or high > count:
        return None
    return ordered[low - 1], ordered[high - 1]


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, JASA 1927); (0, 1) without any."""
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, Z_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z_95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def spread_ms(seconds: Iterable[float]) -> dict[str, float] | None:
    """p50, p95, p99 and max in milliseconds; None without values."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(quantile(ordered, share) * 1e3, 3) for name, share in shares.items()}
