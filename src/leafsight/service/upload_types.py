"""What may be uploaded, and whether a body is what its type says: its first bytes, not its name, decide.

Enters: a media type and bytes. Leaves: the ending of the file that is kept, or an error. What is inside is
looked at by ``upload_stripping``.
"""

from __future__ import annotations

from pydantic import Field

from leafsight.errors import UnsupportedImageError
from leafsight.service.schemas import UploadAccepted

UPLOADED = {
    "application/zip": "zip", "application/x-tar": "tar", "application/gzip": "tar.gz", "image/jpeg": "jpg",
    "image/png": "png", "image/webp": "webp", "image/tiff": "tif", "image/bmp": "bmp",
}  # fmt: skip
HINT = "send " + ", ".join(UPLOADED)
# Where the bytes stand, and which of them are meant: from the specification of each format.
SIGNATURES: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "zip": (0, (b"PK\x03\x04", b"PK\x05\x06")),
    "tar": (257, (b"ustar",)),
    "tar.gz": (0, (b"\x1f\x8b",)),
    "jpg": (0, (b"\xff\xd8\xff",)),
    "png": (0, (b"\x89PNG\r\n\x1a\n",)),
    "webp": (8, (b"WEBP",)),
    "tif": (0, (b"II*\x00", b"MM\x00*")),
    "bmp": (0, (b"BM",)),
}


class UploadKept(UploadAccepted):
    """An upload, and how much of it was not kept."""

    left_out: int = Field(description="Files of an archive that are no photographs, or cannot be read.")


def ending_of(kind: str) -> str:
    """The ending that files of a media type are kept under.

    Raises:
        UnsupportedImageError: it is not one that is taken.
    """
    ending = UPLOADED.get(kind)
    if ending is None:
        raise UnsupportedImageError(f"a body of type {kind[:80] or '(none)'!r} cannot be uploaded", hint=HINT)
    return ending


def check_signature(kind: str, body: bytes) -> None:
    """Refuse what begins unlike its type.

    Raises:
        UnsupportedImageError: it does.
    """
    offset, signatures = SIGNATURES[ending_of(kind)]
    if not body.startswith(signatures, offset):
        raise UnsupportedImageError(f"the body is not {kind}", hint=HINT)
