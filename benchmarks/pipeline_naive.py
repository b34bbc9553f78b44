"""The augmentation that a student writes: one photograph after the other, with Pillow.

Enters: an open picture. Leaves: float32 ``[3, side, side]``. The cheap order is taken: crop and resize are
one call, and what follows works on the small picture.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
from benchmarks.pipeline_work import (
    BRIGHTNESS,
    COLOUR_PROBABILITY,
    CONTRAST,
    CROP_AREA,
    CROP_RATIO,
    FLIP_PROBABILITY,
    ROTATION_DEGREES,
    SATURATION,
)
from PIL import Image, ImageEnhance


def opened(path: str | Path) -> Image.Image:
    """A whole photograph, decoded."""
    with Image.open(path) as image:
        return image.convert("RGB")


def augmented(image: Image.Image, draw: random.Random, side_px: int) -> np.ndarray:
    """Cropped, flipped, turned, and with other colours; 0..255."""
    image = image.resize((side_px, side_px), Image.Resampling.BILINEAR, box=_box(image.size, draw))
    if draw.random() < FLIP_PROBABILITY:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if draw.random() < FLIP_PROBABILITY:
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    turn = draw.uniform(-ROTATION_DEGREES, ROTATION_DEGREES)
    image = image.rotate(turn, Image.Resampling.BILINEAR)
    if draw.random() < COLOUR_PROBABILITY:
        image = ImageEnhance.Brightness(image).enhance(draw.uniform(*BRIGHTNESS))
        image = ImageEnhance.Contrast(image).enhance(draw.uniform(*CONTRAST))
        image = ImageEnhance.Color(image).enhance(draw.uniform(*SATURATION))
    return np.asarray(image, np.float32).transpose(2, 0, 1)


def _box(size: tuple[int, int], draw: random.Random) -> tuple[float, float, float, float]:
    width, height = size
    area = draw.uniform(*CROP_AREA)
    ratio = math.exp(draw.uniform(*map(math.log, CROP_RATIO)))
    wide, tall = min(1.0, math.sqrt(area * ratio)) * width, min(1.0, math.sqrt(area / ratio)) * height
    left, top = draw.uniform(0, width - wide), draw.uniform(0, height - tall)
    return left, top, left + wide, top + tall
