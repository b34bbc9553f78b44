"""Text columns as whole numbers: what makes a million rows fit, because no row becomes a Python string.

Enters: columns of an Arrow table. Leaves: NumPy arrays of codes, equal where the values are. It does not know
what a column means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64, UInt64

from leafsight.dataset.photo_table import arrow
from leafsight.errors import require

# Rows that become Python values at once.
BLOCK_ROWS = 65536


@dataclass(frozen=True, slots=True)
class Codes:
    """A column of text as numbers.

    Attributes:
        codes: place of each row's value in ``values``; -1 for null.
        values: the different values (an Arrow array), in the order in which they first appear.
    """

    codes: Int64[np.ndarray, " rows"]
    values: Any

    def names(self) -> list[str]:
        """The different values as text."""
        names: list[str] = self.values.to_pylist()
        return names

    def ranks(self) -> Int64[np.ndarray, " values"]:
        """Place of each value among all of them, sorted by code point."""
        order = self.by_rank()
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks

    def by_rank(self) -> Int64[np.ndarray, " values"]:
        """Codes in the order of their values, sorted by code point."""
        order = require("pyarrow.compute", "train").sort_indices(self.values)
        return np.asarray(order.to_numpy(zero_copy_only=False), np.int64)

    def sorted(self) -> tuple[Int64[np.ndarray, " rows"], list[str]]:
        """Codes that grow with the value, and the values in that order."""
        names = self.values.take(arrow().array(self.by_rank())).to_pylist()
        ranks = np.append(self.ranks(), -1)
        return ranks[self.codes], names


def encoded(column: Any, rows: Int64[np.ndarray, " some"] | None = None) -> Codes:
    """A column of text (an Arrow chunked array), all of it or some rows, as codes."""
    pa = arrow()
    taken = column if rows is None else column.take(pa.array(rows))
    found = pa.chunked_array(taken.chunks, type=pa.string()).dictionary_encode().combine_chunks()
    if isinstance(found, pa.ChunkedArray):  # an empty column has no chunk to combine
        found = pa.array([], pa.string()).dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Codes(codes.astype(np.int64), found.dictionary)


def numbers(
    column: Any, rows: Int64[np.ndarray, " some"] | None = None
) -> tuple[UInt64[np.ndarray, " rows"], Bool[np.ndarray, " rows"]]:
    """A column of 64-bit numbers and where it has one; 0 where it has none."""
    taken = column if rows is None else column.take(arrow().array(rows))
    known = taken.is_valid().to_numpy()
    return np.asarray(taken.fill_null(0).to_numpy(), np.uint64), np.asarray(known, bool)


def in_blocks(column: Any, rows: Int64[np.ndarray, " some"] | None = None) -> Iterator[list[Any]]:
    """A column as Python values, some rows at a time."""
    count = len(column) if rows is None else len(rows)
    for first in range(0, count, BLOCK_ROWS):
        if rows is None:
            yield column.slice(first, BLOCK_ROWS).to_pylist()
        else:
            yield column.take(arrow().array(rows[first : first + BLOCK_ROWS])).to_pylist()


def text_column(codes: Int64[np.ndarray, " rows"], values: Any) -> Any:
    """An Arrow array of text: ``values`` (Arrow array or names) at the codes, null at -1."""
    pa = arrow()
    known = values if isinstance(values, pa.Array) else pa.array(list(values), pa.string())
    return known.take(pa.array(codes, mask=codes < 0))


def combined(
    one: Int64[np.ndarray, " rows"], other: Int64[np.ndarray, " rows"]
) -> tuple[Int64[np.ndarray, " rows"], Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"]]:
    """One code for each pair of codes that occurs; -1 where either is -1.

    Returns:
        The codes, and which code of ``one`` and of ``other`` each stands for.
    """
    width = int(other.max(initial=0)) + 1
    both = np.where((one < 0) | (other < 0), -1, one * width + other)
    different, codes = np.unique(both, return_inverse=True)
    if len(different) and different[0] < 0:
        different, codes = different[1:], codes - 1
    return codes.astype(np.int64), different // width, different % width


def scattered(
    values: Int64[np.ndarray, " some"], rows: Int64[np.ndarray, " some"], count: int
) -> Int64[np.ndarray, " count"]:
    """``values`` at ``rows``, -1 at all other of ``count`` places."""
    placed = np.full(count, -1, np.int64)
    placed[rows] = values
    return placed


def runs_of(codes: Int64[np.ndarray, " rows"]) -> Iterator[Int64[np.ndarray, " members"]]:
    """Positions of every code that is not -1, ascending, codes in order."""
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes, 0, sorter=order) :]
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    return iter(part for part in np.split(order, ends) if len(part))


def codes_of_sets(
    sets: Sequence[Sequence[int] | Int64[np.ndarray, " _"]], count: int
) -> Int64[np.ndarray, " count"]:
    """One code for each set of positions that do not overlap, -1 for positions in none."""
    codes = np.full(count, -1, np.int64)
    for number, members in enumerate(sets):
        codes[np.asarray(members, np.int64)] = number
    return codes
