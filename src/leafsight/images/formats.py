"""What the first bytes say a file is. The name of the file is never asked."""

from __future__ import annotations

import enum

from leafsight.errors import CorruptImageError, UnsupportedImageError

SNIFFED_BYTES = 64
"""How much of the head ``sniff_format`` looks at; more does no harm."""


class ImageFormat(enum.Enum):
    """The formats that leafsight reads. Everything else is refused."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    MPO = "MPO"
    BMP = "BMP"
    TIFF = "TIFF"


HINT = "save the photograph as JPEG or PNG"

# (offset, bytes, what a person calls it), from the specifications; there only to name what we refuse.
STRANGERS = (
    (0, b"GIF8", "a GIF"),
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\x00\x00\x01\x00", "an icon (ICO)"),
    (0, b"qoif", "a QOI picture"),
    (0, b"II+\x00", "a BigTIFF picture"),
    (0, b"MM\x00+", "a BigTIFF picture"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"FUJIFILMCCD-RAW", "a camera raw file (RAF)"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML document"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"<html", "a web page"),
)


def sniff_format(head: bytes) -> ImageFormat:
    """The format that the magic bytes announce.

    An MPO (the stereo or burst file of some cameras and phones) begins exactly as a JPEG does and is
    answered as JPEG here; ``read_header`` tells the two apart.

    Args:
        head: the first bytes of the file, 64 are enough.

    Raises:
        CorruptImageError: there are no bytes.
        UnsupportedImageError: not one of ours; the message names what the bytes look like.
    """
    if not head:
        raise CorruptImageError("the file is empty", hint="copy the photograph again from where it came from")
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if head[:4] in (b"II*\x00", b"MM\x00*") and head[8:10] != b"CR":
        return ImageFormat.TIFF
    # "BM" alone is two letters of ordinary text: ask for the four reserved zero bytes as well.
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00":
        return ImageFormat.BMP
    looks = _looks_like(head)
    raise UnsupportedImageError(f"this is {looks}, not a photograph that leafsight reads", hint=HINT)


def _looks_like(head: bytes) -> str:
    for offset, magic, name in STRANGERS:
        if head[offset : offset + len(magic)].lower() == magic.lower():
            return name
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12])
    if head[:4] == b"RIFF":
        return "a RIFF file (sound or video)"
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return "a camera raw file (CR2)"
    if not any(head):
        return "a run of zero bytes"
    if all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        return "text"
    return f"a file of unknown kind (it begins with {head[:8].hex(' ')})"


def _iso_media(brand: bytes) -> str:
    if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        return "an HEIC picture"
    if brand in (b"avif", b"avis"):
        return "an AVIF picture"
    if brand == b"crx ":
        return "a camera raw file (CR3)"
    return "an MP4 or QuickTime video"
