"""A heatmap laid over a photograph."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from leafsight.images.shapes import RGB, Plane

Colours: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

# Thirteen even steps of "inferno" from 0.1 on, without its blackest part (S. van der Walt and N. Smith, 2015,
# CC0): lightness rises evenly with the value, and it reads the same with any colour vision and in grey.
ANCHORS = np.array(
    [
        (22, 11, 57), (54, 9, 97), (87, 16, 110), (117, 27, 110), (147, 38, 103), (177, 50, 90),
        (204, 66, 72), (228, 90, 49), (243, 120, 25), (251, 153, 6), (251, 190, 35),
        (243, 227, 90), (252, 255, 164),
    ],
    np.float32,
)  # fmt: skip

STRENGTH = 0.8
"""Cover of the hottest place; what is cold stays as photographed."""


def overlay_heatmap(rgb: RGB, heat: Plane, strength: float = STRENGTH) -> RGB:
    """Colour a photograph by heat: the hotter, the brighter the colour and the more of it.

    Args:
        rgb: an upright picture, ``uint8[height, width, 3]``.
        heat: ``float[h, w]`` over the same field of view, at any resolution; 0 cold to 1 hot, values
            outside are cut. It is enlarged smoothly.
        strength: cover of the hottest place, 0..1.

    Returns:
        ``uint8[height, width, 3]``, a new array.

    Raises:
        ValueError: the heat is not finite, which is a bug of the caller.
    """
    if not np.isfinite(heat).all():
        raise ValueError("the heat has values that are not finite")
    height, width, _ = rgb.shape
    field = Image.fromarray(np.clip(heat, 0, 1).astype(np.float32))
    warm = np.clip(np.asarray(field.resize((width, height), Image.Resampling.BICUBIC)), 0, 1)
    cover = (warm * np.float32(strength))[:, :, None]
    mixed: Colours = rgb * (1 - cover) + _colours(warm) * cover
    return (mixed + 0.5).astype(np.uint8)


def _colours(warm: Plane) -> Colours:
    """The colour of each value, between the two nearest anchors: ``float32[height, width, 3]``."""
    at = np.asarray(warm, np.float32) * np.float32(len(ANCHORS) - 1)
    lower = np.minimum(at.astype(np.int64), len(ANCHORS) - 2)
    share = (at - lower.astype(np.float32))[:, :, None]
    colours: Colours = ANCHORS[lower] * (1 - share) + ANCHORS[lower + 1] * share
    return colours
