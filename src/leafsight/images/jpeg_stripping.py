"""A JPEG of the segments that its pixels need, each as long as what it says is in it.

Enters: the bytes of a JPEG or MPO. Leaves: a JPEG with the same tables and the same coded pixels. It does not
know how the picture is to be turned.

Sources: ITU-T T.81 annex B; JFIF 1.02 (1992).
"""

from __future__ import annotations

import re
import struct

from leafsight.errors import CorruptImageError
from leafsight.images.jpeg_header import APP1, FRAMES, MAX_SCANS, START_OF_SCAN, WITHOUT_LENGTH
from leafsight.images.jpeg_header import END as END_OF_IMAGE

APP0, APP14, HUFFMAN, ARITHMETIC, QUANTISATION, RESTARTS = 0xE0, 0xEE, 0xC4, 0xCC, 0xDB, 0xDD
START = 0xD8
TABLES = {HUFFMAN, ARITHMETIC, QUANTISATION, RESTARTS}
PLAIN_JFIF = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
"""Version 1.01, no density, no small picture: that it is JFIF tells the decoder which colours it holds."""
SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
SEARCHED_BYTES = 2**20
"""At once, so that the other threads have their turn in between."""
COPY_AGAIN = "copy the photograph again from where it came from"


def cut_off(what: str) -> CorruptImageError:
    """The error of a file that ends too early."""
    return CorruptImageError(f"the {what} is cut off", hint=COPY_AGAIN)


def stripped_jpeg(data: bytes, exif: bytes) -> bytes:
    """The first picture of a JPEG or MPO, and of its notes only ``exif``.

    Args:
        data: the whole file.
        exif: a TIFF block to put in; empty for none.

    Raises:
        CorruptImageError: cut off, or segments that make no sense.
        struct.error, IndexError: cut off within a segment.
    """
    first: list[bytes] = []
    rest: list[bytes] = []
    at, scans = 2, 0
    while True:
        marker, at = _next_marker(data, at)
        if marker == END_OF_IMAGE:
            break
        length = struct.unpack_from(">H", data, at)[0]
        body, at = data[at + 2 : at + length], at + length
        if length < 2 or at > len(data) or marker == START:
            raise CorruptImageError("the segments of the JPEG make no sense", hint=COPY_AGAIN)
        if marker == START_OF_SCAN:
            scans += 1
            end = _scan_end(data, at)
            rest += [_segment(marker, _whole(body, 4 + 2 * body[0])), data[at:end]]
            at = end
        elif marker == APP0 and body.startswith(b"JFIF\0") and len(body) >= len(PLAIN_JFIF) and not scans:
            first = [_segment(APP0, PLAIN_JFIF)]
        elif not (marker in (APP0, APP14) and scans):
            rest += _needed(marker, body)
    if not scans or scans > MAX_SCANS:
        raise CorruptImageError(
            f"the JPEG has {scans} scans, from 1 to {MAX_SCANS} make sense", hint=COPY_AGAIN
        )
    if exif:
        first.append(_segment(APP1, b"Exif\0\0" + exif))
    return b"".join([b"\xff\xd8", *first, *rest, b"\xff\xd9"])


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """The next marker that has a body or ends the picture, and where what follows it begins."""
    while (at := data.find(b"\xff", at)) >= 0:
        while at < len(data) and data[at] == 0xFF:
            at += 1
        if at >= len(data):
            break
        at += 1
        if data[at - 1] != 0 and data[at - 1] not in WITHOUT_LENGTH:
            return data[at - 1], at
    raise cut_off("JPEG")


def _scan_end(data: bytes, at: int) -> int:
    """Where the coded pixels end: the next marker that is not a restart."""
    while at < len(data):
        if found := SCAN_END.search(data, at, at + SEARCHED_BYTES + 1):
            return found.start()
        at += SEARCHED_BYTES
    raise cut_off("JPEG")


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _whole(body: bytes, wanted: int) -> bytes:
    """A segment is as long as what it says is in it: libjpeg wants that, too, and nothing hides behind."""
    if len(body) != wanted:
        raise CorruptImageError("a segment of the JPEG is longer or shorter than it says", hint=COPY_AGAIN)
    return body


def _needed(marker: int, body: bytes) -> list[bytes]:
    """The segment, if the pixels need it."""
    if marker == APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        # The last byte says which colours it holds; version and flags are those of Adobe's own programs.
        return [_segment(APP14, b"Adobe\0\x64\0\0\0\0" + body[11:12])]
    if marker in FRAMES:
        return [_segment(marker, _whole(body, 6 + 3 * body[5]))]
    if marker in TABLES:
        return [_segment(marker, _whole(body, _tables_length(marker, body)))]
    return []


def _tables_length(marker: int, body: bytes) -> int:
    if marker == RESTARTS:
        return 2
    at = 0
    while at < len(body):
        if marker == ARITHMETIC:
            at += 2
        elif marker == QUANTISATION:
            at += 129 if body[at] >> 4 else 65
        else:
            at += 17 + sum(body[at + 1 : at + 17])
    return at
