"""Lay one small grey picture exactly over another: shift, scale, turn, shear, brightness and contrast.

Enters: pairs of square grey pictures and a first guess. Leaves: the affine maps. It does not know what is
accepted.

Source: inverse compositional Gauss-Newton, Baker and Matthews, Lucas-Kanade 20 years on, IJCV 56 (2004);
brightness and contrast fall out as both pictures are brought to mean 0 and deviation 1 over their overlap, as
in Evangelidis and Psarakis, IEEE TPAMI 30 (2008).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

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
    where = np.einsum("nij,jp->nip", maps, _points(side)) * side + (side - 1) / 2
    right, down = where[:, 0], where[:, 1]
    far = side - 1 - margin_px
    inside = (right >= margin_px) & (right <= far) & (down >= margin_px) & (down <= far)
    np.clip(where, 0, side - 1.001, out=where)
    left, top = right.astype(np.int32), down.astype(np.int32)
    right -= left
    down -= top
    at = top * side + left + (np.arange(n, dtype=np.int32) * (side * side))[:, None]
    flat = ones.reshape(-1)
    upper = flat[at] * (1 - right) + flat[at + 1] * right
    at += side
    lower = flat[at] * (1 - right) + flat[at + 1] * right
    return upper * (1 - down) + lower * down, inside


def register(ones: Grey, others: Grey, maps: Maps, rounds: int) -> Maps:
    """Better maps, after ``rounds`` steps; a step that leaves the picture is damped, not refused."""
    n, side = others.shape[:2]
    points = _points(side)
    down, right = np.gradient(others, 1 / side, axis=(1, 2))
    right, down = right.reshape(n, -1), down.reshape(n, -1)
    steepest = np.stack(
        [right * points[0], right * points[1], right, down * points[0], down * points[1], down], axis=1
    )
    flat = others.reshape(n, -1)
    for _ in range(rounds):
        seen, inside = laid(ones, maps)
        weight = inside.astype(np.float32)
        there, spread = _standard(flat, weight)
        here, _ = _standard(seen, weight)
        slopes = steepest / spread[:, None]
        weighted = slopes * weight[:, None]
        matrix = weighted @ slopes.transpose(0, 2, 1)
        trace = np.einsum("nii->n", matrix)
        matrix += (DAMPING * trace / 6 + 1e-6)[:, None, None] * np.eye(6, dtype=np.float32)
        step = np.linalg.solve(matrix, weighted @ (here - there)[:, :, None])[:, :, 0]
        maps = _composed(maps, np.clip(step, -0.15, 0.15).reshape(n, 2, 3))
    return maps


def _composed(maps: Maps, step: Maps) -> Maps:
    """The maps after the inverse of the step."""
    inverse = np.linalg.inv(step[:, :, :2] + np.eye(2, dtype=np.float32))
    turn = maps[:, :, :2] @ inverse
    shift = maps[:, :, 2:] - turn @ step[:, :, 2:]
    return np.concatenate([turn, shift], axis=2)


def _standard(
    pixels: Float32[np.ndarray, "n pixels"], weight: Float32[np.ndarray, "n pixels"]
) -> tuple[Float32[np.ndarray, "n pixels"], Float32[np.ndarray, "n 1"]]:
    """Mean 0 and deviation 1 where the weight is one, and the deviation."""
    count = np.maximum(weight.sum(1, keepdims=True), 1)
    centred = pixels - (pixels * weight).sum(1, keepdims=True) / count
    spread = np.sqrt((centred * centred * weight).sum(1, keepdims=True) / count + FAINTEST**2)
    return centred / spread, spread


def _points(side: int) -> Float32[np.ndarray, "3 pixels"]:
    steps = ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    return np.stack([right.ravel(), down.ravel(), np.ones(side * side, np.float32)])
