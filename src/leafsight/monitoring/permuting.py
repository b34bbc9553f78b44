"""Whether two windows differ by more than chance, without tables of distributions.

Enters: what was counted or summed on each occasion, and which occasions are recent. Leaves: how large each
difference is, how large chance alone makes it, and how often chance makes it as large. It does not know what
the numbers mean.

Photographs of one occasion are alike: one person, one field, one light. A test that takes each photograph for
itself calls every new visitor a change. So whole occasions are dealt out anew to the two windows, many times,
and the differences that come of it are what chance does (permutation of exchangeable units; Anderson,
"Permutation tests for univariate or multivariate analysis of variance and regression", Can. J. Fish. Aquat.
Sci. 58, 2001). All measures are dealt out together, so that looking at many of them costs no false alarms
(single-step minP; Westfall and Young, "Resampling-based multiple testing", 1993).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PERMUTATIONS = 1999
SMOOTHING = 0.5
"""Added to each count before the logarithm of a share is taken (Jeffreys' prior): no share is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """One measure in all deals, the first of which is what really was.

    Attributes:
        size: how far the windows differ: population stability index, or share of the spread explained.
        statistic: what is compared with chance.
    """

    size: np.ndarray
    statistic: np.ndarray

    @property
    def by_chance(self) -> float:
        """The size that chance alone makes, in the middle of all deals."""
        return float(np.median(self.size[1:]))


def deals(reference: int, recent: int, permutations: int = PERMUTATIONS, seed: int = 0) -> np.ndarray:
    """Which occasions are recent, in each deal: float32 ``[1 + permutations, occasions]`` of 0 and 1.

    Args:
        reference: occasions of the reference window; they come first.
        recent: occasions of the recent one.
        permutations: deals beside the real one.
        seed: the same answer for the same numbers, whoever looks.
    """
    rng = np.random.default_rng(seed)
    real = np.arange(reference + recent) >= reference
    dealt = rng.random((permutations, reference + recent)).argsort(axis=1) < recent
    return np.concatenate([real[None], dealt]).astype(np.float32)


def shares_differ(counts: np.ndarray, dealt: np.ndarray) -> Spread:
    """Differences of shares.

    The size is the population stability index, the sum of (p - q) ln(p / q) over the shares p now and q then
    (Kullback and Leibler's J, "On information and sufficiency", 1951; its use for scores: Siddiqi, "Credit
    risk scorecards", 2006). The statistic is G = 2 sum O ln(O / E) (Sokal and Rohlf, "Biometry", 1981, 17.4).

    Args:
        counts: ``[occasions, kinds]``.
        dealt: of ``deals``.
    """
    now = dealt @ counts.astype(np.float32)
    total = counts.sum(axis=0, dtype=np.float64)
    both = np.stack([now.astype(np.float64), total - now])  # [2, deals, kinds]
    kinds = counts.shape[1]
    p, q = (both + SMOOTHING) / (both.sum(axis=2, keepdims=True) + SMOOTHING * kinds)
    sums = both.sum(axis=2, keepdims=True)
    expected = sums * total / max(1.0, total.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(both > 0, both * np.log(both / expected), 0.0)
    return Spread(((p - q) * np.log(p / q)).sum(axis=1), 2 * parts.sum(axis=(0, 2)))


def means_differ(sums: np.ndarray, sizes: np.ndarray, squares: float, dealt: np.ndarray) -> Spread:
    """Differences of mean vectors.

    The size is R2 = between / (between + within): the part of the squared distances to the common mean that
    the windows explain. As a statistic it orders as the pseudo-F of PERMANOVA with Euclidean distances does
    (Anderson, "A new method for non-parametric multivariate analysis of variance", Austral Ecology 26, 2001).

    Args:
        sums: of the vectors of each occasion, ``[occasions, d]``.
        sizes: vectors of each occasion.
        squares: sum of the squared lengths of all vectors.
        dealt: of ``deals``.
    """
    many = float(sizes.sum())
    mean = sums.sum(axis=0) / many
    centred = (sums - sizes[:, None] * mean).astype(np.float32)
    now = (dealt @ sizes.astype(np.float32)).astype(np.float64)
    squared = np.square(dealt @ centred, dtype=np.float64).sum(axis=1)
    # Centred sums of the windows are opposite, so one of them says both distances.
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where((now > 0) & (now < many), squared * (1 / now + 1 / (many - now)), 0.0)
    scatter = max(squares - many * float(mean @ mean), 1e-12)
    explained = np.minimum(between / scatter, 1.0)
    return Spread(explained, explained)


def p_values(spreads: list[Spread]) -> tuple[list[float], list[float]]:
    """How often chance makes each statistic as large; alone, and as the largest of all measures.

    The real deal is counted as one of those that chance could make, so that no value is 0 (Phipson and Smyth,
    "Permutation p-values should never be zero", 2010).
    """
    if not spreads:
        return [], []
    alone = np.stack([_tails(one.statistic) for one in spreads])
    least = np.sort(alone.min(axis=0))
    together = np.searchsorted(least, alone[:, 0], side="right") / least.size
    return [float(p) for p in alone[:, 0]], [float(p) for p in together]


def _tails(statistic: np.ndarray) -> np.ndarray:
    """For each deal the share of deals with at least its statistic; equal but for rounding is equal."""
    values = np.round(statistic, 9 - _magnitude(statistic))
    ordered = np.sort(values)
    return (values.size - np.searchsorted(ordered, values, side="left")) / values.size


def _magnitude(values: np.ndarray) -> int:
    largest = float(np.abs(values).max())
    return 0 if largest == 0 else math.ceil(math.log10(largest))
