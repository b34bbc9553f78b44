"""The one decoder: bytes -> an upright ``uint8[height, width, 3]``."""

from __future__ import annotations

import numpy as np

from leafsight.errors import CorruptImageError
from leafsight.images.formats import ImageFormat
from leafsight.images.header import read_header
from leafsight.images.header_record import ImageHeader
from leafsight.images.limits import DEFAULT_LIMITS, DecodeLimits
from leafsight.images.pillow_pixels import pillow_pixels
from leafsight.images.shapes import RGB

SCALED_MARGIN = 2
"""A reduced picture keeps at least twice the wanted side, so that the resize after it still antialiases."""

REDUCTIONS = (8, 4, 2)
"""Powers of two only: libjpeg-turbo has fast inverse transforms for them, for other eighths it has not."""

HARMLESS = ("extraneous bytes", "subsampling", "unsupported", "colorspace", "color conversion")
"""Words in libjpeg's complaints after which Pillow is asked: odd files, but not damaged pictures."""


def decode(
    data: bytes,
    *,
    limits: DecodeLimits = DEFAULT_LIMITS,
    wanted_side_px: int | None = None,
    header: ImageHeader | None = None,
) -> RGB:
    """A photograph as upright red, green and blue.

    The header is checked first. The EXIF orientation is applied (from JPEG, MPO, PNG ``eXIf``, WebP and
    TIFF). Of several frames the first is taken. Transparent pixels are laid over white. ICC profiles are
    ignored: the numbers in the file are taken as sRGB, as training did.

    Args:
        data: the whole file.
        limits: bounds that the header must keep.
        wanted_side_px: how long the short side has to be at least. A JPEG or MPO is then decoded at the
            smallest of 1/8, 1/4, 1/2 whose short side is still at least twice that, otherwise whole. The
            answer depends on the sizes alone, never on speed or on the library that decodes.
        header: what ``read_header`` said of the same bytes under the same limits, when that is known already.

    Returns:
        ``uint8[height, width, 3]``, contiguous, writable.

    Raises:
        UnsupportedImageError: not one of our formats.
        ImageTooLargeError: over a limit; nothing was decoded.
        CorruptImageError: truncated or damaged, with the reason.
        ImageError: smaller than ``limits.min_side_px``.
    """
    header = header or read_header(data, limits)
    reduction = _reduction(header, wanted_side_px)
    if header.format in (ImageFormat.JPEG, ImageFormat.MPO):
        pixels = _jpeg_pixels(data, header, reduction)
    else:
        pixels = pillow_pixels(data, header)
        if header.format is ImageFormat.TIFF:
            return pixels
    return _upright(pixels, header.orientation)


def _reduction(header: ImageHeader, wanted_side_px: int | None) -> int:
    if wanted_side_px is None or header.format not in (ImageFormat.JPEG, ImageFormat.MPO):
        return 1
    short_px = min(header.width_px, header.height_px)
    for reduction in REDUCTIONS:
        if short_px >= reduction * SCALED_MARGIN * wanted_side_px:
            return reduction
    return 1


def _jpeg_pixels(data: bytes, header: ImageHeader, reduction: int) -> RGB:
    """By simplejpeg, twice as fast; by Pillow where simplejpeg cannot (CMYK, odd subsampling)."""
    if header.mode == "CMYK":
        return pillow_pixels(data, header, reduction)
    import simplejpeg

    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        if (width, height) != (header.width_px, header.height_px):
            raise CorruptImageError("the JPEG claims two sizes")
        pixels: RGB = simplejpeg.decode_jpeg(
            data, "RGB", min_height=-(-height // reduction), min_width=-(-width // reduction)
        )
    except ValueError as error:
        reason = str(error)
        if any(word in reason.lower() for word in HARMLESS):
            return pillow_pixels(data, header, reduction)
        raise CorruptImageError(
            f"the {header.format.value} is truncated or damaged: {reason}",
            hint="copy the photograph again from where it came from",
        ) from error
    return pixels


def _upright(pixels: RGB, orientation: int) -> RGB:
    """Undo the camera's orientation (Exif 2.32 section 4.6.4, tag 274)."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    # 5 is the transpose alone; after it 6, 7 and 8 are the mirrorings that 2, 3 and 4 are without it.
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
