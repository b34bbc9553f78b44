"""sRGB to CIE L*a*b*, in NumPy, by two tables: cube roots would take most of the time."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from leafsight.images.shapes import RGB

Lab: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

# IEC 61966-2-1 (sRGB): transfer function, and the matrix to XYZ divided by the D65 white point.
_LEVELS = np.arange(256) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])

# ISO/CIE 11664-4: the cube root with a straight foot. The last entry catches sums that round above 1.
STEPS = 1 << 14
_SHARES = np.arange(STEPS + 2) / STEPS
_CURVE = np.where(_SHARES > (6 / 29) ** 3, np.cbrt(_SHARES), _SHARES * (841 / 108) + 4 / 29).astype(
    np.float32
)
_TO_STEPS = (STEPS * _TO_XYZ / np.array([[0.9505], [1.0], [1.089]])).T.astype(np.float32)
_FROM_CURVE = np.array([[0, 500, 0], [116, -500, 200], [0, 0, -200]], np.float32)


def to_lab(rgb: RGB) -> Lab:
    """CIE 1976 L*a*b* under D65 (ISO/CIE 11664-4), within 0.2 of the exact value.

    Args:
        rgb: ``uint8[height, width, 3]``, taken as sRGB.

    Returns:
        ``float32[height, width, 3]``: lightness 0..100, a* (green to red) and b* (blue to yellow), about
        -100..100.
    """
    steps = (_LINEAR[rgb] @ _TO_STEPS + np.float32(0.5)).astype(np.int32)
    lab: Lab = _CURVE[steps] @ _FROM_CURVE
    lab[..., 0] -= 16
    return lab
