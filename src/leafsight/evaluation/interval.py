"""A number with the range it may as well have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value and its confidence interval.

    Attributes:
        value: the point estimate; NaN when it is not defined.
        low: lower end, NaN when not defined.
        high: upper end, NaN when not defined.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Plain values; what is not defined becomes ``None``, since JSON has no NaN."""
        return {"value": number(self.value), "low": number(self.low), "high": number(self.high)}


def number(value: float) -> float | None:
    """``value`` for JSON: rounded to eight digits, ``None`` when not finite."""
    return float(f"{value:.8g}") if np.isfinite(value) else None


def wilson(hits: Any, trials: Any, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided score interval of a share (Wilson 1927, "Probable Inference"), honest for tiny counts.

    Args:
        hits: successes, number or array; need not be whole (an effective count is allowed).
        trials: at least ``hits``; where it is 0 the interval is 0..1, since nothing is known.
        confidence: such as 0.95; a one-sided bound at level L is the end of the interval at ``2 L - 1``.

    Returns:
        lower and upper ends, float64, in 0..1.
    """
    from statistics import NormalDist  # 15 ms to import, and serving never needs an interval

    n = np.asarray(trials, dtype=np.float64)
    share = np.divide(hits, n, out=np.full_like(n, 0.5), where=n > 0)
    z2 = NormalDist().inv_cdf(0.5 + confidence / 2.0) ** 2
    safe = np.maximum(n, 1e-12)
    middle = (share + z2 / (2.0 * safe)) / (1.0 + z2 / safe)
    half = np.sqrt(z2 * (share * (1.0 - share) / safe + z2 / (4.0 * safe**2))) / (1.0 + z2 / safe)
    low = np.where(n > 0, np.clip(middle - half, 0.0, 1.0), 0.0)
    high = np.where(n > 0, np.clip(middle + half, 0.0, 1.0), 1.0)
    # At the ends the formula gives exactly the end; rounding must not leave a hair outside the value.
    return np.where(share <= 0, 0.0, low), np.where(share >= 1, np.where(n > 0, 1.0, high), high)
