"""Nearest neighbours of many queries among many points, by cells.

Enters: vectors. Leaves: for each query the few nearest points. Each point is listed in the cells of its
``SPILL`` nearest centres, so that a query looks into one cell only. Two large products of
matrices do all the work. It does not know what the vectors mean.

Source: inverted file after k-means (Jégou, Douze, Schmid, Product quantization for nearest neighbor search,
IEEE TPAMI 33, 2011), with the repetition on the side of the points.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Int32, Int64

MEMBERS = 320  # points a cell, before they are listed more than once
MAX_CELLS = 4096  # their numbers fit in 16 bits
SPILL = 4
ROUNDS = 8
BLOCK = 8192
IN_CACHE = 2**19  # distances at once, 2 MiB: half the time of tables that leave the processor's cache

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
            [_nearest_centres(points[i : i + BLOCK], centres, spill) for i in range(0, len(points), BLOCK)]
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
        cell = _nearest_centre(queries, self.centres)
        order = np.argsort(cell.astype(np.uint16), kind="stable")  # of 16 bits it is a radix sort
        ends = np.cumsum(np.bincount(cell, minlength=len(self.centres))).tolist()
        # with a one behind each query, one product gives all of a distance but the query's own length
        sorted_ = np.concatenate([queries[order], np.ones((len(queries), 1), np.float32)], axis=1)
        sorted_own = own[order]
        found = np.full((len(queries), keep), -1, np.int32)
        distances = np.full((len(queries), keep), np.inf, np.float32)
        for number, (first, end) in enumerate(pairwise([0, *ends])):
            members = self.members[self.starts[number] : self.starts[number + 1]]
            if first < end and len(members):
                some = slice(first, end)
                found[some], distances[some] = _inside(
                    members, self.points[members], sorted_[some], sorted_own[some], keep
                )
        distances += np.einsum("ij,ij->i", sorted_[:, :-1], sorted_[:, :-1])[:, None]
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return found[back], np.maximum(distances, 0)[back]


def _inside(
    members: Int32[np.ndarray, " members"],
    points: Float32[np.ndarray, "members dimensions"],
    queries: Float32[np.ndarray, "n dimensions_and_one"],
    own: Int64[np.ndarray, " n"],
    keep: int,
) -> tuple[Int32[np.ndarray, "n keep"], Float32[np.ndarray, "n keep"]]:
    """The nearest members of one cell, and the distances less the lengths of the queries."""
    factors = np.concatenate([-2 * points.T, np.einsum("ij,ij->i", points, points)[None]])
    place = np.minimum(np.searchsorted(members, own), len(members) - 1)
    mine = members[place] == own
    found = np.full((len(queries), keep), -1, np.int32)
    distances = np.full((len(queries), keep), np.inf, np.float32)
    step = _rows_at_once(len(members))
    room = np.empty((min(step, len(queries)), len(members)), np.float32)
    for first in range(0, len(queries), step):
        some = slice(first, min(first + step, len(queries)))
        rows = np.arange(some.stop - first)
        apart = np.matmul(queries[some], factors, out=room[: len(rows)])
        hidden = np.flatnonzero(mine[some])
        apart[hidden, place[some][hidden]] = np.inf
        for nth in range(min(keep, len(members))):
            nearest = apart.argmin(axis=1)
            least = apart[rows, nearest]
            apart[rows, nearest] = np.inf
            distances[some, nth] = least
            found[some, nth] = np.where(np.isfinite(least), members[nearest], -1)
    return found, distances


def _rows_at_once(columns: int) -> int:
    """Rows of a table of distances that stay in the processor's last cache."""
    return max(16, IN_CACHE // columns)


def _centres(points: Points, count: int) -> Float32[np.ndarray, "cells dimensions"]:
    sample = points[np.linspace(0, len(points) - 1, min(len(points), 64 * count)).astype(np.int64)]
    order = np.argsort(sample[:, 0], kind="stable")
    centres = sample[order[np.linspace(0, len(sample) - 1, count).astype(np.int64)]].copy()
    for _ in range(ROUNDS):
        cell = _nearest_centre(sample, centres)
        # sums by column: the same sums as np.add.at in a tenth of the time
        sums = np.stack([np.bincount(cell, column, minlength=count) for column in sample.T], axis=1)
        sizes = np.bincount(cell, minlength=count)
        centres[sizes > 0] = (sums[sizes > 0] / sizes[sizes > 0, None]).astype(np.float32)
    return centres


def _nearest_centre(
    points: Points, centres: Float32[np.ndarray, "cells dimensions"]
) -> Int64[np.ndarray, " n"]:
    step = _rows_at_once(len(centres))
    nearest = np.empty(len(points), np.int64)
    for first in range(0, len(points), step):
        some = slice(first, first + step)
        nearest[some] = _apart(points[some], centres).argmin(axis=1)
    return nearest


def _nearest_centres(
    points: Points, centres: Float32[np.ndarray, "cells dimensions"], keep: int
) -> Int64[np.ndarray, "n keep"]:
    nearest: Int64[np.ndarray, "n keep"]
    if keep >= len(centres):
        nearest = np.tile(np.arange(len(centres)), (len(points), 1))
        return nearest
    # a copy: the slice alone would keep the places of all centres alive
    nearest = np.argpartition(_apart(points, centres), keep - 1, axis=1)[:, :keep].copy()
    return nearest


def _apart(
    points: Points, centres: Float32[np.ndarray, "cells dimensions"]
) -> Float32[np.ndarray, "n cells"]:
    """Squared distances less the squared lengths of the points, which do not tell centres apart."""
    apart: Float32[np.ndarray, "n cells"] = points @ (-2 * centres.T)
    apart += np.einsum("ij,ij->i", centres, centres)
    return apart
