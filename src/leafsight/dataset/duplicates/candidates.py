"""Which photographs are worth comparing pixel by pixel: few for each, from the whole collection.

Enters: small colour pictures, read block by block. Leaves: pairs and a first guess of
how they lie over each other. It does not know whether they are duplicates.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float16, Float32, Int32, Int64, UInt8

from leafsight.dataset.duplicates.cells import Cells
from leafsight.dataset.duplicates.descriptors import (
    SAMPLE,
    WHOLE,
    coefficients,
    features,
    fit_projection,
    many_features,
    planes,
)
from leafsight.dataset.duplicates.discs import View, views
from leafsight.dataset.duplicates.turning import best_turn, turn_maps, usual_sizes
from leafsight.progress import Progress, Silent
from leafsight.storage import available_cores

BLOCK = 4096  # pictures; 36 views of them and their features take about 100 MB
AT_ONCE = 256  # pictures whose views are described in one go, so that they stay in the processor's cache
KEPT_A_VIEW = 2
KEPT = 6  # others for each photograph; with 6 one copy in 200 is lost, with 3 one in 25
LEAST_FIT = 0.8  # of the best turn; one copy in 500 is below, and five of six others
FARTHEST = 120.0  # squared distance; 99.5 % of crops are nearer


class Pictures(Protocol):
    """What gives rows of pictures by their numbers: an array, a memory map, a file of records."""

    def __getitem__(self, numbers: Int64[np.ndarray, " k"], /) -> UInt8[np.ndarray, "k ..."]:
        """The pictures of these rows."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of positions; a pair may stand twice, once from each side.

    Attributes:
        one: whose view is like the whole of the other.
        other: never equal to ``one``.
        maps: first guess where points of the other picture lie in the one.
    """

    one: Int32[np.ndarray, " pairs"]
    other: Int32[np.ndarray, " pairs"]
    maps: Float32[np.ndarray, "pairs 2 3"]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a search needs of the whole collection."""

    projection: Float32[np.ndarray, "features dimensions"]
    cells: Cells
    plain: Float16[np.ndarray, "n coefficients"]
    usual: Float32[np.ndarray, " coefficients"]


def find_candidates(
    rgb: Pictures, numbers: Int64[np.ndarray, " n"], progress: Progress | None = None
) -> Candidates:
    """For each photograph the few others whose whole is nearest to any of its views.

    Args:
        rgb: gives ``uint8[k, 32, 32, 3]``.
        numbers: the rows of ``rgb`` to compare; positions in the result are positions in this.
        progress: told of each photograph that has been compared with all.
    """
    if len(numbers) < 2:
        return Candidates(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 2, 3), np.float32))
    spread = np.unique(np.linspace(0, len(numbers) - 1, min(len(numbers), SAMPLE)).astype(np.int64))
    projection = fit_projection(np.asarray(rgb[numbers[spread]]))
    starts = range(0, len(numbers), BLOCK)
    with ThreadPoolExecutor(available_cores()) as pool:

        def describe(
            first: int,
        ) -> tuple[Float32[np.ndarray, "n dimensions"], Float16[np.ndarray, "n parts"]]:
            pictures = planes(np.asarray(rgb[numbers[first : first + BLOCK]]))
            plain = coefficients(pictures[0], WHOLE)
            return features(pictures, WHOLE) @ projection, plain.astype(np.float16)

        described = list(pool.map(describe, starts))
        plain = np.concatenate([parts for _, parts in described])
        cells = Cells.build(np.concatenate([points for points, _ in described]))
        known = _Known(projection, cells, plain, usual_sizes(plain[spread].astype(np.float32)))

        def search(first: int) -> Candidates:
            return _search(planes(np.asarray(rgb[numbers[first : first + BLOCK]])), first, known)

        told = progress or Silent()
        told.start("looking for similar photographs", len(numbers))
        found = []
        for first, some in zip(starts, pool.map(search, starts), strict=True):
            found.append(some)
            told.advance(min(BLOCK, len(numbers) - first))
        told.finish()
    return Candidates(
        np.concatenate([some.one for some in found]),
        np.concatenate([some.other for some in found]),
        np.concatenate([some.maps for some in found]),
    )


def _search(pictures: Float32[np.ndarray, "3 n pixels"], first: int, known: _Known) -> Candidates:
    own = np.arange(first, first + pictures.shape[1])
    seen = views()
    queries = _described(pictures, seen, known.projection)
    others, distances = known.cells.nearest(queries, np.tile(own, len(seen)), KEPT_A_VIEW)
    one, other, view = _nearest_views(
        others.reshape(len(seen), len(own), KEPT_A_VIEW), distances.reshape(len(seen), len(own), KEPT_A_VIEW)
    )
    here = np.empty((len(one), known.plain.shape[1]), np.float32)
    for number in range(len(seen)):
        rows = np.flatnonzero(view == number)
        here[rows] = coefficients(pictures[0][one[rows]], seen[number])
    fit, angle, mirrored = best_turn(here / known.usual, known.plain[other] / known.usual)
    keep = fit > LEAST_FIT
    maps = turn_maps(view[keep], angle[keep], mirrored[keep])
    return Candidates((first + one[keep]).astype(np.int32), other[keep].astype(np.int32), maps)


def _described(
    pictures: Float32[np.ndarray, "3 n pixels"],
    seen: tuple[View, ...],
    projection: Float32[np.ndarray, "features dimensions"],
) -> Float32[np.ndarray, "views_times_n dimensions"]:
    """The vectors of all views, view after view."""
    count, dimensions = pictures.shape[1], projection.shape[1]
    vectors = np.empty((len(seen), count, dimensions), np.float32)
    for first in range(0, count, AT_ONCE):
        some = many_features(pictures[:, first : first + AT_ONCE], seen)
        projected = some.reshape(len(some), -1).T @ projection
        vectors[:, first : first + AT_ONCE] = projected.reshape(len(seen), -1, dimensions)
    return vectors.reshape(-1, dimensions)


def _nearest_views(
    other: Int32[np.ndarray, "views n found"], distance: Float32[np.ndarray, "views n found"]
) -> tuple[Int64[np.ndarray, " kept"], Int32[np.ndarray, " kept"], Int64[np.ndarray, " kept"]]:
    """The nearest view of each pair, of the nearest ``KEPT`` others of each photograph: one, other, view."""
    count, each = other.shape[1:]
    others = other.transpose(1, 0, 2).reshape(count, -1)
    left = distance.transpose(1, 0, 2).reshape(count, -1)
    left[~((others >= 0) & (left < FARTHEST))] = np.inf
    rows = np.arange(count)
    one, found, view = [], [], []
    # the nearest of all is taken, then all views of the same other are struck out
    for _ in range(KEPT):
        place = left.argmin(axis=1)
        nearest = others[rows, place]
        got = np.flatnonzero(np.isfinite(left[rows, place]))
        one.append(got)
        found.append(nearest[got])
        view.append(place[got] // each)
        left[others == nearest[:, None]] = np.inf
    order = np.argsort(np.concatenate(one), kind="stable")
    return np.concatenate(one)[order], np.concatenate(found)[order], np.concatenate(view)[order]
