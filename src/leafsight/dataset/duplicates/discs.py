"""Round views of a small picture, described so that turning and mirroring leave the description as it is.

Enters: a view (where the disc lies in the picture). Leaves: a matrix that takes the pixels of a picture to
the coefficients of that disc. It does not know photographs.

Source: Teague, Image analysis via the general theory of moments, J. Opt. Soc. Am. 70 (1980): turning a
picture changes only the phase of a Zernike moment, mirroring it conjugates it. Our disc has a soft edge
(``1 - r²``), so that what lies in the corners of a turned picture hardly counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np
from jaxtyping import Float32, Float64, Int64

SIDE_PX = 16  # pictures are described at this side: finer sides found no more and cost four times as much
ORDER, COLOUR_ORDER = 8, 4  # highest Zernike order of brightness and of colour; set by measurement
SAMPLES = 3  # points across a pixel when a basis function is averaged over it


@dataclass(frozen=True, slots=True)
class View:
    """A disc inside a square picture whose sides run from -0.5 to 0.5.

    Attributes:
        scale: diameter as a share of the side, over 0 to 1.
        right: of the centre, to the right.
        down: of the centre, downwards.
    """

    scale: float
    right: float
    down: float


def views(levels: tuple[tuple[float, int], ...] = ((0.9, 3), (0.8, 5))) -> tuple[View, ...]:
    """The whole picture first, then discs as crops would have them: (scale, positions along a side)."""
    found = [View(1.0, 0.0, 0.0)]
    for scale, count in levels:
        places = np.linspace(-(1 - scale) / 2, (1 - scale) / 2, count).tolist()
        found += [View(scale, right, down) for right in places for down in places]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Disc:
    """What takes the pixels of one view to coefficients; the columns of a complex one stand side by side.

    Attributes:
        luma: to brightness coefficients, sums to zero down each column.
        colour: the same for a colour plane, up to ``COLOUR_ORDER``.
        mean: to the weighted mean, sums to one.
    """

    luma: Float32[np.ndarray, "pixels coefficients"]
    colour: Float32[np.ndarray, "pixels colour_coefficients"]
    mean: Float32[np.ndarray, " pixels"]


@cache
def disc(view: View) -> Disc:
    """The matrices of a view, on pictures of ``SIDE_PX``."""
    steps = (np.arange(SIDE_PX * SAMPLES) + 0.5) / (SIDE_PX * SAMPLES) - 0.5
    down, right = np.meshgrid(steps, steps, indexing="ij")
    right, down = (right - view.right) / (view.scale / 2), (down - view.down) / (view.scale / 2)
    radius, angle = np.hypot(right, down), np.arctan2(down, right)
    weight = np.where(radius < 1, 1 - radius**2, 0.0)
    weight /= weight.sum()
    columns = [weight * (wave - (weight * wave).sum()) for wave in _waves(ORDER, radius, angle)]
    colours = [weight * (wave - (weight * wave).sum()) for wave in _waves(COLOUR_ORDER, radius, angle)]
    return Disc(_averaged(columns), _averaged(colours), _averaged([weight])[:, 0])


def waves(order: int) -> Int64[np.ndarray, " coefficients"]:
    """``m`` of each column: 0 stands once, all others twice, first cosine then sine."""
    return np.array([m for m, _ in _numbers(order) for _ in range(1 if m == 0 else 2)])


def _numbers(order: int) -> list[tuple[int, int]]:
    pairs = [(m, n) for m in range(order + 1) for n in range(m, order + 1, 2)]
    return [(m, n) for m, n in pairs if n > 0]


def _waves(
    order: int, radius: Float64[np.ndarray, "h w"], angle: Float64[np.ndarray, "h w"]
) -> list[Float64[np.ndarray, "h w"]]:
    found = []
    for m, n in _numbers(order):
        along = sum(
            (-1) ** j
            * factorial(n - j)
            / (factorial(j) * factorial((n + m) // 2 - j) * factorial((n - m) // 2 - j))
            * radius ** (n - 2 * j)
            for j in range((n - m) // 2 + 1)
        ) * np.sqrt(n + 1)
        found.append(along * np.cos(m * angle))
        if m:
            found.append(along * np.sin(m * angle))
    return found


def _averaged(functions: list[Float64[np.ndarray, "h w"]]) -> Float32[np.ndarray, "pixels functions"]:
    blocks = np.stack(functions).reshape(len(functions), SIDE_PX, SAMPLES, SIDE_PX, SAMPLES)
    return np.ascontiguousarray(blocks.sum((2, 4)).reshape(len(functions), -1).T.astype(np.float32))
