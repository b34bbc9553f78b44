"""One photograph made ready for the network, or the reason why not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from time import perf_counter

import numpy as np

from leafsight.errors import ImageError, UsageError
from leafsight.images import DecodeLimits, Preprocessing, decode, measure_quality, prepare
from leafsight.inference.predictor import Photo


@dataclass(frozen=True, slots=True)
class ReadPhoto:
    """A photograph as the network and the judge need it.

    Attributes:
        square: uint8 ``[side, side, 3]``.
        height_px, width_px: of the upright picture, as decoded.
        quality: measures by name.
        timing_ms: milliseconds of decoding, preparing and measuring.
    """

    square: np.ndarray
    height_px: int
    width_px: int
    quality: dict[str, float]
    timing_ms: dict[str, float]


def check_photo(photo: Photo, number: int) -> None:
    """Refuse what is no photograph at all, before any work is done.

    Raises:
        UsageError: neither bytes nor ``uint8[height, width, 3]``.
    """
    if isinstance(photo, bytes):
        return
    hint = "give the bytes of a file, or uint8[height, width, 3]"
    if not isinstance(photo, np.ndarray):
        raise UsageError(f"photo {number} is a {type(photo).__name__}", hint=hint)
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise UsageError(f"photo {number} is an array {photo.dtype} {photo.shape}", hint=hint)


def read_one(photo: Photo, preprocessing: Preprocessing, limits: DecodeLimits) -> ReadPhoto:
    """Decode at the scale that the contract allows, prepare, and measure the quality.

    The same steps as ``images.prepare_bytes``, with the decoded picture kept for the measures.

    Raises:
        ImageError: the photograph cannot be read, or is too small.
    """
    started = perf_counter()
    if isinstance(photo, bytes):
        rgb = decode(photo, limits=limits, wanted_side_px=preprocessing.wanted_side_px)
    else:
        rgb = photo
        if min(rgb.shape[:2]) < limits.min_side_px:
            raise ImageError(f"the picture has {rgb.shape[1]} x {rgb.shape[0]} px", hint="give a larger one")
    decoded = perf_counter()
    square = prepare(rgb, preprocessing)
    prepared = perf_counter()
    quality = {name: float(value) for name, value in asdict(measure_quality(rgb)).items()}
    done = perf_counter()
    timing_ms = {
        "decode": (decoded - started) * 1e3,
        "prepare": (prepared - decoded) * 1e3,
        "quality": (done - prepared) * 1e3,
    }
    return ReadPhoto(square, rgb.shape[0], rgb.shape[1], quality, timing_ms)
