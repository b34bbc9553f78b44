"""A photograph made small once, to compare it, to show it and to measure its looks.

Enters: an upright picture. Leaves: a ``Sketch`` of fixed size, and measures of light, colour and sharpness.
It does not know what is good or bad about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from leafsight.images.shapes import RGB

SKETCH_SIDE_PX = 64
COLOUR_SIDE_PX = 32
FINE_SIDE_PX = 128
"""Sharpness and margins are looked at on a copy with a short side of 128 to 255 px, or smaller as it came."""

MARGIN_RANGE = 6
"""Grey levels by which a row or column of padding may vary: what JPEG leaves on a flat edge."""

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A photograph squashed to squares of fixed size.

    Attributes:
        grey: uint8 ``[64, 64]``, ITU-R BT.601 luma.
        rgb: uint8 ``[32, 32, 3]``.
        sharpness: variance of the Laplacian of the grey levels of a copy with a short side of 128 to 255 px,
            in squared levels (Pech-Pacheco et al., ICPR 2000). Low is blurred.
        margin_share: 0 to 1; how much of the picture lies in rows and columns at its edges that hold one
            colour: frames, letterboxes, paper without grain.
        cells: uint8 ``[32, 32, 3]``, nearly ``rgb``: what ``resize`` with the filter ``box`` makes of the
            picture. Hashes of looks are made of it, and published splits hang on every bit of them.
    """

    grey: Bytes
    rgb: Bytes
    sharpness: float
    margin_share: float
    cells: Bytes


def draw_sketch(rgb: RGB) -> Sketch:
    """Reduce a picture to its sketch.

    Args:
        rgb: upright, uint8 ``[height, width, 3]``, sides at least 1. Decoded with ``wanted_side_px`` of 64 it
            has all that is needed here.
    """
    whole = Image.fromarray(rgb)
    small = _squashed(whole)
    fine = np.asarray(_fine(whole).convert("L"))
    return Sketch(
        grey=np.asarray(small.convert("L")),
        rgb=np.asarray(small.reduce(SKETCH_SIDE_PX // COLOUR_SIDE_PX)),
        sharpness=_sharpness(fine),
        margin_share=_margin_share(fine),
        cells=np.asarray(whole.resize((COLOUR_SIDE_PX, COLOUR_SIDE_PX), Image.Resampling.BOX)),
    )


def _squashed(whole: Image.Image) -> Image.Image:
    """The mean of each cell; by whole factors where that is the same, because it is four times as fast."""
    wide, tall = whole.width % SKETCH_SIDE_PX == 0, whole.height % SKETCH_SIDE_PX == 0
    if wide and tall:
        return whole.reduce((whole.width // SKETCH_SIDE_PX, whole.height // SKETCH_SIDE_PX))
    return whole.resize((SKETCH_SIDE_PX, SKETCH_SIDE_PX), Image.Resampling.BOX)


def _fine(whole: Image.Image) -> Image.Image:
    """A copy with a short side below 256 px: sharpness must compare between large and small photographs."""
    factor = min(whole.size) // FINE_SIDE_PX
    return whole.reduce(factor) if factor > 1 else whole


def _sharpness(grey: Bytes) -> float:
    """Neighbours are added along the flat array: twice as fast as row by row, and wrong only at the edges."""
    height, width = grey.shape
    if min(height, width) < 3:
        return 0.0
    levels = grey.astype(np.int16).ravel()
    middle = levels[width:-width]
    edges = levels[: -2 * width] + levels[2 * width :]
    edges -= middle << 2
    edges[1:] += middle[:-1]
    edges[:-1] += middle[1:]
    values = edges.reshape(height - 2, width)[:, 1:-1].astype(np.float32).ravel()
    mean = float(values.mean())
    return max(0.0, float(values @ values) / values.size - mean * mean)


def _margin_share(grey: Bytes) -> float:
    """The share of the area outside the rows and columns that hold more than one colour."""
    if not any(_is_flat(edge) for edge in (grey[0], grey[-1], grey[:, 0], grey[:, -1])):
        return 0.0
    kept = 1.0
    for axis in (0, 1):
        flat = grey.max(axis=axis) - grey.min(axis=axis) <= MARGIN_RANGE
        lively = np.flatnonzero(~flat)
        if not lively.size:
            return 1.0
        kept *= (lively[-1] - lively[0] + 1) / flat.size
    return float(1 - kept)


def _is_flat(line: Bytes) -> bool:
    return bool(int(line.max()) - int(line.min()) <= MARGIN_RANGE)
