"""How well two grey pictures agree once one lies over the other.

Enters: pictures and maps. Leaves: a score from 0 to 1 and the share of the picture it rests on. It does not
know the threshold.

The score is a product of two correlations of fine detail. Both compare small squares, each less
its own mean, so that a leaf's place and outline on plain paper do not make two leaves alike. The first pools
all squares: strong detail counts most. The second is the mean of the correlations of the squares, weighted by
the root of their contrast: detail must agree all over. Squares with less than half of their pixels in both
pictures do not count. Set by
measurement, see ``docs/dataset.md``.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from leafsight.dataset.duplicates.register import Grey, Maps, laid

Squares = Float32[np.ndarray, "n squares pixels"]
MARGIN_PX = 1.5  # of a 64-pixel picture, not compared along both edges: resampling and filled corners bleed

NOISE = 1.0  # grey levels that JPEG and rounding leave on a flat square


def agreement(
    ones: Grey, others: Grey, maps: Maps, square_px: int
) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """Score 0 to 1 and share of squares compared, 0 to 1.

    Args:
        ones: 0 to 255.
        others: the same side.
        maps: from the others into the ones.
        square_px: side of the squares; divides that of the pictures.
    """
    n, side = others.shape[:2]
    seen, inside = laid(ones, maps, margin_px=MARGIN_PX * side / 64)
    counted = inside.reshape(n, side, side).astype(np.float32)
    edge = round(MARGIN_PX * side / 64)
    counted[:, :edge] = counted[:, side - edge :] = 0
    counted[:, :, :edge] = counted[:, :, side - edge :] = 0
    mask = _squares(counted, square_px)
    there_squares, here_squares = (
        _squares(others, square_px),
        _squares(seen.reshape(n, side, side), square_px),
    )
    share = mask.mean(-1)
    mask *= (share >= 0.5)[:, :, None]
    here, there = _centred(here_squares, mask), _centred(there_squares, mask)
    both = np.einsum("nsp,nsp->ns", here, there)
    here_power = np.einsum("nsp,nsp->ns", here, here)
    there_power = np.einsum("nsp,nsp->ns", there, there)
    floor = square_px**2 * NOISE**2
    pooled = both.sum(1) / np.sqrt((here_power.sum(1) + floor) * (there_power.sum(1) + floor))
    alike = both / np.sqrt((here_power + floor) * (there_power + floor))
    weight = np.sqrt(np.sqrt(here_power * there_power))
    even = (weight * alike).sum(1) / (weight.sum(1) + 1e-6)
    score = np.maximum(pooled, 0) * np.maximum(even, 0)
    return score.astype(np.float32), mask.mean((1, 2), dtype=np.float32)


def _centred(squares: Squares, mask: Squares) -> Squares:
    """Each square less its mean where the mask is one, zero elsewhere."""
    mean = np.einsum("nsp,nsp->ns", squares, mask) / np.maximum(mask.sum(-1), 1)
    centred: Squares = (squares - mean[:, :, None]) * mask
    return centred


def smoothed(pictures: Grey) -> Grey:
    """Each pixel mixed with its neighbours (1 2 1), so that different resampling hardly counts."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    smooth: Grey = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) * np.float32(1 / 16)
    return smooth


def _squares(pictures: Grey, square_px: int) -> Squares:
    n, side = pictures.shape[:2]
    count = side // square_px
    parts = pictures.reshape(n, count, square_px, count, square_px).transpose(0, 1, 3, 2, 4)
    squares: Squares = parts.reshape(n, count * count, square_px**2)
    return squares
