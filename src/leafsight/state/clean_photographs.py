"""A photograph as it may be kept: the picture and nothing else.

Enters: the bytes that a person sent. Leaves: a new file made from the pixels alone, upright, without EXIF,
place, time, camera, colour profile, comment, thumbnail or anything after the picture. It does not know where
the file goes.
"""

from __future__ import annotations

import io
from dataclasses import replace

from leafsight.images import DecodeLimits, ImageFormat, decode, read_header

JPEG_QUALITY = 92
JPEG_COLOURS = "444"
"""Colour at full resolution, for a somewhat longer file: a corrected photograph may teach the next model, and
many spots differ from the leaf in colour alone."""

LONGEST_JPEG_SIDE_PX = 65_500
"""libjpeg's own bound, JPEG_MAX_DIMENSION."""


def clean_photograph(data: bytes, limits: DecodeLimits | None = None) -> bytes:
    """Decode a photograph and encode it again.

    Only pixels pass from the one file to the other, so nothing has to be found to be taken out.

    Args:
        data: the whole file, of any format that ``leafsight.images`` reads.
        limits: bounds on bytes, sides and pixels, checked before anything is decoded.

    Returns:
        A PNG for a PNG (no pixel changes; what was see-through is white), otherwise a JPEG of quality 92.

    Raises:
        ImageError: as ``leafsight.images.decode``: unknown, too large, too small or damaged.
    """
    limits = limits or DecodeLimits()
    limits = replace(limits, max_side_px=min(limits.max_side_px, LONGEST_JPEG_SIDE_PX))
    header = read_header(data, limits)
    pixels = decode(data, limits=limits, header=header)
    if header.format is ImageFormat.PNG:
        from PIL import Image

        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "PNG")
        return target.getvalue()
    import simplejpeg

    encoded: bytes = simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, "RGB", JPEG_COLOURS)
    return encoded
