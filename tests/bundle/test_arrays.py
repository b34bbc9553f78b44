from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leafsight.bundle.arrays import from_npy, to_npy
from leafsight.errors import BundleCorruptError

shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@given(hnp.arrays(np.float32, shapes) | hnp.arrays(np.float64, shapes))
def test_arrays_come_back(values: np.ndarray) -> None:
    found = from_npy(to_npy(values), "x.npy")
    assert found.shape == values.shape
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@given(st.binary(max_size=300))
def test_random_bytes_give_our_error(data: bytes) -> None:
    for head in (b"", b"\x93NUMPY\x01\x00"):
        with pytest.raises(BundleCorruptError, match=r"x\.npy"):
            from_npy(head + data, "x.npy")


def test_a_header_that_claims_terabytes_allocates_nothing() -> None:
    data = to_npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(9999999999, 9999)"[:6])
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        huge, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    for bad in (data, huge.getvalue() + b"\0" * 16):
        with pytest.raises(BundleCorruptError, match=r"x\.npy"):
            from_npy(bad, "x.npy")


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(3, np.float16),
        np.zeros(3, np.int64),
        np.asfortranarray(np.zeros((2, 3), np.float32)),
        np.array(["a"]),
    ],
    ids=["float16", "int64", "fortran", "text"],
)
def test_other_layouts_are_refused(values: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values)
    with pytest.raises(BundleCorruptError, match="floats in C order"):
        from_npy(buffer.getvalue(), "x.npy")


def test_whole_numbers_and_truth_values_become_float32() -> None:
    for values in (np.array([True, False]), [1, 0]):
        found = from_npy(to_npy(values), "x.npy")
        assert found.dtype == np.float32
        assert found.tolist() == [1.0, 0.0]


def test_pickled_objects_are_refused() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BundleCorruptError):
        from_npy(buffer.getvalue(), "x.npy")
