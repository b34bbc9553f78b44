"""Nearest neighbours of many queries among many points, by cells.

Enters: vectors. Leaves: for each query the few nearest points. Each point is listed in the cells of its
``SPILL`` nearest centres, so that a query looks into one cell only. Two large products of
matrices do all the work. It does not know what the vectors mean.

Source: inverted file after k-means (Jégou, Douze, Schmid, Product quantization for nearest neighbor search,
IEEE TPAMI 33, 2011), with the repetition on the side of the points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

MEMBERS = 320  # points a cell, before they are listed more than once
MAX_CELLS = 4096
SPILL = 4
ROUNDS = 8
BLOCK = 8192

Points = Float32[np.ndarray, "n dimensions"]


@dataclass(frozen=True, slots=True)
class Cells:
    """Points by cell.

    Attributes:
        points: as given.
        centres: of the cells.
        members: numbers of points, cell after cell, ascending inside a cell.
        starts: where each cell begins in ``members``; one more than there are cells.
    """

    points: Points
    centres: Float32[np.ndarray, "cells dimensions"]
    members: Int32[np.ndarray, " listed"]
    starts: Int64[np.ndarray, " cells_and_end"]

    @classmethod
    def build(cls, points: Points) -> Cells:
        """Deterministic: the first centres are evenly spread along the first direction."""
        count = int(np.clip(len(points) // MEMBERS, 1, MAX_CELLS))
        centres = _centres(points, count)
        spill = min(SPILL, count)
        listed = np.concatenate(
            [_nearest(points[i : i + BLOCK], centres, spill) for i in range(0, len(points), BLOCK)]
        )
        cell = listed.ravel()
        order = np.argsort(cell, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=count))])
        return cls(points, centres, (order // spill).astype(np.int32), starts.astype(np.int64))

    def nearest(
        self, queries: Points, own: Int64[np.ndarray, " n"], keep: int
    ) -> tuple[Int32[np.ndarray, "n keep"], Float32[np.ndarray, "n keep"]]:
        """The ``keep`` nearest points of each query and their squared distances, nearest first.

        Args:
            queries: any number.
            own: a point that a query must not find, as it comes from it.
            keep: at least 1; where a cell has fewer, the number is -1 and the distance infinite.
        """
        found = np.full((len(queries), keep), -1, np.int32)
        distances = np.full((len(queries), keep), np.inf, np.float32)
        cell = np.concatenate(
            [_nearest(queries[i : i + BLOCK], self.centres, 1)[:, 0] for i in range(0, len(queries), BLOCK)]
        )
        order = np.argsort(cell, kind="stable")
        ends = np.cumsum(np.bincount(cell, minlength=len(self.centres)))
        for number, end in enumerate(ends.tolist()):
            first = 0 if number == 0 else int(ends[number - 1])
            for at in range(first, end, BLOCK):
                rows = order[at : min(at + BLOCK, end)]
                found[rows], distances[rows] = self._inside(number, queries[rows], own[rows], keep)
        return found, distances

    def _inside(
        self, cell: int, queries: Points, own: Int64[np.ndarray, " n"], keep: int
    ) -> tuple[Int32[np.ndarray, "n keep"], Float32[np.ndarray, "n keep"]]:
        members = self.members[self.starts[cell] : self.starts[cell + 1]]
        found = np.full((len(queries), keep), -1, np.int32)
        distances = np.full((len(queries), keep), np.inf, np.float32)
        if len(members) == 0:
            return found, distances
        points = self.points[members]
        # the part of the squared distance that depends on the point
        apart = queries @ (-2 * points.T)
        apart += np.einsum("ij,ij->i", points, points)
        place = np.minimum(np.searchsorted(members, own), len(members) - 1)
        mine = np.flatnonzero(members[place] == own)
        apart[mine, place[mine]] = np.inf
        rows = np.arange(len(queries))
        length = np.einsum("ij,ij->i", queries, queries)
        for nth in range(min(keep, len(members))):
            nearest = apart.argmin(axis=1)
            least = apart[rows, nearest]
            distances[:, nth] = np.maximum(least + length, 0)
            found[:, nth] = np.where(np.isfinite(least), members[nearest], -1)
            apart[rows, nearest] = np.inf
        return found, distances


def _centres(points: Points, count: int) -> Float32[np.ndarray, "cells dimensions"]:
    sample = points[np.linspace(0, len(points) - 1, min(len(points), 64 * count)).astype(np.int64)]
    order = np.argsort(sample[:, 0], kind="stable")
    centres = sample[order[np.linspace(0, len(sample) - 1, count).astype(np.int64)]].copy()
    for _ in range(ROUNDS):
        cell = np.concatenate(
            [_nearest(sample[i : i + BLOCK], centres, 1)[:, 0] for i in range(0, len(sample), BLOCK)]
        )
        sums = np.zeros(centres.shape)
        np.add.at(sums, cell, sample)
        sizes = np.bincount(cell, minlength=count)
        centres[sizes > 0] = (sums[sizes > 0] / sizes[sizes > 0, None]).astype(np.float32)
    return centres


def _nearest(
    points: Points, centres: Float32[np.ndarray, "cells dimensions"], keep: int
) -> Int64[np.ndarray, "n keep"]:
    apart = points @ (-2 * centres.T)
    apart += np.einsum("ij,ij->i", centres, centres)
    nearest: Int64[np.ndarray, "n keep"]
    if keep == 1:
        nearest = apart.argmin(axis=1)[:, None]
        return nearest
    if keep >= len(centres):
        nearest = np.tile(np.arange(len(centres)), (len(points), 1))
        return nearest
    # a copy: the slice alone would keep the places of all centres alive
    nearest = np.argpartition(apart, keep - 1, axis=1)[:, :keep].copy()
    return nearest
