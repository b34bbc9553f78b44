"""Photographs that tell much: who, where and when, in every place that their formats have for it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from tests.images.drawn_pictures import drawn, encode

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "MPO", "BMP")
GPS_IFD = 34853


@dataclass(frozen=True)
class Told:
    """What to plant, and in which of the places."""

    secret: bytes
    orientation: int
    degrees: tuple[int, int, int]
    exif: bool
    thumbnail: bool
    xmp: bool
    colours: bool
    comment: bool
    trailing: bool

    @property
    def anything(self) -> bool:
        return self.exif or self.xmp or self.colours or self.comment or self.trailing


told_things = st.builds(
    Told,
    # Long enough that a compressed picture does not hold it by chance.
    secret=st.text("abcdefghijklmnop", min_size=12, max_size=60).map(str.encode),
    orientation=st.integers(1, 8),
    degrees=st.tuples(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59)),
    exif=st.booleans(),
    thumbnail=st.booleans(),
    xmp=st.booleans(),
    colours=st.booleans(),
    comment=st.booleans(),
    trailing=st.booleans(),
)


def photograph(kind: str, told: Told, width: int, height: int) -> bytes:
    """A drawn picture of that format, with the secret wherever it was asked for."""
    image = Image.fromarray(drawn(width, height))
    make = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": _tiff, "MPO": _mpo}.get(kind)
    data = make(image, told) if make else encode(image, kind)
    return data + (told.secret if told.trailing else b"")


def exif_block(told: Told) -> bytes:
    """A TIFF block with a description, a place, a maker's note and a small picture (Exif 2.32, 4.6)."""
    entries: list[tuple[int, int, int, bytes]] = [
        (270, 2, len(told.secret) + 1, told.secret + b"\0"),
        (274, 3, 1, struct.pack("<HH", told.orientation, 0)),
        (315, 2, len(told.secret) + 1, told.secret + b"\0"),
        (37500, 7, len(told.secret), told.secret),
    ]
    ratios = b"".join(struct.pack("<II", number, 1) for number in told.degrees)
    place = [(1, 2, 2, b"N\0\0\0"), (2, 5, 3, ratios), (29, 2, len(told.secret) + 1, told.secret + b"\0")]
    small = encode(Image.fromarray(drawn(16, 12)), "JPEG", comment=told.secret) if told.thumbnail else b""
    # First as long as it will be, with the pointers empty; then again with the pointers.
    gps_at = thumbnail_ifd_at = small_at = 0
    for _ in range(2):
        pointer = (GPS_IFD, 4, 1, struct.pack("<I", gps_at))
        first = _directory([*entries, pointer], 8, thumbnail_ifd_at)
        gps_at = 8 + len(first)
        gps = _directory(place, gps_at, 0)
        after = gps_at + len(gps)
        thumbnail_ifd_at = after if small else 0
        pointers = [(513, 4, 1, struct.pack("<I", small_at)), (514, 4, 1, struct.pack("<I", len(small)))]
        second = _directory(pointers, after, 0) if small else b""
        small_at = after + len(second)
    return b"II*\0" + struct.pack("<I", 8) + first + gps + second + small


def _directory(entries: list[tuple[int, int, int, bytes]], at: int, following: int) -> bytes:
    fields, values = b"", b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in sorted(entries):
        if len(value) > 4:
            fields += struct.pack("<HHII", tag, kind, count, values_at + len(values))
            values += value + b"\0" * (len(value) % 2)
        else:
            fields += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return struct.pack("<H", len(entries)) + fields + struct.pack("<I", following) + values


def _xmp(told: Told) -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>' + told.secret + b"</exif:GPSLatitude>"


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _jpeg(image: Image.Image, told: Told) -> bytes:
    return _jpeg_with_segments(encode(image, "JPEG", quality=90), told)


def _jpeg_with_segments(plain: bytes, told: Told) -> bytes:
    segments = b""
    if told.exif:
        segments += _segment(0xE1, b"Exif\0\0" + exif_block(told))
    if told.xmp:
        segments += _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _xmp(told))
    if told.colours:
        segments += _segment(0xE2, b"ICC_PROFILE\0\1\1" + told.secret)
    if told.comment:
        segments += _segment(0xFE, told.secret) + _segment(0xED, b"Photoshop 3.0\0" + told.secret)
    return plain[:2] + segments + plain[2:]


def _mpo(image: Image.Image, told: Told) -> bytes:
    data = encode(image, "MPO", quality=90, save_all=True, append_images=[Image.fromarray(drawn(32, 24))])
    # The second picture may tell its own story; the offsets of the first segments move with what is put in.
    second = data.rindex(b"\xff\xd8\xff")
    return _jpeg_with_segments(data[:second], told) + _jpeg_with_segments(data[second:], told)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(image: Image.Image, told: Told) -> bytes:
    plain, chunks = encode(image, "PNG"), b""
    if told.exif:
        chunks += _chunk(b"eXIf", exif_block(told))
    if told.xmp:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _xmp(told))
    if told.colours:
        chunks += _chunk(b"iCCP", b"profile " + told.secret[:60] + b"\0\0" + zlib.compress(told.secret, 0))
    if told.comment:
        chunks += _chunk(b"tEXt", b"Comment\0" + told.secret) + _chunk(b"prVt", told.secret)
    return plain[:33] + chunks + plain[33:]


def _webp(image: Image.Image, told: Told) -> bytes:
    options = {"exif": b"Exif\0\0" + exif_block(told)} if told.exif else {}
    options |= {"xmp": _xmp(told)} if told.xmp else {}
    options |= {"icc_profile": told.secret} if told.colours else {}
    return encode(image, "WEBP", quality=90, **options)


def _tiff(image: Image.Image, told: Told) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if told.exif:
        tags[270] = tags[315] = told.secret.decode()
        tags[274] = told.orientation
        tags[GPS_IFD] = {1: "N", 2: tuple(map(float, told.degrees)), 29: told.secret.decode()}
    if told.xmp:
        tags[700] = _xmp(told)
        tags.tagtype[700] = 7
    return encode(image, "TIFF", tiffinfo=tags, **({"icc_profile": told.secret} if told.colours else {}))


def upright(kind: str, told: Told, width: int, height: int) -> np.ndarray:
    """The drawn picture as a person sees it."""
    turned = {3: 2, 6: 3, 8: 1}
    picture = drawn(width, height)
    if not told.exif or kind == "BMP":
        return picture
    orientation = told.orientation
    if orientation in (2, 4, 5, 7):  # a mirrored one is its upright neighbour, mirrored
        mirrored = {2: picture[:, ::-1], 4: picture[::-1], 5: picture.transpose(1, 0, 2)}
        return mirrored.get(orientation, picture[::-1, ::-1].transpose(1, 0, 2))
    return np.rot90(picture, turned.get(orientation, 0))
