"""What is usual for photographs that get the same class, and how far others are above it.

Enters: values of a reference, and of other photographs. Leaves: standard deviations. It does not know what
the values are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
WEIGHT = 10
"""Photographs of the whole reference that count into what is usual for one class: some classes have few."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What is usual for photographs that get the same most probable class.

    Some classes lie closer together and are surer than others, so one crop alone would look like drift.

    Attributes:
        many: reference photographs of each class, float64 ``[c]``.
        sums: of their values.
        squares: of their squared values.
        mean: of all values.
        variance: of all values, around the means of their classes.
    """

    many: Array
    sums: Array
    squares: Array
    mean: float
    variance: float

    def steps(self, values: Array, top: Array, *, own: bool = False) -> Array:
        """Standard deviations above what is usual, float64 ``[n]``.

        Args:
            values: of photographs.
            top: number of the most probable class of each.
            own: they are the reference's: none is among those that it is held against.
        """
        away = 1.0 if own else 0.0
        many, sums = self.many[top] - away, self.sums[top] - away * values
        squares = self.squares[top] - away * values**2
        mean = (sums + WEIGHT * self.mean) / (many + WEIGHT)
        around = np.maximum(squares - 2 * mean * sums + many * mean**2, 0.0)
        spread = np.sqrt((around + WEIGHT * self.variance) / (many + WEIGHT))
        return np.asarray((values - mean) / np.maximum(spread, 1e-9))


def usual_of(values: Array, top: Array, n_classes: int) -> Usual:
    """What is usual in a reference."""
    many = np.bincount(top, minlength=n_classes).astype(np.float64)
    sums = np.bincount(top, weights=values, minlength=n_classes)
    squares = np.bincount(top, weights=values**2, minlength=n_classes)
    within = values - (sums / np.maximum(many, 1))[top]
    return Usual(many, sums, squares, float(values.mean()), float((within**2).mean()))
