"""Lay one small grey picture exactly over another: shift, scale, turn, shear, brightness and contrast.

Enters: pairs of square grey pictures and a first guess. Leaves: the affine maps. It does not know what is
accepted.

Source: inverse compositional Gauss-Newton, Baker and Matthews, Lucas-Kanade 20 years on, IJCV 56 (2004);
brightness and contrast fall out as both pictures are brought to mean 0 and deviation 1 over their overlap, as
in Evangelidis and Psarakis, IEEE TPAMI 30 (2008).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float32, Int64

Grey = Float32[np.ndarray, "n side side"]
# rows of (a b right; c d down): where a point of the other picture lies in the one, sides from -0.5 to 0.5
Maps = Float32[np.ndarray, "n 2 3"]

FAINTEST = 1.0
DAMPING = 1e-3


def laid(
    ones: Grey, maps: Maps, margin_px: float = -0.5
) -> tuple[Float32[np.ndarray, "n pixels"], Bool[np.ndarray, "n pixels"]]:
    """The pictures as seen through the maps, and where that is at least a margin inside them; bilinear."""
    n, side = ones.shape[:2]
    in_pixels = maps * np.float32(side)
    in_pixels[:, :, 2] += np.float32((side - 1) / 2)
    where = (in_pixels.reshape(-1, 3) @ _points(side)).reshape(n, 2, -1)
    right, down = where[:, 0], where[:, 1]
    far = side - 1 - margin_px
    inside = (right >= margin_px) & (right <= far) & (down >= margin_px) & (down <= far)
    np.clip(where, 0, side - 1.001, out=where)
    left, top = right.astype(np.int32), down.astype(np.int32)
    right -= left
    down -= top
    top *= side
    top += left
    top += (np.arange(n, dtype=np.int32) * (side * side))[:, None]
    at, flat = top.astype(np.intp), ones.reshape(-1)
    upper = _between(flat, flat[1:], at, right)
    lower = _between(flat[side:], flat[side + 1 :], at, right)
    lower -= upper
    lower *= down
    lower += upper
    return lower, inside


def _between(
    ones: Float32[np.ndarray, " ones"],
    others: Float32[np.ndarray, " others"],
    at: Int64[np.ndarray, "n pixels"],
    share: Float32[np.ndarray, "n pixels"],
) -> Float32[np.ndarray, "n pixels"]:
    """A share of the way from the ones to the others; all places are inside, so none is clipped."""
    here, there = ones.take(at, mode="clip"), others.take(at, mode="clip")
    there -= here
    there *= share
    there += here
    return there


def register(ones: Grey, others: Grey, maps: Maps, rounds: int) -> Maps:
    """Better maps, after ``rounds`` steps; a step that leaves the picture is damped, not refused."""
    n = len(others)
    steepest = _steepest(others)
    across = steepest.transpose(0, 2, 1)
    flat = others.reshape(n, -1)
    for _ in range(rounds):
        seen, inside = laid(ones, maps)
        weight = inside.astype(np.float32)
        count = np.maximum(weight.sum(1, keepdims=True), 1)
        there, spread = _standard(flat, weight, count)
        here, _ = _standard(seen, weight, count)
        here -= there
        matrix = (steepest * weight[:, None]) @ across / (spread * spread)[:, None]
        trace = np.einsum("nii->n", matrix)
        matrix += (DAMPING * trace / 6 + 1e-6)[:, None, None] * np.eye(6, dtype=np.float32)
        slope = (steepest @ here[:, :, None]) / spread[:, None]
        step = np.linalg.solve(matrix, slope)[:, :, 0]
        maps = _composed(maps, np.clip(step, -0.15, 0.15).reshape(n, 2, 3))
    return maps


def _steepest(pictures: Grey) -> Float32[np.ndarray, "n 6 pixels"]:
    """How each pixel changes with each number of a map."""
    n, side = pictures.shape[:2]
    points = _points(side)
    down, right = np.gradient(pictures, 1 / side, axis=(1, 2))
    steepest = np.empty((n, 6, side * side), np.float32)
    np.multiply(right.reshape(n, 1, -1), points, out=steepest[:, :3])
    np.multiply(down.reshape(n, 1, -1), points, out=steepest[:, 3:])
    return steepest


def _composed(maps: Maps, step: Maps) -> Maps:
    """The maps after the inverse of the step."""
    inverse = np.linalg.inv(step[:, :, :2] + np.eye(2, dtype=np.float32))
    turn = maps[:, :, :2] @ inverse
    shift = maps[:, :, 2:] - turn @ step[:, :, 2:]
    return np.concatenate([turn, shift], axis=2)


def _standard(
    pixels: Float32[np.ndarray, "n pixels"],
    weight: Float32[np.ndarray, "n pixels"],
    count: Float32[np.ndarray, "n 1"],
) -> tuple[Float32[np.ndarray, "n pixels"], Float32[np.ndarray, "n 1"]]:
    """Mean 0 and deviation 1 where the weight is one, zero elsewhere, and the deviation."""
    centred = pixels - np.einsum("np,np->n", pixels, weight)[:, None] / count
    centred *= weight
    spread = np.sqrt(np.einsum("np,np->n", centred, centred)[:, None] / count + FAINTEST**2)
    centred /= spread
    return centred, spread


@cache
def _points(side: int) -> Float32[np.ndarray, "3 pixels"]:
    steps = ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    return np.stack([right.ravel(), down.ravel(), np.ones(side * side, np.float32)])
