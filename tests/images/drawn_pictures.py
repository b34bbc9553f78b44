"""Small pictures that are drawn here: uneven in both directions, so that every turn and mirror shows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def exif_with(orientation: int, *, gps: bool = False) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    if gps:
        exif.get_ifd(34853)[1] = "N"
    return exif.tobytes()


def drawn(width: int = 64, height: int = 48) -> np.ndarray:
    """A bright blob in the upper left corner of a slope, and some coarse texture."""
    y, x = np.mgrid[:height, :width]
    blob = np.exp(-((x - width / 4) ** 2 + (y - height / 4) ** 2) / (width * height / 20))
    texture = 12 * np.sin(x / 3) * np.cos(y / 4)
    channels = [60 + 150 * blob + texture, 70 + 120 * x / width + texture, 40 + 140 * y / height]
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)
