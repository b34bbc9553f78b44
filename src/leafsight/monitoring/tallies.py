"""What was counted on each occasion, and whether it differs by more than chance.

Enters: sums by occasion of two times, or of pairs in one time. Leaves: how it was, how it is, and how often
chance makes as large a difference. It does not know what was counted.

An occasion is what one key sent within a short stretch of time. Photographs of one occasion are alike, so
whole occasions are dealt out anew, never single photographs: see ``permuting``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leafsight.monitoring.permuting import deals

DEALS = 9999
MOST_OCCASIONS = 150
"""Of each time; where there are more, neighbours count as one. Bounds time and the size of the mark."""
LEAST_PHOTOGRAPHS, LEAST_OCCASIONS = 50, 8


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One thing counted: ``sums`` of it and ``sizes``, how many could have it; float64, one an occasion."""

    sums: np.ndarray
    sizes: np.ndarray

    @property
    def photographs(self) -> int:
        """That could have it."""
        return int(self.sizes.sum())

    @property
    def occasions(self) -> int:
        """With any photograph that could have it."""
        return int((self.sizes > 0).sum())

    @property
    def mean(self) -> float:
        """A share, or the mean of a number; NaN without any photograph."""
        many = float(self.sizes.sum())
        return float(self.sums.sum()) / many if many else float("nan")

    def is_enough(self, least: int = LEAST_PHOTOGRAPHS) -> bool:
        """Whether it can be judged."""
        return self.photographs >= least and self.occasions >= LEAST_OCCASIONS

    def plain(self) -> list[list[float]]:
        """For JSON: ``[sum, size]`` an occasion."""
        return [
            [float(f"{one:.5g}"), int(many)] for one, many in zip(self.sums, self.sizes, strict=True) if many
        ]


def tally(values: Sequence[float], units: Sequence[int]) -> Tally:
    """Sums by occasion; NaN is not counted.

    Args:
        values: one a photograph.
        units: the occasion of each, from 0 on.
    """
    array, places = np.asarray(values, dtype=np.float64), np.asarray(units, dtype=np.int64)
    known = np.isfinite(array)
    many = int(places.max(initial=-1)) + 1
    sums = np.bincount(places[known], weights=array[known], minlength=many)
    return Tally(sums, np.bincount(places[known], minlength=many).astype(np.float64))


def tally_from(plain: Sequence[Sequence[float]]) -> Tally:
    """The inverse of ``Tally.plain``."""
    table = np.array(plain, dtype=np.float64).reshape(-1, 2)
    return Tally(table[:, 0], table[:, 1])


def occasions_of(moments: Sequence[tuple[int, str]], slice_ms: int) -> list[int]:
    """For each photograph its occasion, in the order of time, at most ``MOST_OCCASIONS`` different ones.

    Args:
        moments: when it was sent (milliseconds), and by which key.
        slice_ms: what one key sent within it is one occasion.
    """
    named = [(at // slice_ms, key) for at, key in moments]
    places = {name: place for place, name in enumerate(sorted(set(named)))}
    together = -(-len(places) // MOST_OCCASIONS) or 1
    return [places[name] // together for name in named]


def rises(before: Tally, now: Tally) -> float:
    """How often chance makes the mean rise as much as it did from ``before`` to ``now``; from 1 / 10,000 on.

    Occasions are dealt out anew to the two times (Anderson 2001, as in ``permuting``); one-sided.
    """
    earlier, later = before.sizes > 0, now.sizes > 0
    sums = np.concatenate([before.sums[earlier], now.sums[later]])
    sizes = np.concatenate([before.sizes[earlier], now.sizes[later]])
    dealt = deals(int(earlier.sum()), int(later.sum()), DEALS).astype(np.float64)
    ours, many = dealt @ sums, dealt @ sizes
    rest, others = sums.sum() - ours, sizes.sum() - many
    risen = ours / many - rest / others
    return float((risen >= risen[0] - 1e-9).mean())


def differs_in_pairs(differences: Tally, seed: int = 0) -> float:
    """How often chance makes the mean of paired differences as large; one-sided.

    Were both models alike, each occasion could as well have had the other sign (permutation test for pairs,
    Fisher, "The design of experiments", 1935, section 21; here by occasion).
    """
    there = differences.sums[differences.sizes > 0]
    signs = np.random.default_rng(seed).integers(0, 2, (DEALS, there.size)) * 2.0 - 1.0
    total = there.sum()
    return float((1 + ((signs @ there) >= total - 1e-9).sum()) / (DEALS + 1))


def exceeds(one: Tally, limit: float, seed: int = 0) -> float:
    """How often the mean is at most ``limit`` when occasions are drawn anew (cluster bootstrap)."""
    there = one.sizes > 0
    sums, sizes = one.sums[there], one.sizes[there]
    drawn = np.random.default_rng(seed).multinomial(sums.size, np.full(sums.size, 1 / sums.size), DEALS)
    return float((1 + ((drawn @ sums) / (drawn @ sizes) <= limit).sum()) / (DEALS + 1))


def plain_tallies(tallies: Mapping[str, Tally]) -> dict[str, list[list[float]]]:
    """Several, for JSON."""
    return {name: one.plain() for name, one in tallies.items()}
