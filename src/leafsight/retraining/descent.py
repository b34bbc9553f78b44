"""The lowest point of a smooth function of many numbers, from its values and slopes.

Enters: a function that gives both, and where to begin. Leaves: the point, and how many steps it took. It does
not know what the function means. NumPy has no such solver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Slope = Callable[[np.ndarray], tuple[float, np.ndarray]]
REMEMBERED = 10
"""Pairs of steps and slopes that stand for the curvature; 5 to 20 are usual."""
ENOUGH = 1e-4
"""Share of what the slope promises that a step must bring (Armijo 1966)."""
MOST_HALVINGS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where the descent ended.

    Attributes:
        at: the point.
        value: of the function there.
        steps: how many it took.
        settled: whether it stopped by itself, not for want of steps.
    """

    at: np.ndarray
    value: float
    steps: int
    settled: bool


def descend(slope: Slope, start: np.ndarray, *, most_steps: int, tolerance: float = 1e-8) -> Found:
    """L-BFGS with halved steps (Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4 and 3.1).

    Args:
        slope: point float64[k] -> value, gradient float64[k]; for a convex function the end is its lowest
            point.
        start: float64[k].
        most_steps: after so many it ends.
        tolerance: it has settled when a step lowers the value by less than this share, or of 1.
    """
    at, pairs = start, deque[tuple[np.ndarray, np.ndarray, float]](maxlen=REMEMBERED)
    value, gradient = slope(at)
    for step in range(1, most_steps + 1):
        direction = -_bent(gradient, pairs)
        promised = float(gradient @ direction)
        if promised >= 0:  # rounding: begin again from plain descent
            pairs.clear()
            direction, promised = -gradient, -float(gradient @ gradient)
        length = 1.0 if pairs else 1.0 / max(float(np.abs(gradient).sum()), 1.0)
        for _ in range(MOST_HALVINGS):
            following = at + length * direction
            reached, turned = slope(following)
            if reached <= value + ENOUGH * length * promised:
                break
            length *= 0.5
        else:
            return Found(at, value, step, settled=True)
        moved, change = following - at, turned - gradient
        if (curvature := float(moved @ change)) > 1e-10:
            pairs.append((moved, change, 1.0 / curvature))
        gained, at, value, gradient = value - reached, following, reached, turned
        if gained <= tolerance * max(1.0, abs(value)):
            return Found(at, value, step, settled=True)
    return Found(at, value, most_steps, settled=False)


def _bent(gradient: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """The gradient divided by the curvature that the pairs tell of (the two loops of L-BFGS)."""
    bent, taken = gradient.copy(), []
    for moved, change, inverse in reversed(pairs):
        taken.append(inverse * float(moved @ bent))
        bent -= taken[-1] * change
    if pairs:
        moved, change, _ = pairs[-1]
        bent *= float(moved @ change) / float(change @ change)
    for (moved, change, inverse), back in zip(pairs, reversed(taken), strict=True):
        bent += (back - inverse * float(change @ bent)) * moved
    return bent
