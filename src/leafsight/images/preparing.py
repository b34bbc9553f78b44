"""From a picture to the square that a network sees: the one path of training, evaluation and serving."""

from __future__ import annotations

import numpy as np

from leafsight.images.decoding import decode
from leafsight.images.limits import DEFAULT_LIMITS, DecodeLimits
from leafsight.images.preprocessing import LETTERBOX_GREY, Preprocessing
from leafsight.images.resizing import resize
from leafsight.images.shapes import RGB, Normalised, Square, Squares


def prepare(rgb: RGB, preprocessing: Preprocessing) -> Square:
    """Cut the region out and resize it to the square.

    Args:
        rgb: an upright picture, ``uint8[height, width, 3]``.
        preprocessing: the contract.

    Returns:
        ``uint8[side, side, 3]``, contiguous.
    """
    region = _region(rgb, preprocessing)
    side = preprocessing.side_px
    if preprocessing.resize != "letterbox":
        return resize(region, side, side, preprocessing.resample)
    height, width, _ = region.shape
    longest = max(height, width)
    inner_width, inner_height = (
        max(1, (size * side * 2 + longest) // (2 * longest)) for size in (width, height)
    )
    top, left = (side - inner_height) // 2, (side - inner_width) // 2
    square = np.full((side, side, 3), LETTERBOX_GREY, np.uint8)
    square[top : top + inner_height, left : left + inner_width] = resize(
        region, inner_width, inner_height, preprocessing.resample
    )
    return square


def _region(rgb: RGB, preprocessing: Preprocessing) -> RGB:
    height, width, _ = rgb.shape
    if preprocessing.resize == "crop":
        height = width = min(height, width)
    # Whole pixels, so that the same picture gives the same region whatever resizes it afterwards.
    kept_height, kept_width = (max(1, round(size * preprocessing.crop_fraction)) for size in (height, width))
    top, left = (rgb.shape[0] - kept_height) // 2, (rgb.shape[1] - kept_width) // 2
    return rgb[top : top + kept_height, left : left + kept_width]


def prepare_bytes(data: bytes, preprocessing: Preprocessing, limits: DecodeLimits = DEFAULT_LIMITS) -> Square:
    """Decode a photograph, at a reduced scale where the contract allows it, and prepare it.

    Args:
        data: the whole file.
        preprocessing: the contract.
        limits: bounds that the header must keep.

    Returns:
        ``uint8[side, side, 3]``, contiguous.

    Raises:
        ImageError: as ``decode``.
    """
    rgb = decode(data, limits=limits, wanted_side_px=preprocessing.wanted_side_px)
    return prepare(rgb, preprocessing)


def normalise(batch: Squares, preprocessing: Preprocessing) -> Normalised:
    """What every network of ours does inside, as the reference to test against.

    Args:
        batch: ``uint8[photos, side, side, 3]``.
        preprocessing: the contract.

    Returns:
        ``float32[photos, 3, side, side]``, ``(x - mean) / std``.
    """
    mean, std = (np.asarray(values, np.float32) for values in (preprocessing.mean, preprocessing.std))
    return np.ascontiguousarray(((batch.astype(np.float32) - mean) / std).transpose(0, 3, 1, 2))
