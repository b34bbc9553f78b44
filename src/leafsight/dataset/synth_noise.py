"""Smooth random fields: the raw material of colour variation, soil, shade and lesions' ragged edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]


def smooth_noise(rng: np.random.Generator, side_px: int, cells: int) -> Plane:
    """Noise with hills about ``side_px / cells`` wide; float32[side, side], mean 0, deviation about 1."""
    grid = rng.standard_normal((max(2, cells), max(2, cells))).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((side_px, side_px), Image.Resampling.BICUBIC))


def cloud(rng: np.random.Generator, side_px: int, cells: int, octaves: int = 4) -> Plane:
    """Octaves with amplitudes halving (1/f noise); float32[side, side], mean 0, deviation about 1."""
    total = np.zeros((side_px, side_px), np.float32)
    norm = 0.0
    for octave in range(octaves):
        gain = 0.5**octave
        total += gain * smooth_noise(rng, side_px, min(side_px, cells * 2**octave))
        norm += gain * gain
    return total / np.float32(np.sqrt(norm))


def soft_step(plane: Plane, edge: float, width: float) -> Plane:
    """0 below ``edge``, 1 above ``edge + width``, smooth between (Hermite)."""
    t = np.clip((plane - edge) / max(width, 1e-6), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def blurred(picture: NDArray[np.float32], radius_px: float) -> NDArray[np.float32]:
    """Gaussian blur of float32[h, w, 3] in 0..255 by Pillow."""
    from PIL import ImageFilter

    if radius_px <= 0.05:
        return picture
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius_px)), np.float32)
