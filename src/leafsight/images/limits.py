"""How large a photograph may be before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from leafsight.errors import ImageError, ImageTooLargeError

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds that are checked on the header, before any pixel is decoded.

    The defaults let the largest telephone photographs through (108 megapixels) and keep one decoded
    picture under 360 MB.

    Attributes:
        max_bytes: the longest file.
        max_pixels: the largest width times height.
        max_side_px: the longest side.
        min_side_px: the shortest side; below 8 px nothing can be seen.
    """

    max_bytes: int = 64 * MEBIBYTE
    max_pixels: int = 120_000_000
    max_side_px: int = 30_000
    min_side_px: int = 8


DEFAULT_LIMITS = DecodeLimits()


def check_bytes(count: int, limits: DecodeLimits) -> None:
    """Refuse a file that is too long.

    Raises:
        ImageTooLargeError: ``count`` is over ``limits.max_bytes``.
    """
    if count > limits.max_bytes:
        raise ImageTooLargeError(
            f"the file has {count:,} bytes, the limit is {limits.max_bytes:,}",
            hint="save the photograph smaller or raise the limit max_bytes",
        )


def check_sides(width_px: int, height_px: int, limits: DecodeLimits) -> None:
    """Refuse a picture whose sides or pixels are out of bounds.

    Raises:
        ImageTooLargeError: a side or the number of pixels is over its limit.
        ImageError: a side is shorter than ``limits.min_side_px``.
    """
    size = f"the photograph is {width_px} x {height_px} px"
    if max(width_px, height_px) > limits.max_side_px:
        raise ImageTooLargeError(
            f"{size}, the longest side allowed is {limits.max_side_px} px",
            hint="save the photograph smaller or raise the limit max_side_px",
        )
    if width_px * height_px > limits.max_pixels:
        raise ImageTooLargeError(
            f"{size}, that is {width_px * height_px:,} pixels and the limit is {limits.max_pixels:,}",
            hint="save the photograph smaller or raise the limit max_pixels",
        )
    if min(width_px, height_px) < limits.min_side_px:
        raise ImageError(
            f"{size}, the shortest side allowed is {limits.min_side_px} px",
            hint="use the original photograph, not its icon",
        )
