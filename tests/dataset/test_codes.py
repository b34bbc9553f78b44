from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.dataset import codes

TEXT = st.lists(st.none() | st.sampled_from(["b", "a", "ü", "z", "𝄞", "￿", ""]), max_size=12)


def column(values: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([values[:3], values[3:]], type=pa.string())


@given(TEXT)
def test_codes_stand_for_the_values_and_sort_as_python_does(values: list[str | None]) -> None:
    found = codes.encoded(column(values))
    names = found.names()
    assert [None if code < 0 else names[code] for code in found.codes.tolist()] == values
    numbers, ordered = found.sorted()
    assert ordered == sorted({value for value in values if value is not None})
    assert [None if code < 0 else ordered[code] for code in numbers.tolist()] == values
    assert codes.text_column(found.codes, found.values).to_pylist() == values
    assert codes.text_column(found.codes, names).to_pylist() == values


def test_some_rows_only() -> None:
    rows = np.array([3, 0])
    assert codes.encoded(column(["x", "y", "z", None]), rows).codes.tolist() == [-1, 0]
    assert [block for block in codes.in_blocks(column(["x", "y", "z", None]), rows)] == [[None, "x"]]  # noqa: C416
    looks = pa.chunked_array([[1, None, 2**64 - 1]], type=pa.uint64())
    hashes, known = codes.numbers(looks, np.array([2, 1]))
    assert (hashes.tolist(), known.tolist()) == ([2**64 - 1, 0], [True, False])


def test_pairs_of_codes() -> None:
    found, one, other = codes.combined(np.array([0, 1, 1, -1, 0]), np.array([2, 0, 0, 1, -1]))
    assert found.tolist() == [0, 1, 1, -1, -1]
    assert (one.tolist(), other.tolist()) == ([0, 1], [2, 0])
    empty = np.array([], np.int64)
    assert [len(part) for part in codes.combined(empty, empty)] == [0, 0, 0]


def test_positions_of_codes_and_codes_of_sets() -> None:
    runs = codes.runs_of(np.array([5, -1, 2, 5, -1]))
    assert [positions.tolist() for positions in runs] == [[2], [0, 3]]
    assert list(codes.runs_of(np.array([-1, -1]))) == []
    assert codes.codes_of_sets([[1, 3], [0]], 5).tolist() == [1, 0, -1, 0, -1]
    assert codes.scattered(np.array([7, 8]), np.array([2, 0]), 4).tolist() == [8, -1, 7, -1]


@pytest.mark.parametrize("rows", [0, 5, 70_000])
def test_blocks_hold_every_row_in_order(rows: int) -> None:
    numbers = pa.chunked_array([np.arange(rows)])
    assert [value for block in codes.in_blocks(numbers) for value in block] == list(range(rows))
