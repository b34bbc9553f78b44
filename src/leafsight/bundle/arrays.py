"""Arrays as ``.npy`` bytes and back: plain numbers, nothing executable, nothing larger than it says."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leafsight.errors import BundleCorruptError

MAGIC = b"\x93NUMPY\x01\x00"
HEADER = re.compile(
    rb"\{'descr': '[<|]([fu][1248])', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n"
)
"""The one header that ``to_npy`` writes. NumPy's own reader evaluates the header as a Python literal,
lets tokenizer errors through and allocates what the shape claims before it looks at the bytes."""
MAX_AXIS_DIGITS = 10
FLOATS = ("f4", "f8")
EXACT = ("u1", "u4", "u8")


def to_npy(values: ArrayLike) -> bytes:
    """``values`` as version 1.0 ``.npy`` bytes, little-endian, in C order.

    float64 stays float64, so that no threshold moves by being stored; all else becomes float32.

    Raises:
        ValueError: the values are not numbers.
    """
    given = np.asarray(values)
    return _written(given, "<f8" if given.dtype == np.float64 else "<f4")


def to_exact_npy(values: ArrayLike) -> bytes:
    """Whole numbers from 0 on, as the unsigned type that they have, bit for bit.

    Raises:
        ValueError: not of the types uint8, uint32, uint64.
    """
    given = np.asarray(values)
    if given.dtype.newbyteorder("=").str[1:] not in EXACT:
        raise ValueError(f"{given.dtype} is not kept exactly")
    return _written(given, given.dtype.newbyteorder("<"))


def _written(given: np.ndarray, dtype: Any) -> bytes:
    array = np.ascontiguousarray(given, dtype=dtype)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array.reshape(given.shape), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def from_npy(data: bytes, part: str) -> NDArray[np.floating]:
    """The array in ``.npy`` bytes, read-only.

    Args:
        data: the whole file.
        part: its name in the bundle, for the error.

    Raises:
        BundleCorruptError: not as ``to_npy`` writes it, or of another length than its header says.
    """
    return _read(data, part, FLOATS, "floats")


def from_exact_npy(data: bytes, part: str, kind: str) -> NDArray[np.unsignedinteger]:
    """The array in ``.npy`` bytes, read-only.

    Args:
        data: the whole file.
        part: its name in the bundle, for the error.
        kind: ``"u1"``, ``"u4"`` or ``"u8"``: the one type that it may have.

    Raises:
        BundleCorruptError: as ``from_npy``, or of another type.
    """
    return _read(data, part, (kind,), kind)


def _read(data: bytes, part: str, kinds: tuple[str, ...], wanted: str) -> NDArray[Any]:
    start = len(MAGIC) + 2 + int.from_bytes(data[len(MAGIC) : len(MAGIC) + 2], "little")
    found = HEADER.fullmatch(data[len(MAGIC) + 2 : start])
    if not data.startswith(MAGIC) or found is None or found[1].decode() not in kinds:
        raise BundleCorruptError(f"{part}: not a .npy array of {wanted} in C order")
    sizes = found[2].replace(b" ", b"").split(b",")
    if any(len(size) > MAX_AXIS_DIGITS for size in sizes):
        raise BundleCorruptError(f"{part}: absurd shape ({found[2].decode()})")
    shape, kind = tuple(int(size) for size in sizes if size), found[1].decode()
    item_bytes = int(kind[1:])
    if len(data) - start != item_bytes * math.prod(shape):
        raise BundleCorruptError(f"{part}: shape {shape} does not fit its {len(data) - start} bytes")
    return np.frombuffer(data, dtype=f"<{kind}", offset=start).reshape(shape)
