"""The one reader of headers: bytes -> ``ImageHeader``, with every limit checked and no pixel decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from leafsight.errors import CorruptImageError, ImageError
from leafsight.images.formats import SNIFFED_BYTES, ImageFormat, sniff_format
from leafsight.images.header_record import ImageHeader
from leafsight.images.jpeg_header import read_jpeg_header
from leafsight.images.limits import DEFAULT_LIMITS, DecodeLimits, check_bytes, check_sides
from leafsight.images.other_headers import (
    read_bmp_header,
    read_png_header,
    read_tiff_header,
    read_webp_header,
    tiff_tile_px,
)
from leafsight.storage import os_errors_translated

READERS: dict[ImageFormat, Callable[[bytes], ImageHeader]] = {
    ImageFormat.JPEG: read_jpeg_header,
    ImageFormat.PNG: read_png_header,
    ImageFormat.WEBP: read_webp_header,
    ImageFormat.BMP: read_bmp_header,
    ImageFormat.TIFF: read_tiff_header,
}


def read_header(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> ImageHeader:
    """Format, size and orientation of a photograph, in microseconds and without its pixels.

    Args:
        data: the whole file.
        limits: bounds that the header must keep.

    Raises:
        UnsupportedImageError: not one of our formats, or a variant of one that we do not read.
        ImageTooLargeError: over a limit on bytes, sides or pixels.
        CorruptImageError: empty, cut off or nonsensical.
        ImageError: a side shorter than ``limits.min_side_px``.
    """
    check_bytes(len(data), limits)
    header = READERS[sniff_format(data[:SNIFFED_BYTES])](data)
    check_sides(header.width_px, header.height_px, limits)
    if header.format is ImageFormat.TIFF:
        # libtiff allocates whole tiles: a small picture may stand in one enormous tile.
        width_px, height_px = tiff_tile_px(data)
        check_sides(max(width_px, header.width_px), max(height_px, header.height_px), limits)
    return header


def read_photo(path: Path, limits: DecodeLimits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a photograph on disk; its size is looked at before it is read.

    Raises:
        StorageError: missing or unreadable; ``PermissionDeniedError`` without permission.
        ImageError: a folder, or something else that is not a plain file (reading a pipe would wait for ever).
        ImageTooLargeError: over ``limits.max_bytes``.
        CorruptImageError: no bytes in it.
    """
    with os_errors_translated(path):
        status = path.stat()
    if S_ISDIR(status.st_mode):
        raise ImageError(f"{path} is a folder, not a photograph", hint="name the photographs in it")
    if not S_ISREG(status.st_mode):
        raise ImageError(f"{path} is not a plain file")
    check_bytes(status.st_size, limits)
    with os_errors_translated(path), path.open("rb") as file:
        # One byte more than allowed, so that a file that grew meanwhile is seen.
        data = file.read(limits.max_bytes + 1)
    check_bytes(len(data), limits)
    if not data:
        raise CorruptImageError(f"{path} is empty", hint="copy the photograph again from where it came from")
    return data
