"""Hashes of what a photograph looks like."""

from __future__ import annotations

import hashlib

import numpy as np
from jaxtyping import Float64, UInt8

THUMBNAIL_SIDE_PX = 64
_GRID = 32
_LOW = 8
# ITU-R BT.601 luma, the weights that JPEG itself uses.
_LUMA = np.array([0.299, 0.587, 0.114])


def _cosines() -> Float64[np.ndarray, "low grid"]:
    """The first rows of the type-II discrete cosine transform."""
    frequency, place = np.arange(_LOW)[:, None], np.arange(_GRID)[None, :]
    rows: Float64[np.ndarray, "low grid"] = np.cos(np.pi * (2 * place + 1) * frequency / (2 * _GRID))
    return rows


_COSINES = _cosines()


def pixel_hash(rgb: UInt8[np.ndarray, "height width 3"], stored_width_px: int, stored_height_px: int) -> str:
    """SHA-256 of decoded pixels and of the size of the file's picture.

    Equal for two files that hold the same picture with different metadata. The sizes are part of it because
    ``rgb`` may be a reduced decoding.
    """
    digest = hashlib.sha256(f"{stored_width_px}x{stored_height_px}:{rgb.shape[1]}x{rgb.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(rgb).tobytes())
    return digest.hexdigest()


def look_hash(cells: UInt8[np.ndarray, "32 32 3"]) -> int:
    """64-bit perceptual hash: signs of the low frequencies against their median.

    The DCT hash of Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010):
    grey 32 x 32 means, 8 x 8 low frequencies, one bit each. Copies that were scaled, recompressed or slightly
    brightened differ in a few bits; unrelated photographs in about 32.

    Args:
        cells: the picture squashed to 32 x 32 by the filter ``box``, as in ``Sketch.cells``.
    """
    small = cells @ _LUMA
    low = _COSINES @ small @ _COSINES.T
    ordered = np.sort(low, axis=None)
    # The median, without the 40 microseconds that np.median takes to find out what it was given.
    middle = (ordered[_LOW**2 // 2 - 1] + ordered[_LOW**2 // 2]) / 2
    bits = (low > middle).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
