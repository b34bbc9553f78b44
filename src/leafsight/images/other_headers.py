"""Headers of PNG, WebP, BMP and TIFF from their bytes alone.

Sources: PNG 3rd edition (W3C 2025) sections 11.2 and 11.3; WebP container (RFC 9649); BITMAPINFOHEADER
(Microsoft); TIFF 6.0 (Adobe 1992).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from leafsight.errors import CorruptImageError, UnsupportedImageError
from leafsight.images import tiff_tags as tags_of
from leafsight.images.formats import ImageFormat
from leafsight.images.header_record import ImageHeader

PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
TIFF_MODES = {
    (0, 1): "L", (1, 1): "L", (0, 2): "LA", (1, 2): "LA", (2, 3): "RGB", (2, 4): "RGBA", (3, 1): "P",
    (3, 2): "P", (5, 4): "CMYK", (6, 3): "YCbCr", (8, 3): "LAB",
}  # fmt: skip
MAX_CHUNKS = 100_000


def read_png_header(data: bytes) -> ImageHeader:
    """The header of a PNG; an ``eXIf`` chunk is found before or after the pixels.

    Raises:
        CorruptImageError: cut off or nonsensical.
    """
    if len(data) < 29 or data[12:16] != b"IHDR":
        raise CorruptImageError("the PNG is cut off in its header")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if colour not in PNG_MODES or bits not in (1, 2, 4, 8, 16):
        raise CorruptImageError(f"the PNG claims colour type {colour} with {bits} bits")
    mode = "1" if (colour, bits) == (0, 1) else PNG_MODES[colour]
    facts, frames = tags_of.ExifFacts(), 1
    for kind, start, length in _png_chunks(data):
        if kind == b"eXIf":
            facts = tags_of.exif_facts(data[start : start + length])
        elif kind == b"acTL" and length >= 4:
            frames = max(1, struct.unpack_from(">I", data, start)[0])
        elif kind == b"tRNS" and mode in ("L", "RGB", "1"):
            mode = "RGBA" if mode == "RGB" else "LA"
    return _with_facts(ImageFormat.PNG, (width, height), mode, facts, frames, bits)


def _with_facts(
    kind: ImageFormat, size_px: tuple[int, int], mode: str, facts: tags_of.ExifFacts, frames: int, bits: int
) -> ImageHeader:
    return ImageHeader(
        kind, *size_px, mode, facts.orientation, frames, facts.has_gps, bits, facts.camera, facts.taken
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 8 + length > len(data):
            return
        yield kind, at + 8, length
        at += 12 + length


def read_webp_header(data: bytes) -> ImageHeader:
    """The header of a WebP, lossy, lossless or extended.

    Raises:
        CorruptImageError: cut off or nonsensical.
    """
    chunks = list(_webp_chunks(data))
    if not chunks:
        raise CorruptImageError("the WebP is cut off in its header")
    width, height, alpha = _webp_size(data, *chunks[0])
    frames = sum(kind == b"ANMF" for kind, _, _ in chunks)
    exif = next((data[start : start + length] for kind, start, length in chunks if kind == b"EXIF"), b"")
    mode = "RGBA" if alpha else "RGB"
    return _with_facts(ImageFormat.WEBP, (width, height), mode, tags_of.exif_facts(exif), max(1, frames), 8)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, at + 8, length
        at += 8 + length + (length & 1)


def _webp_size(data: bytes, kind: bytes, at: int, length: int) -> tuple[int, int, bool]:
    if len(data) < at + 10:
        raise CorruptImageError("the WebP is cut off in its header")
    if kind == b"VP8X":
        size = [1 + int.from_bytes(data[at + offset : at + offset + 3], "little") for offset in (4, 7)]
        return size[0], size[1], bool(data[at] & 0x10)
    if kind == b"VP8L" and data[at] == 0x2F:
        packed = int.from_bytes(data[at + 1 : at + 5], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF), bool(packed >> 28 & 1)
    if kind == b"VP8 " and data[at + 3 : at + 6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, at + 6)
        return width & 0x3FFF, height & 0x3FFF, False
    raise CorruptImageError("the WebP does not begin with a picture")


def read_bmp_header(data: bytes) -> ImageHeader:
    """The header of a BMP.

    Raises:
        CorruptImageError: cut off or nonsensical.
    """
    if len(data) < 30:
        raise CorruptImageError("the BMP is cut off in its header")
    if struct.unpack_from("<I", data, 14)[0] == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, depth = struct.unpack_from("<iiHH", data, 18)
    mode = {1: "P", 4: "P", 8: "P"}.get(depth, "RGB")
    return ImageHeader(ImageFormat.BMP, abs(width), abs(height), mode, bits=min(depth, 8))


def read_tiff_header(data: bytes) -> ImageHeader:
    """The header of the first picture in a TIFF.

    Raises:
        CorruptImageError: no readable directory, or one without a size.
        UnsupportedImageError: pixels that are not 1..16-bit whole numbers in a common colour space.
    """
    try:
        tags, _ = tags_of.first_directory(data)
        frames = tags_of.count_directories(data)
    except tags_of.TagError as error:
        raise CorruptImageError(f"the TIFF is damaged: {error}") from error
    if tags_of.WIDTH not in tags or tags_of.HEIGHT not in tags:
        raise CorruptImageError("the TIFF does not tell its size")
    bits = tags.get(tags_of.BITS, (1,))
    samples = tags.get(tags_of.SAMPLES, (1,))[0]
    photometric = tags.get(tags_of.PHOTOMETRIC, (1,))[0]
    mode = TIFF_MODES.get((photometric, samples))
    whole = tags.get(tags_of.SAMPLE_FORMAT, (1,))[0] == 1
    if mode is None or not whole or bits[0] not in (1, 2, 4, 8, 12, 16):
        pixels = f"{samples} samples of {bits[0]} bits, photometric {photometric}"
        raise UnsupportedImageError(
            f"a TIFF with {pixels}, is not a common photograph",
            hint="save it as an 8-bit RGB TIFF, JPEG or PNG",
        )
    size = (tags[tags_of.WIDTH][0], tags[tags_of.HEIGHT][0])
    mode = "1" if (mode, bits[0]) == ("L", 1) else mode
    return _with_facts(ImageFormat.TIFF, size, mode, tags_of.exif_facts(data), frames, bits[0])


def tiff_tile_px(data: bytes) -> tuple[int, int]:
    """Sides of one tile of a TIFF, which may be larger than the picture; (0, 0) when stored in strips."""
    tags, _ = tags_of.first_directory(data)
    return tags.get(tags_of.TILE_WIDTH, (0,))[0], tags.get(tags_of.TILE_HEIGHT, (0,))[0]
