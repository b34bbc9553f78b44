"""Is a photograph fit for a diagnosis? Five measures; what is too low is for others to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from leafsight.images.resizing import resize
from leafsight.images.shapes import RGB

Real: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

MEASURED_SIDE_PX = 256
"""Sharpness depends on the scale, so a larger photograph is measured at this longer side."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601: grey as JPEG and Pillow compute it."""


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
    grey = small.astype(np.float32) @ LUMA
    return Quality(
        sharpness=float(np.var(_laplacian(grey), dtype=np.float64)),
        brightness=float(grey.mean() / 255),
        contrast=float(grey.std() / 255),
        saturation=_mean_saturation(small),
        entropy_bits=_entropy_bits(grey),
    )


def _laplacian(grey: Real) -> Real:
    """The four-neighbour Laplacian of the inside."""
    inside: Real = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return inside


def _mean_saturation(rgb: RGB) -> float:
    highest, lowest = rgb.max(axis=2), rgb.min(axis=2)
    return float(((highest - lowest) / np.maximum(highest, 1).astype(np.float32)).mean())


def _entropy_bits(grey: Real) -> float:
    counts = np.bincount((grey + 0.5).astype(np.int64).ravel(), minlength=256)
    shares = counts[counts > 0] / grey.size
    return abs(float(-(shares * np.log2(shares)).sum()))  # abs: an even picture is 0, not -0
