"""Connected regions of a mask, from its horizontal runs: about a millisecond for 160 x 160 without SciPy."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from leafsight.images.shapes import Mask

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Whole: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def keep_large_regions(mask: Mask, share_of_largest: float) -> Mask:
    """The largest region (4-connected) and those at least ``share_of_largest`` of its area."""
    labels, areas, _ = _regions(mask)
    if areas.size == 0:
        return np.zeros_like(mask)
    kept = areas >= share_of_largest * areas.max()
    kept_mask: Mask = np.concatenate([[False], kept])[labels]
    return kept_mask


def fill_holes(mask: Mask) -> Mask:
    """The mask with every hole closed that no path of outside pixels joins to the border."""
    labels, _, at_border = _regions(~mask)
    filled: Mask = mask | np.concatenate([[False], ~at_border])[labels]
    return filled


def open_by_one(mask: Mask) -> Mask:
    """Morphological opening with a 3 x 3 square: what is thinner than 3 px vanishes.

    Slices instead of Pillow's rank filters, which take a millisecond each.
    """
    return _spread(_spread(mask, np.logical_and), np.logical_or)


def _spread(mask: Mask, combine: np.ufunc) -> Mask:
    padded = np.pad(mask, 1, mode="edge")
    rows = combine(combine(padded[:-2], padded[1:-1]), padded[2:])
    spread: Mask = combine(combine(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    return spread


def _regions(mask: Mask) -> tuple[Whole, Whole, Flags]:
    """Labels (0 outside, then 1, 2, ...), area of each region, and whether it touches the border."""
    height, width = mask.shape
    rows, starts, ends = _runs(mask)
    roots = _joined(rows.tolist(), starts.tolist(), ends.tolist())
    _, numbers = np.unique(np.asarray(roots, np.int64), return_inverse=True)
    lengths = ends - starts
    count = int(numbers.max()) + 1 if numbers.size else 0
    areas = np.bincount(numbers, weights=lengths, minlength=count).astype(np.int64)
    touches = (rows == 0) | (rows == height - 1) | (starts == 0) | (ends == width)
    at_border = np.bincount(numbers, weights=touches, minlength=count) > 0
    labels = np.zeros(height * width, np.int64)
    labels[mask.ravel()] = np.repeat(numbers + 1, lengths)
    return labels.reshape(height, width), areas, at_border


def _runs(mask: Mask) -> tuple[Whole, Whole, Whole]:
    """Row, first column and column after the last of every run of set pixels, in reading order."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def _joined(rows: list[int], starts: list[int], ends: list[int]) -> list[int]:
    """For every run the first run of its region (union-find over the runs of neighbouring rows)."""
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    above = 0
    for run, row in enumerate(rows):
        while rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] <= starts[run]):
            above += 1
        other = above
        while other < run and rows[other] == row - 1 and starts[other] < ends[run]:
            parents[root(run)] = root(other)
            other += 1
    return [root(run) for run in range(len(rows))]
