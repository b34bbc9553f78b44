"""Photographs made ready to be sent: files and arrays become named bytes.

Enters: bytes, ``uint8[height, width, 3]`` or paths. Leaves: parts of a request. Arrays are sent as PNG, which
loses nothing. Files are sent as they are, with whatever their camera wrote into them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leafsight.client.requests import FileBody, Part
from leafsight.errors import StorageError, UsageError
from leafsight.inference import Photo

PNG = "image/png"
UNKNOWN = "application/octet-stream"
# (offset, bytes, type), from the specifications; the server decides for itself what a photograph is.
MEDIA_TYPES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (257, b"ustar", "application/x-tar"),
)
SNIFFED_BYTES = 512


def parts_of(photos: Sequence[Photo | Path]) -> list[Part]:
    """All photographs as parts, in their order.

    Raises:
        UsageError: something that is neither bytes, an RGB array nor a path.
        StorageError: a file cannot be read.
        ImageTooLargeError: a file is longer than any photograph.
    """
    return [_part(photo, number) for number, photo in enumerate(photos)]


def checked_photo(photo: object, number: int) -> bytes | np.ndarray:
    """A photograph in memory, or the reason why it is none.

    Raises:
        UsageError: neither bytes nor ``uint8[height, width, 3]``.
    """
    hint = "give the bytes of a file, or uint8[height, width, 3]"
    if isinstance(photo, bytes):
        return photo
    if not isinstance(photo, np.ndarray):
        raise UsageError(f"photo {number} is a {type(photo).__name__}", hint=hint)
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise UsageError(f"photo {number} is an array {photo.dtype} {photo.shape}", hint=hint)
    return photo


def as_png(rgb: np.ndarray) -> bytes:
    """A picture as PNG; one without pixels becomes no bytes, which a server calls unreadable."""
    from PIL import Image

    if 0 in rgb.shape:
        return b""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def file_body(path: Path) -> tuple[FileBody, str]:
    """A file that is read while it is sent, and its media type by its first bytes.

    Raises:
        StorageError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
            size_bytes = file.seek(0, io.SEEK_END)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", hint="check the path") from error
    if not size_bytes:
        raise StorageError(f"{path} is empty", hint="copy it again from where it came from")
    return FileBody(path, size_bytes), media_type(head)


def media_type(head: bytes) -> str:
    """What the first bytes say a file is."""
    return next((kind for at, magic, kind in MEDIA_TYPES if head[at : at + len(magic)] == magic), UNKNOWN)


def _part(photo: Photo | Path, number: int) -> Part:
    if isinstance(photo, Path):
        from leafsight.images import read_photo

        data = read_photo(photo)
        return Part(photo.name, data, media_type(data[:SNIFFED_BYTES]))
    known = checked_photo(photo, number)
    if isinstance(known, bytes):
        return Part(f"photo-{number + 1}", known, media_type(known[:SNIFFED_BYTES]))
    return Part(f"photo-{number + 1}.png", as_png(known), PNG)
