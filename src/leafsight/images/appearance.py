"""Light and colour of many photographs at once, from their sketches.

Enters: grey and coloured sketches. Leaves: one number a photograph and measure. It does not know a leaf from
a green cup: ``green_share`` and ``lesion_share`` are colours, not botany.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from leafsight.images.sketching import COLOUR_SIDE_PX, SKETCH_SIDE_PX

Sketches: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
Measures: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

DARK_LEVEL, BRIGHT_LEVEL = 20, 245
"""Grey levels that hold no detail any more: a photograph full of them was under- or over-exposed."""

GREEN_EXCESS = 20
"""Excess green 2G - R - B (Woebbecke et al., "Color indices for weed identification", Trans. ASAE 38, 1995),
in grey levels; vegetation is above about 20, set by eye on PlantVillage and field photographs."""

LESION_WARMTH, LESION_RED_OVER_GREEN = 30, -12
"""Brown and yellow: this much redder than blue, and at most 12 levels greener than red. Set by eye."""

_SATURATIONS = (np.arange(256) / np.maximum(np.arange(256), 1)[:, None]).astype(np.float32)
"""Saturation by highest level and by highest minus lowest: a table is faster than dividing every pixel."""

MEASURES = (
    "brightness", "contrast", "saturation", "entropy_bits", "shadow", "highlight", "dark_share",
    "bright_share", "green_share", "lesion_share", "mean_red", "mean_green", "mean_blue",
)  # fmt: skip


def measure_appearance(grey: Sketches, rgb: Sketches) -> dict[str, Measures]:
    """Measures of ``n`` photographs.

    Args:
        grey: uint8 ``[n, 64, 64]``.
        rgb: uint8 ``[n, 32, 32, 3]``.

    Returns:
        float32 ``[n]`` for each name in ``MEASURES``: ``brightness`` mean grey, 0 to 1; ``contrast`` its
        standard deviation, 0 to 0.5 (Peli, JOSA A 7, 1990); ``saturation`` mean HSV saturation, 0 to 1;
        ``entropy_bits`` of the grey levels, 0 to 8 (Shannon 1948); ``shadow`` and ``highlight`` the grey
        levels that 5 % and 99 % of the picture are below, 0 to 1; ``dark_share`` and ``bright_share`` of the
        picture below level 20 and above 245; ``green_share`` of excess green; ``lesion_share`` brown or
        yellow, as a share of what is green, brown or yellow (0 where nothing is); ``mean_red`` and so on, 0
        to 1.
    """
    count = len(grey)
    histogram = _histograms(grey.reshape(count, SKETCH_SIDE_PX**2)) / np.float32(SKETCH_SIDE_PX**2)
    levels = np.arange(256, dtype=np.float32)
    mean = histogram @ levels
    spread = np.sqrt(np.maximum(histogram @ levels**2 - mean**2, 0))
    logs = np.log2(histogram, out=np.zeros_like(histogram), where=histogram > 0)
    # One plane a channel: NumPy reduces over long axes many times faster than over a last axis of three.
    planes = np.ascontiguousarray(rgb.reshape(count, COLOUR_SIDE_PX**2, 3).transpose(2, 0, 1))
    green, lesion = _plant_colours(planes)
    plant = green + lesion
    means = planes.sum(axis=2, dtype=np.uint32) / np.float32(255 * COLOUR_SIDE_PX**2)
    return {
        "brightness": mean / np.float32(255),
        "contrast": spread / np.float32(255),
        "saturation": _saturation(planes),
        "entropy_bits": np.abs((histogram * logs).sum(axis=1)),
        "shadow": _quantile(histogram, 0.05),
        "highlight": _quantile(histogram, 0.99),
        "dark_share": histogram[:, :DARK_LEVEL].sum(axis=1),
        "bright_share": histogram[:, BRIGHT_LEVEL + 1 :].sum(axis=1),
        "green_share": green,
        "lesion_share": np.divide(lesion, plant, out=np.zeros_like(lesion), where=plant > 0),
        "mean_red": means[0].astype(np.float32),
        "mean_green": means[1].astype(np.float32),
        "mean_blue": means[2].astype(np.float32),
    }


def _histograms(levels: Sketches) -> Measures:
    """How often each of the 256 grey levels comes, float32 ``[n, 256]``."""
    count = len(levels)
    places = levels + (np.arange(count, dtype=np.int32) * 256)[:, None]
    counted = np.bincount(places.ravel(), minlength=count * 256)
    return counted.reshape(count, 256).astype(np.float32)


def _quantile(histogram: Measures, share: float) -> Measures:
    """The grey level, 0 to 1, that at least ``share`` of each picture does not exceed."""
    below = np.cumsum(histogram, axis=1) < share - 1e-6
    levels: Measures = (np.count_nonzero(below, axis=1) / 255).astype(np.float32)
    return levels


def _saturation(planes: Sketches) -> Measures:
    """Mean saturation of ``n`` photographs from planes ``[3, n, pixels]``."""
    red, green, blue = planes
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    mean: Measures = _SATURATIONS[highest, highest - lowest].mean(axis=1)
    return mean


def _plant_colours(planes: Sketches) -> tuple[Measures, Measures]:
    """Shares of the picture that are green, and brown or yellow, from planes ``[3, n, pixels]``."""
    red, green, blue = planes.astype(np.int16)
    is_green = (2 * green - red - blue > GREEN_EXCESS) & (green > red)
    warm = (red - blue > LESION_WARMTH) & (red - green > LESION_RED_OVER_GREEN) & (green > blue) & ~is_green
    return _shares(is_green), _shares(warm)


def _shares(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Measures:
    shares: Measures = (np.count_nonzero(mask, axis=1) / COLOUR_SIDE_PX**2).astype(np.float32)
    return shares
