"""By how much one view must be turned, and whether mirrored, to look like another picture.

Enters: coefficients of discs. Leaves: how well the best turn fits, and the affine map it stands for. It does
not look at pixels.

Source: turning by t multiplies the coefficient of order m by exp(-imt) (Teague 1980, see ``discs``), so the
fit at every angle is a Fourier sum over m. Coefficients are divided by their usual size first, as a
phase-only correlation would: what all leaves on paper share then counts less.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Complex64, Float32, Int64

from leafsight.dataset.duplicates.discs import ORDER, View, views, waves

Coefficients = Float32[np.ndarray, "n coefficients"]

# quarter turns, each with the free rotations that count as small
ANGLES_DEG = tuple(quarter + small for quarter in (0, 90, 180, 270) for small in (-15, -10, -5, 0, 5, 10, 15))


def usual_sizes(plain: Coefficients) -> Float32[np.ndarray, " coefficients"]:
    """Root mean square of each coefficient over a collection, the same for both parts of a complex one."""
    power = (plain**2).mean(0)
    alone = int((waves(ORDER) == 0).sum())
    paired = power[alone:].reshape(-1, 2).mean(1).repeat(2)
    sizes: Float32[np.ndarray, " coefficients"] = np.sqrt(np.concatenate([power[:alone], paired])) + 1e-4
    return sizes


def best_turn(
    here: Coefficients, there: Coefficients
) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """How well the best turn of each pair fits (-1 to 1), its angle in radians, and whether it mirrors.

    Args:
        here: of the views, divided by their usual sizes.
        there: of the whole other pictures, likewise.
    """
    orders = waves(ORDER)
    alone = int((orders == 0).sum())
    still = (here[:, :alone] * there[:, :alone]).sum(1)
    left, right = _as_complex(here[:, alone:]), _as_complex(there[:, alone:])
    gather = (orders[alone::2, None] == np.arange(1, ORDER + 1)).astype(np.complex64)
    angles = np.deg2rad(np.array(ANGLES_DEG, np.float32))
    waves_round = np.exp(1j * np.outer(np.arange(1, ORDER + 1), angles)).astype(np.complex64)
    plain = ((left.conj() * right) @ gather @ waves_round).real
    mirrored = ((left * right) @ gather @ waves_round).real
    best_plain, best_mirrored = plain.max(1), mirrored.max(1)
    flip = best_mirrored > best_plain
    angle = np.where(flip, -angles[mirrored.argmax(1)], angles[plain.argmax(1)])
    size = np.sqrt((here**2).sum(1) * (there**2).sum(1)) + 1e-6
    fit = (still + np.maximum(best_plain, best_mirrored)) / size
    return fit.astype(np.float32), angle.astype(np.float32), flip


def _as_complex(paired: Float32[np.ndarray, "n columns"]) -> Complex64[np.ndarray, "n coefficients"]:
    return np.ascontiguousarray(paired).view(np.complex64)


def turn_maps(
    view: Int64[np.ndarray, " n"], angle: Float32[np.ndarray, " n"], mirrored: Bool[np.ndarray, " n"]
) -> Float32[np.ndarray, "n 2 3"]:
    """The affine maps from the other pictures into the ones, by the number of the view and the best turn."""
    seen: list[View] = list(views())
    scale = np.array([one.scale for one in seen], np.float32)[view]
    sign = np.where(mirrored, -1, 1)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    maps = np.empty((len(view), 2, 3), np.float32)
    maps[:, 0, 0], maps[:, 0, 1] = cosine, -sine * sign
    maps[:, 1, 0], maps[:, 1, 1] = sine, cosine * sign
    maps[:, 0, 2] = np.array([one.right for one in seen], np.float32)[view]
    maps[:, 1, 2] = np.array([one.down for one in seen], np.float32)[view]
    return maps
