"""No photograph on disk tells more than its picture."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from tests.images.drawn_pictures import drawn, encode
from tests.state.talkative_photographs import FORMATS, Told, photograph, told_things, upright

from leafsight.errors import CorruptImageError, ImageError, ImageTooLargeError, UnsupportedImageError
from leafsight.images import DecodeLimits, ImageFormat, decode, read_header
from leafsight.state.clean_photographs import LONGEST_JPEG_SIDE_PX, clean_photograph

EVERYTHING = Told(b"Greta Garden, 12 Beet Lane", 6, (51, 2, 3), True, True, True, True, True, True)


def assert_nothing_but_a_picture(stored: bytes) -> None:
    """Walks the file from its first to its last byte; every piece must be one that pixels need."""
    if stored.startswith(b"\x89PNG"):
        at, kinds = 8, []
        while at < len(stored):
            length, kind = struct.unpack_from(">I4s", stored, at)
            kinds.append(kind)
            at += 12 + length
        assert at == len(stored)
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
        assert kinds[-1] == b"IEND"
        return
    assert stored.startswith(b"\xff\xd8")
    at = 2
    while True:
        mark, kind, length = struct.unpack_from(">BBH", stored, at)
        assert mark == 0xFF
        # JFIF's own 14 bytes, tables, frame, restart interval, scan.
        assert kind in (0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD, 0xDA)
        if kind == 0xE0:
            assert stored[at + 4 : at + 9] == b"JFIF\0"
            assert length == 16
        at += 2 + length
        if kind == 0xDA:
            break
    assert stored.index(b"\xff\xd9", at) == len(stored) - 2


def test_the_planted_photographs_do_tell() -> None:
    for kind in FORMATS:
        data = photograph(kind, EVERYTHING, 40, 30)
        assert EVERYTHING.secret in data
        if kind != "BMP":
            assert read_header(data).has_gps, kind
            assert read_header(data).orientation == 6
    assert photograph("JPEG", EVERYTHING, 40, 30).count(EVERYTHING.secret) == 10
    assert read_header(photograph("MPO", EVERYTHING, 40, 30)).format is ImageFormat.MPO
    with Image.open(io.BytesIO(photograph("JPEG", EVERYTHING, 40, 30))) as opened:
        exif = opened.getexif()
        assert exif[270].encode() == EVERYTHING.secret
        assert exif.get_ifd(34853)[2] == (51, 2, 3)
        assert 513 in exif.get_ifd(ExifTags.IFD.IFD1)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told=told_things, kind=st.sampled_from(FORMATS), width=st.integers(16, 60), height=st.integers(16, 60))
def test_no_secret_and_no_place_is_ever_stored(told: Told, kind: str, width: int, height: int) -> None:
    data = photograph(kind, told, width, height)
    stored = clean_photograph(data)
    assert_nothing_but_a_picture(stored)
    assert told.secret not in stored
    for word in (b"Exif", b"ICC_PROFILE", b"xmpmeta", b"adobe"):
        assert word not in stored
    header = read_header(stored)
    assert header.format is (ImageFormat.PNG if kind == "PNG" else ImageFormat.JPEG)
    assert (header.has_gps, header.camera, header.taken, header.orientation) == (False, None, None, 1)
    wanted = upright(kind, told, width, height)
    seen = decode(stored)
    assert seen.shape == wanted.shape
    if kind == "PNG":
        np.testing.assert_array_equal(seen, wanted)
    else:
        # To the picture that was sent; and, after two lossy encodings, the right way up.
        assert np.abs(seen.astype(int) - decode(data)).mean() < 5
        assert np.abs(seen.astype(int) - wanted).mean() < 15


def test_cleaning_twice_changes_no_pixel_of_a_png() -> None:
    once = clean_photograph(photograph("PNG", EVERYTHING, 40, 30))
    assert clean_photograph(once) == once


def test_what_lies_under_transparent_pixels_is_gone() -> None:
    picture = np.dstack([drawn(40, 30), np.full((30, 40), 255, np.uint8)])
    picture[:10, :, 3] = 0
    stored = decode(clean_photograph(encode(Image.fromarray(picture), "PNG")))
    assert (stored[:10] == 255).all()
    np.testing.assert_array_equal(stored[10:], picture[10:, :, :3])


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "LA", "CMYK"])
def test_odd_pixels_become_plain_colours(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = Image.fromarray(drawn(40, 30))
    if mode == "I;16":
        image = Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50)
    else:
        image = image.convert(mode)
    stored = clean_photograph(encode(image, kind))
    assert_nothing_but_a_picture(stored)
    assert read_header(stored).mode == "RGB"
    assert decode(stored).shape == (30, 40, 3)


def test_limits_hold_before_anything_is_decoded() -> None:
    data = photograph("JPEG", EVERYTHING, 40, 30)
    with pytest.raises(ImageTooLargeError, match="the limit is 100"):
        clean_photograph(data, DecodeLimits(max_bytes=100))
    with pytest.raises(ImageTooLargeError, match="1,200 pixels"):
        clean_photograph(data, DecodeLimits(max_pixels=1000))
    with pytest.raises(ImageError, match="shortest side"):
        clean_photograph(encode(Image.fromarray(drawn(40, 4)), "PNG"))
    wide = encode(Image.new("RGB", (LONGEST_JPEG_SIDE_PX + 1, 8)), "BMP")
    with pytest.raises(ImageTooLargeError, match="longest side"):
        clean_photograph(wide, DecodeLimits(max_side_px=100_000))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0"]))
def test_other_bytes_are_refused_with_our_errors(data: bytes, head: bytes) -> None:
    with pytest.raises((UnsupportedImageError, CorruptImageError, ImageError)):
        clean_photograph(head + data)


def test_a_torn_photograph_is_refused() -> None:
    data = photograph("JPEG", EVERYTHING, 60, 60)
    with pytest.raises(CorruptImageError):
        clean_photograph(data[: len(data) // 2 + 400])
