"""A photograph without what was written beside its picture, and with every pixel as it was.

Enters: the bytes of a JPEG, MPO, PNG or WebP. Leaves: a file of the same format made of the pieces that the
pixels need, named one by one; whatever is not named does not pass, so no kind of note has to be known. What
a camera turned stays turned, by a note that holds that number alone. Nothing is decoded. It cannot see what
somebody hid among the pixels themselves.

Sources: PNG 3rd edition (W3C 2025) section 5; WebP container (RFC 9649).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from leafsight.errors import CorruptImageError, ImageError, UnsupportedImageError
from leafsight.images.formats import ImageFormat
from leafsight.images.header import read_header
from leafsight.images.header_record import ImageHeader
from leafsight.images.jpeg_stripping import COPY_AGAIN, cut_off, stripped_jpeg
from leafsight.images.limits import DEFAULT_LIMITS, DecodeLimits
from leafsight.images.other_headers import MAX_CHUNKS
from leafsight.images.tiff_tags import ORIENTATION

PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
PALETTE = 3
LONGEST_TRANSPARENCY = {0: 2, 2: 6, PALETTE: 256}
WEBP_PICTURES = {b"VP8 ", b"VP8L"}
WEBP_ANIMATED, WEBP_EXIF, WEBP_ALPHA = 0x02, 0x08, 0x10
FRAME_HEADER_BYTES = 16


def strip_metadata(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> bytes:
    """Leave out everything but the picture: place, camera, time, comments, small pictures, colour profile.

    ``decode`` says the same of the answer as of ``data``, to the last bit.

    Args:
        data: the whole file.
        limits: bounds that the header must keep.

    Returns:
        A file of the same format, of an MPO its first picture as a JPEG. At most 58 bytes longer.

    Raises:
        UnsupportedImageError: not one of our formats, or BMP or TIFF: those have to be written anew.
        CorruptImageError: cut off, or pieces that make no sense.
        ImageTooLargeError: over a limit.
        ImageError: smaller than ``limits.min_side_px``.
    """
    header = read_header(data, limits)
    try:
        if header.format in (ImageFormat.JPEG, ImageFormat.MPO):
            exif = _orientation_only(header.orientation) if header.orientation != 1 else b""
            return stripped_jpeg(data, exif)
        if header.format is ImageFormat.PNG:
            return _stripped_png(data, header)
        if header.format is ImageFormat.WEBP:
            return _stripped_webp(data, header)
    except ImageError:
        raise
    except (struct.error, IndexError) as error:
        raise cut_off(header.format.value) from error
    raise UnsupportedImageError(f"a {header.format.value} cannot be stripped, only written anew")


def _orientation_only(orientation: int) -> bytes:
    """An EXIF block that says how the camera was held, and nothing else."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)


def _stripped_png(data: bytes, header: ImageHeader) -> bytes:
    colour = data[25]
    parts = [data[:8]]
    for kind, body in _png_chunks(data):
        if kind == b"IHDR":
            body = body[:13]
        elif kind == b"PLTE":
            body = body[:768] if colour == PALETTE else b""
        elif kind == b"tRNS":
            body = body[: LONGEST_TRANSPARENCY.get(colour, 0)]
        elif kind == b"IEND":
            body = b""
        if kind in (b"PLTE", b"tRNS") and not body:
            continue
        parts.append(_png_chunk(kind, body))
        if kind == b"IHDR" and header.orientation != 1:
            parts.append(_png_chunk(b"eXIf", _orientation_only(header.orientation)))
    return b"".join(parts)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks that pixels need, up to the end."""
    at = 8
    for number in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, at)
        body, end = data[at + 8 : at + 8 + length], at + 12 + length
        if end > len(data):
            raise cut_off("PNG")
        if (number == 0) != (kind == b"IHDR"):
            raise CorruptImageError("the chunks of the PNG stand in an impossible order", hint=COPY_AGAIN)
        if kind in PNG_KEPT:
            if struct.unpack_from(">I", data, end - 4)[0] != zlib.crc32(body, zlib.crc32(kind)):
                raise CorruptImageError("the PNG is damaged: a checksum is wrong", hint=COPY_AGAIN)
            yield kind, body
        if kind == b"IEND":
            return
        at = end
    raise CorruptImageError(f"the PNG has more than {MAX_CHUNKS} chunks", hint=COPY_AGAIN)


def _stripped_webp(data: bytes, header: ImageHeader) -> bytes:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise cut_off("WebP")
    chunks = list(_webp_chunks(data, 12, end))
    extended = bool(chunks) and chunks[0][0] == b"VP8X"
    animated = extended and bool(chunks[0][1][0] & WEBP_ANIMATED)
    kept = _webp_frames(chunks) if animated else _webp_still(chunks, extended)
    if not kept:
        raise CorruptImageError("the WebP has no picture in it", hint=COPY_AGAIN)
    turned = header.orientation != 1
    if turned:
        kept.append(_webp_chunk(b"EXIF", _orientation_only(header.orientation)))
    if extended or turned:
        flags = WEBP_ALPHA * (header.mode == "RGBA") | WEBP_EXIF * turned | WEBP_ANIMATED * animated
        sides = (side.to_bytes(3, "little") for side in (header.width_px - 1, header.height_px - 1))
        kept.insert(0, _webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + b"".join(sides)))
    body = b"WEBP" + b"".join(kept)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body + b"\0" * (len(body) & 1)


def _webp_chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise cut_off("WebP")
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
    raise CorruptImageError(f"the WebP has more than {MAX_CHUNKS} chunks", hint=COPY_AGAIN)


def _webp_still(chunks: list[tuple[bytes, bytes]], extended: bool) -> list[bytes]:
    """The first picture, and what is see-through in it."""
    kept: list[bytes] = []
    for kind, body in chunks:
        if kind == b"ALPH" and extended and not kept:
            kept.append(_webp_chunk(kind, body))
        elif kind in WEBP_PICTURES:
            return [*kept, _webp_chunk(kind, body)]
    return []


def _webp_frames(chunks: list[tuple[bytes, bytes]]) -> list[bytes]:
    """The pictures of an animation, each without what stands beside it."""
    kept: list[bytes] = []
    for kind, body in chunks:
        if kind == b"ANIM":
            kept.append(_webp_chunk(kind, body[:6]))
        elif kind == b"ANMF":
            picture = _webp_still(list(_webp_chunks(body, FRAME_HEADER_BYTES, len(body))), True)
            kept.append(_webp_chunk(kind, body[:FRAME_HEADER_BYTES] + b"".join(picture)))
    return kept
