"""Antialiased resizing: two small matrix products for the bilinear filter, Pillow for the rest.

A plain ``Image.resize`` costs two thirds of preparing a 256 px photograph. Here the same triangle filter
(the one Pillow uses: it widens with the reduction) is a banded matrix with whole-number weights that sum
to 256. Eight outputs at a time are one small product in float32. All sums are whole numbers of at most 24
bits, so float32 holds them exactly and every processor and BLAS gives the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image

from leafsight.images.preprocessing import Resample
from leafsight.images.scratch import scratch
from leafsight.images.shapes import RGB, Plane

WEIGHT_SUM = 256
BLOCK = 8
"""Outputs of one product. Products this small also stay below the size at which OpenBLAS starts threads."""

MAX_FAST_RATIO = 8.0
"""Shrinking more than this goes to Pillow: the blocks grow with the ratio and its gain is gone."""

HALF_LEVEL = np.float32(0.5)

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}


class _Block(NamedTuple):
    first: int
    weights: Plane


def resize(rgb: RGB, width_px: int, height_px: int, resample: Resample = "bilinear") -> RGB:
    """A picture in another size, antialiased.

    Bilinear differs from Pillow's by at most one grey level (Pillow rounds between its two passes), the
    other filters are Pillow's.

    Args:
        rgb: ``uint8[height, width, 3]``.
        width_px: at least 1.
        height_px: at least 1.
        resample: the filter.

    Returns:
        ``uint8[height_px, width_px, 3]``, contiguous; the input itself when it has this size already.
    """
    height, width, _ = rgb.shape
    if (width, height) == (width_px, height_px):
        return np.ascontiguousarray(rgb)
    ratio = max(width / width_px, height / height_px)
    if resample == "bilinear" and ratio <= MAX_FAST_RATIO:
        return _resize_bilinear(rgb, width_px, height_px)
    resized = Image.fromarray(rgb).resize((width_px, height_px), FILTERS[resample])
    return np.array(resized)


def _resize_bilinear(rgb: RGB, width_px: int, height_px: int) -> RGB:
    height, width, _ = rgb.shape
    rows = rgb.reshape(height, width * 3)
    lower = scratch.floats("lower", height_px, width * 3)
    blocks = _row_blocks(height, height_px)
    taken = scratch.floats("taken", max(block.weights.shape[1] for block in blocks), width * 3)
    for start, block in zip(range(0, height_px, BLOCK), blocks, strict=True):
        depth = block.weights.shape[1]
        taken[:depth] = rows[block.first : block.first + depth]
        np.matmul(block.weights, taken[:depth], out=lower[start : start + BLOCK])
    levels = scratch.floats("levels", height_px, width_px * 3)
    for start, block in zip(range(0, width_px, BLOCK), _column_blocks(width, width_px), strict=True):
        columns = lower[:, block.first * 3 : block.first * 3 + block.weights.shape[0]]
        np.matmul(columns, block.weights, out=levels[:, start * 3 : (start + BLOCK) * 3])
    resized = np.empty((height_px, width_px * 3), np.uint8)
    # Half a level is added before the cut to whole numbers: round half up.
    np.add(levels, HALF_LEVEL, out=resized, casting="unsafe")
    return resized.reshape(height_px, width_px, 3)


@lru_cache(maxsize=32)
def _row_blocks(size: int, wanted: int) -> tuple[_Block, ...]:
    return tuple(_blocks(_triangle_weights(size, wanted)))


@lru_cache(maxsize=32)
def _column_blocks(size: int, wanted: int) -> tuple[_Block, ...]:
    """As for rows, but for three interleaved channels, transposed, and scaled back to grey levels.

    Dividing by a power of two is exact in float32.
    """
    scale = np.float32(1 / WEIGHT_SUM**2)
    interleave = np.eye(3, dtype=np.float32)
    return tuple(
        _Block(block.first, np.ascontiguousarray(np.kron(block.weights, interleave).T) * scale)
        for block in _blocks(_triangle_weights(size, wanted))
    )


def _blocks(weights: Plane) -> list[_Block]:
    blocks = []
    for start in range(0, weights.shape[0], BLOCK):
        rows = weights[start : start + BLOCK]
        used = np.flatnonzero(rows.any(axis=0))
        first, last = int(used[0]), int(used[-1])
        blocks.append(_Block(first, np.ascontiguousarray(rows[:, first : last + 1], dtype=np.float32)))
    return blocks


def _triangle_weights(size: int, wanted: int) -> Plane:
    """Whole-number weights ``[wanted, size]`` of the triangle filter, each row summing to 256.

    The geometry is Pillow's (``precompute_coeffs`` in its ``Resample.c``): pixel centres at half numbers,
    support one input pixel when enlarging and one output pixel when shrinking, rows normalised at the
    edges. The rounding gives each row its missing units where the fractions are largest.
    """
    scale = size / wanted
    support = max(scale, 1.0)
    weights = np.zeros((wanted, size))
    for row in range(wanted):
        centre = (row + 0.5) * scale
        first, last = max(0, int(centre - support + 0.5)), min(size, int(centre + support + 0.5))
        exact = np.clip(1 - np.abs(np.arange(first, last) + 0.5 - centre) / support, 0, None)
        exact *= WEIGHT_SUM / exact.sum()
        whole = np.floor(exact)
        missing = WEIGHT_SUM - int(whole.sum())
        whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
        weights[row, first:last] = whole
    return weights
