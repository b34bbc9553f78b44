"""Is a photograph fit for a diagnosis? Five measures; what is too low is for others to say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from leafsight.images.resizing import resize
from leafsight.images.scratch import scratch
from leafsight.images.shapes import RGB

Real: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

MEASURED_SIDE_PX = 256
"""Sharpness depends on the scale, so a larger photograph is measured at this longer side."""

LUMA = np.array([299, 587, 114], np.float32)
"""ITU-R BT.601 in thousandths: grey as JPEG and Pillow compute it."""

LEVEL = 1000
"""Thousandths in one grey level."""
FULL = 255 * LEVEL

BAND = 64
"""Rows that are converted at once: their numbers stay in the nearest memory of the processor."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on a copy whose longer side is 256 px, or on a smaller picture as it is.

    Attributes:
        sharpness: variance of the Laplacian of the grey levels, in squared levels: low is blurred.
            Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
            ICPR 2000.
        brightness: mean grey level, 0 black to 1 white.
        contrast: standard deviation of the grey levels, 0 to 0.5 (RMS contrast; Peli, "Contrast in complex
            images", JOSA A 7, 1990).
        saturation: mean HSV saturation, 0 grey to 1 (Smith, "Color gamut transform pairs", SIGGRAPH 1978).
        entropy_bits: of the histogram of grey levels, 0 to 8 (Shannon 1948).
    """

    sharpness: float
    brightness: float
    contrast: float
    saturation: float
    entropy_bits: float


def measure_quality(rgb: RGB) -> Quality:
    """Measure sharpness, light and colour.

    Args:
        rgb: an upright picture, ``uint8[height, width, 3]``. It is never enlarged: that would blur a small
            picture whose every pixel is sharp.
    """
    height, width, _ = rgb.shape
    scale = min(1.0, MEASURED_SIDE_PX / max(height, width))
    small = resize(rgb, max(3, round(width * scale)), max(3, round(height * scale)))
    grey = _grey(small)
    mean = _total(grey) / grey.size
    return Quality(
        sharpness=_sharpness(grey),
        brightness=mean / FULL,
        contrast=_deviation(grey, mean) / FULL,
        saturation=_mean_saturation(small),
        entropy_bits=_entropy_bits(grey),
    )


def _grey(rgb: RGB) -> Real:
    """Grey levels in thousandths: whole numbers below 2**24, so float32 is exact in any order of adding."""
    height, width, _ = rgb.shape
    grey = scratch.floats("grey", height, width)
    for top in range(0, height, BAND):
        band = rgb[top : top + BAND]
        levels = scratch.floats("levels", len(band), width * 3)
        levels[...] = band.reshape(len(band), width * 3)
        np.matmul(levels.reshape(-1, 3), LUMA, out=grey[top : top + BAND].reshape(-1))
    return grey


def _total(values: Real) -> float:
    return float(np.add.reduce(np.add.reduce(values, axis=1), dtype=np.float64))


def _total_of_squares(values: Real) -> float:
    """Row by row in float32, the rows in float64: no pass that converts every value."""
    return float(np.add.reduce(np.einsum("ij,ij->i", values, values), dtype=np.float64))


def _deviation(grey: Real, mean: float) -> float:
    centred = scratch.floats("work", *grey.shape)
    np.subtract(grey, np.float32(mean), out=centred)
    return math.sqrt(_total_of_squares(centred) / grey.size)


def _sharpness(grey: Real) -> float:
    """Variance of the four-neighbour Laplacian of the inside, in squared levels.

    Neighbours are added along the flat array, which is twice as fast as row by row; what is wrong at the
    edges is left out afterwards.
    """
    height, width = grey.shape
    flat = grey.reshape(-1)
    middle = flat[width:-width]
    edges = np.add(flat[: -2 * width], flat[2 * width :], out=scratch.floats("work", 1, middle.size)[0])
    edges -= np.multiply(middle, np.float32(4), out=scratch.floats("levels", 1, middle.size)[0])
    edges[1:] += middle[:-1]
    edges[:-1] += middle[1:]
    inside = edges.reshape(height - 2, width)[:, 1:-1]
    mean = _total(inside) / inside.size
    variance: float = _total_of_squares(inside) / inside.size - mean * mean
    return max(0.0, variance) / float(LEVEL**2)


def _mean_saturation(rgb: RGB) -> float:
    """Highest and lowest of each pixel by shifting the flat bytes: every third of the result is a pixel's."""
    flat = rgb.reshape(-1)
    highest, lowest = np.maximum(flat[:-2], flat[1:-1]), np.minimum(flat[:-2], flat[1:-1])
    np.maximum(highest, flat[2:], out=highest)
    np.minimum(lowest, flat[2:], out=lowest)
    top = np.ascontiguousarray(highest[::3])  # steps of three cost more than a copy, in each pass after it
    shares = scratch.floats("work", 1, top.size)[0]
    shares[...] = top - np.ascontiguousarray(lowest[::3])
    shares /= np.maximum(top, 1).astype(np.float32)
    return float(shares.mean())


def _entropy_bits(grey: Real) -> float:
    """Pillow counts the levels three times as fast as ``np.bincount``."""
    height, width = grey.shape
    # Half a level is added before the cut to whole levels; whole thousands divide exactly.
    rounded = scratch.floats("work", height, width)
    np.add(grey, np.float32(LEVEL / 2), out=rounded)
    levels = np.divide(rounded, np.float32(LEVEL), out=rounded).astype(np.uint8)
    counts = np.array(Image.frombuffer("L", (width, height), levels, "raw", "L", 0, 1).histogram())
    shares = counts[counts > 0] / grey.size
    return abs(float(-(shares * np.log2(shares)).sum()))  # abs: an even picture is 0, not -0
