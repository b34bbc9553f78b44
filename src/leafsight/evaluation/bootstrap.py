"""How much a number would move with other photographs: the bootstrap, over whole groups.

Photographs of one leaf are not independent evidence. So groups are drawn, with replacement, and every
photograph of a drawn group comes along (cluster bootstrap; Davison and Hinkley 1997, section 3.8; Field and
Welsh 2007). Without groups each photograph is its own.

Every metric here is a function of sums over photographs. So a resample is a row of counts (how often each
group was drawn) and all resamples together are one matrix product: ``counts[b, g] @ sums[g, m]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from leafsight.evaluation.interval import Interval
from leafsight.evaluation.shapes import RowInts

COUNTS_IN_MEMORY = 4_000_000  # 32 MB of float64 at a time
Sums = dict[str, np.ndarray]
Metrics = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made: number of resamples, level, seed of the draws."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0


def group_sums(columns: Mapping[str, np.ndarray], groups: RowInts, n_groups: int) -> Sums:
    """Add up the photographs of each group.

    Args:
        columns: by name, float[n] or float[n, m]: what each photograph adds to a sum.
        groups: int[n], 0..n_groups-1.
        n_groups: number of groups.

    Returns:
        by name, float64[n_groups, m] (m = 1 for one-dimensional columns).
    """
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(n_groups))
    flat = {name: values.reshape(len(groups), -1) for name, values in columns.items()}
    return {name: np.add.reduceat(values[order].astype(np.float64), starts) for name, values in flat.items()}


def draws(n_groups: int, how: Resampling) -> Iterator[np.ndarray]:
    """How often each group was drawn, float64[b, n_groups], in chunks that fit into memory.

    The draws depend on the seed and the number of groups alone, so two models judged on the same
    photographs meet the same resamples.
    """
    generator = np.random.default_rng(how.seed)
    chunk = max(1, COUNTS_IN_MEMORY // n_groups)
    for start in range(0, how.resamples, chunk):
        b = min(chunk, how.resamples - start)
        picks = generator.integers(0, n_groups, size=(b, n_groups))
        picks += (np.arange(b) * n_groups)[:, None]
        counts = np.bincount(picks.ravel(), minlength=b * n_groups)
        yield counts.reshape(b, n_groups).astype(np.float64)


def resample(sums: Sums, measure: Callable[[Sums], Metrics], how: Resampling) -> tuple[Metrics, Metrics]:
    """Every metric once as measured and once for every resample.

    Args:
        sums: from ``group_sums``.
        measure: sums float64[b, m] by name -> metrics float64[b, ...] by name.
        how: number of resamples and seed.

    Returns:
        the point estimates float64[...] and the resampled ones float64[resamples, ...].
    """
    table = np.concatenate(list(sums.values()), axis=1)
    stops = np.cumsum([values.shape[1] for values in sums.values()])[:-1]

    def named(rows: np.ndarray) -> Sums:
        return dict(zip(sums, np.split(rows, stops, axis=1), strict=True))

    whole = measure(named(table.sum(axis=0, keepdims=True)))
    points = {name: np.asarray(value[0]) for name, value in whole.items()}
    parts = [measure(named(counts @ table)) for counts in draws(len(table), how)]
    return points, {name: np.concatenate([part[name] for part in parts]) for name in points}


def percentile_interval(
    point: float, resampled: np.ndarray, confidence: float, *, centred: bool = False
) -> Interval:
    """The percentile interval (Efron 1979); resamples in which the metric is not defined are left out.

    Args:
        point: the measured value.
        resampled: float64[b].
        confidence: such as 0.95.
        centred: move the resamples so that their mean is the point. For calibration errors, which are sums
            of absolute noise: every resample adds noise, so plain percentiles lie too high and may not even
            hold the point. The ends are cut at 0.
    """
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(point) or not defined.size:
        return Interval(float("nan"), float("nan"), float("nan"))
    if centred:
        defined = np.maximum(defined + (point - defined.mean()), 0.0)
    low, high = np.quantile(defined, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    return Interval(float(point), float(low), float(high))
