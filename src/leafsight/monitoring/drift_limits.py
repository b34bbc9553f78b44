"""How far a window of photographs of the training domain lies from the reference by chance alone.

Enters: a reference. Leaves: limits for windows of stated sizes, such that a look at photographs of the
training domain raises an alarm in a stated share of looks. It does not know which photographs came in.

Windows are drawn from the held-out photographs many times (bootstrap). As photographs come in visits, windows
are drawn in visits, too: a run of photographs of one class from one source, those of one group together, as
one person in one field sends them. One half of the groups is drawn from, and held against the other half. The
limits of all sizes and measures are set together, so that looking at several windows costs no false alarms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leafsight.monitoring.reference import WAVES, Reference

SIZES = (50, 100, 200, 500)
"""Photographs of a window."""
VISITS = (1, 3, 6, 12, 25, 62)
"""Photographs of one visit: at most an eighth of a window."""
LEAST_VISITS = 8
FALSE_ALARMS = 0.01
WINDOWS = 4000
HALVINGS = 40
AT_ONCE = 500
"""Windows in one product of matrices: few large ones, as threads of many small ones wait for each other."""
VERSION = 1
FAR, MIXED = ("look", "doubt"), ("mix_of_looks", "mix_of_classes")
"""Measures that say "unlike the training domain", and measures that say "another mix of it"."""
Limits = Mapping[int, Mapping[int, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class LimitTable:
    """Limits by photographs of a visit, photographs of a window, and measure."""

    limits: Limits

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        limits = {str(v): {str(n): dict(one) for n, one in by.items()} for v, by in self.limits.items()}
        return {"version": VERSION, "limits": limits}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> LimitTable | None:
        """The inverse; None when another version wrote it."""
        if plain.get("version") != VERSION:
            return None
        limits = {int(v): {int(n): dict(one) for n, one in by.items()} for v, by in plain["limits"].items()}
        return cls(limits)

    def of(self, size: int, visit: float) -> tuple[int, Mapping[str, float]] | None:
        """The limits of a window whose visits have so many photographs, and for which visits they are."""
        for one in sorted(self.limits):
            if one >= visit - 1e-9 and size in self.limits[one]:
                return one, self.limits[one][size]
        return None


def limits_of(
    reference: Reference,
    *,
    sizes: Sequence[int] = SIZES,
    visits: Sequence[int] = VISITS,
    windows: int = WINDOWS,
    false_alarms: float = FALSE_ALARMS,
    seed: int = 0,
) -> LimitTable:
    """Draw windows and set the limits; some seconds.

    Args:
        reference: of the model.
        sizes: photographs of a window.
        visits: photographs of a visit.
        windows: drawn for each kind of visit.
        false_alarms: share of looks that may raise an alarm without cause.
        seed: the same limits for the same reference, whoever sets them.
    """
    table = reference.table()
    limits: dict[int, dict[int, dict[str, float]]] = {}
    for visit in visits:
        fitting = [size for size in sizes if visit * LEAST_VISITS <= size]
        if not fitting:
            continue
        drawn = _drawn(reference, table, fitting, visit, windows, np.random.default_rng([seed, visit]))
        limits[visit] = {size: {} for size in fitting}
        for names in (FAR, MIXED):
            together = np.stack([drawn[size][name] for size in fitting for name in names])
            found = iter(_together(together, false_alarms))
            for size in fitting:
                limits[visit][size] |= {name: float(f"{next(found):.5g}") for name in names}
    return LimitTable(limits)


def window_measures(
    mean: np.ndarray, reference_mean: np.ndarray, reference_size: int
) -> dict[str, np.ndarray]:
    """The measures of windows from the means of their columns.

    Args:
        mean: ``[..., columns]`` of ``Columns.table``.
        reference_mean: ``[columns]``, or as ``mean``.
        reference_size: photographs of the reference.
    """
    felt = slice(2, 2 + 2 * WAVES)
    kinds, usual = mean[..., felt.stop :], reference_mean[..., felt.stop :]
    squares = (mean[..., felt] - reference_mean[..., felt]) ** 2
    # Pearson's chi-squared by photograph, with half a photograph in classes that the reference does not have.
    surprise = (kinds - usual) ** 2 / (usual + 0.5 / reference_size)
    return {
        "look": mean[..., 0],
        "doubt": mean[..., 1],
        "mix_of_looks": squares.sum(axis=-1),
        "mix_of_classes": surprise.sum(axis=-1),
    }


def _drawn(
    reference: Reference,
    table: np.ndarray,
    sizes: Sequence[int],
    visit: int,
    windows: int,
    rng: np.random.Generator,
) -> dict[int, dict[str, np.ndarray]]:
    """The measures of many windows; smaller ones are the first photographs of the larger ones."""
    found: dict[int, list[dict[str, np.ndarray]]] = {size: [] for size in sizes}
    each = -(-windows // HALVINGS)
    together = max(1, AT_ONCE // each)
    for start in range(0, HALVINGS, together):
        halves = [_halved(reference, table, rng) for _ in range(min(together, HALVINGS - start))]
        rows = np.concatenate([runs.draw(each, max(sizes), visit, rng) for runs, _, _ in halves])
        usual = np.repeat(np.stack([mean for _, mean, _ in halves]), each, axis=0)
        many = halves[0][2]
        for size in sizes:
            found[size].append(window_measures(_means(rows[:, :size], table), usual, many))
    return {
        size: {name: np.concatenate([one[name] for one in some]) for name in some[0]}
        for size, some in found.items()
    }


def _halved(
    reference: Reference, table: np.ndarray, rng: np.random.Generator
) -> tuple[_Runs, np.ndarray, int]:
    """Half of the groups to draw from; of the other half the means of the columns, and how many it has."""
    groups = np.unique(reference.group)
    ours = np.isin(reference.group, rng.permutation(groups)[: -(-len(groups) // 2)])
    return (
        _Runs(reference, np.flatnonzero(ours)),
        table[~ours].mean(axis=0, dtype=np.float64),
        int((~ours).sum()),
    )


class _Runs:
    """Draws visits from a pool: runs of one kind, photographs of one group side by side."""

    def __init__(self, reference: Reference, pool: np.ndarray) -> None:
        order = np.lexsort((reference.group[pool], reference.kind[pool]))
        self._rows = pool[order]
        kinds = reference.kind[self._rows]
        _, self._first, place, many = np.unique(
            kinds, return_index=True, return_inverse=True, return_counts=True
        )
        self._start, self._many = self._first[place], many[place]

    def draw(self, windows: int, size: int, visit: int, rng: np.random.Generator) -> np.ndarray:
        """Rows of the reference, ``[windows, size]``."""
        first = rng.integers(0, len(self._rows), (windows, -(-size // visit)))
        start, many = self._start[first], self._many[first]
        steps = (first - start)[..., None] + np.arange(visit)
        places = start[..., None] + steps % many[..., None]
        return np.asarray(self._rows[places.reshape(windows, -1)[:, :size]])


def _means(rows: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Means of the columns by window; as one product of matrices, which is quicker than looking rows up."""
    windows, size = rows.shape
    flat = (rows + np.arange(windows)[:, None] * len(table)).ravel()
    counts = np.bincount(flat, minlength=windows * len(table)).reshape(windows, -1)
    means: np.ndarray = (counts.astype(np.float32) @ table).astype(np.float64) / size
    return means


def _together(values: np.ndarray, false_alarms: float) -> np.ndarray:
    """A limit for each row such that so small a share of columns is over any of them.

    Every row gets the same share of its own (single-step; Westfall and Young 1993, as in ``permuting``).
    """
    windows = values.shape[1]
    # How many windows of a row are at least as large, from 1 on.
    above = windows - values.argsort(axis=1).argsort(axis=1)
    rarest = np.sort(above.min(axis=0))
    allowed = max(1, int(np.floor(false_alarms * windows)))
    rank = max(1, int(rarest[min(allowed, windows - 1)]) - 1)
    limits: np.ndarray = np.sort(values, axis=1)[:, -rank]
    return limits
