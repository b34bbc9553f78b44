"""Size, depth, orientation and frames of a JPEG or MPO from its marker segments.

Sources: ITU-T T.81 annex B (markers); CIPA DC-007 (MPO).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from leafsight.errors import CorruptImageError, UnsupportedImageError
from leafsight.images.formats import ImageFormat
from leafsight.images.header_record import ImageHeader
from leafsight.images.tiff_tags import ExifFacts, TagError, byte_order, exif_facts, first_directory

FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
APP1, APP2, START_OF_SCAN, END = 0xE1, 0xE2, 0xDA, 0xD9
NUMBER_OF_IMAGES = 0xB001
MAX_SCANS = 200
"""A progressive photograph has about ten scans; thousands are a way to burn processor time."""


@dataclass
class _Seen:
    frame: tuple[int, int, int, int] | None = None  # bits, height, width, components
    progressive: bool = False
    facts: ExifFacts | None = None
    frames: int = 1


def read_jpeg_header(data: bytes) -> ImageHeader:
    """The header of a JPEG or MPO.

    Raises:
        CorruptImageError: cut off before the picture starts, or segments that make no sense.
        UnsupportedImageError: a number of components or bits that no camera writes.
    """
    seen = _Seen()
    for marker, body in _segments(data):
        _take(seen, marker, body)
    if seen.frame is None:
        raise CorruptImageError("the JPEG has no picture in it (no frame header before its data)")
    bits, height, width, components = seen.frame
    if width == 0 or height == 0:
        raise CorruptImageError(f"the JPEG claims a size of {width} x {height} px")
    if bits != 8 or components not in (1, 3, 4):
        raise UnsupportedImageError(
            f"a JPEG with {bits} bits and {components} components is not a common photograph",
            hint="save it again as an 8-bit RGB JPEG",
        )
    if seen.progressive and data.count(b"\xff\xda") > MAX_SCANS:
        raise CorruptImageError(
            f"the progressive JPEG has more than {MAX_SCANS} scans, which no camera writes"
        )
    facts = seen.facts or ExifFacts()
    return ImageHeader(
        format=ImageFormat.MPO if seen.frames > 1 else ImageFormat.JPEG,
        width_px=width,
        height_px=height,
        mode={1: "L", 3: "RGB", 4: "CMYK"}[components],
        orientation=facts.orientation,
        frames=seen.frames,
        has_gps=facts.has_gps,
        bits=bits,
        camera=facts.camera,
        taken=facts.taken,
    )


def _take(seen: _Seen, marker: int, body: bytes) -> None:
    if marker in FRAMES:
        if len(body) < 6:
            raise CorruptImageError("the JPEG's frame header is cut off")
        if seen.frame is not None:
            raise CorruptImageError("the JPEG has two frame headers")
        seen.frame = struct.unpack_from(">BHHB", body)
        seen.progressive = marker in PROGRESSIVE
    elif marker == APP1 and body.startswith(b"Exif\x00") and seen.facts is None:
        seen.facts = exif_facts(body[6:])
    elif marker == APP2 and body.startswith(b"MPF\x00"):
        seen.frames = _count_frames(body[4:])


def _count_frames(body: bytes) -> int:
    """Number of pictures from the MP index; 1 when it cannot be read: the first picture is there anyway."""
    try:
        byte_order(body)
        tags, _ = first_directory(body)
    except TagError:
        return 1
    return max(1, tags.get(NUMBER_OF_IMAGES, (1,))[0])


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of every segment up to the first scan."""
    at = 2
    while True:
        at = data.find(b"\xff", at)
        # 0xFF may be repeated as padding in front of a marker.
        while 0 <= at < len(data) and data[at] == 0xFF:
            at += 1
        if at < 0 or at + 3 > len(data):
            raise CorruptImageError(
                "the JPEG ends before its picture starts",
                hint="copy the photograph again from where it came from",
            )
        marker = data[at]
        at += 1
        if marker in WITHOUT_LENGTH or marker == 0:
            continue
        if marker in (START_OF_SCAN, END):
            return
        length = struct.unpack_from(">H", data, at)[0]
        if length < 2:
            raise CorruptImageError("a segment of the JPEG has an impossible length")
        yield marker, data[at + 2 : at + length]
        at += length
