"""A stripped photograph shows the same pixels and tells nothing."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.images.drawn_pictures import drawn, encode, exif_with
from tests.state.talkative_photographs import Told, photograph, told_things

from leafsight.errors import CorruptImageError, ImageError, ImageTooLargeError, UnsupportedImageError
from leafsight.images import DecodeLimits, decode, read_header, strip_metadata

FORMATS = ("JPEG", "MPO", "PNG", "WEBP")
SECRET = b"Greta Garden, 12 Beet Lane"
EVERYTHING = Told(SECRET, 6, (51, 2, 3), True, True, True, True, True, True)
WORDS = (b"xmpmeta", b"ICC_PROFILE", b"iCCP", b"Photoshop", b"MPF\0", b"tEXt", b"iTXt", b"prVt", b"XMP ")
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(told_things, st.sampled_from(FORMATS), st.integers(16, 60), st.integers(16, 60))
def test_the_pixels_stay_and_nothing_else_does(told: Told, kind: str, width: int, height: int) -> None:
    data = photograph(kind, told, width, height)
    stripped = strip_metadata(data)
    assert told.secret not in stripped
    for word in WORDS:
        assert word not in stripped
    before, after = read_header(data), read_header(stripped)
    assert (after.has_gps, after.camera, after.taken) == (False, None, None)
    assert (after.orientation, after.frames) == (before.orientation, 1)
    np.testing.assert_array_equal(decode(stripped), decode(data))
    assert len(stripped) <= len(data) + 58
    assert strip_metadata(stripped) == stripped


@CALM
@given(st.sampled_from(FORMATS), st.data())
def test_torn_and_garbled_files_end_in_our_errors_or_tell_nothing(kind: str, data: st.DataObject) -> None:
    whole = photograph(kind, EVERYTHING, 24, 20)
    cut = data.draw(st.integers(0, len(whole)))
    at = data.draw(st.integers(0, len(whole) - 1))
    garbled = whole[:at] + data.draw(st.binary(min_size=1, max_size=4)) + whole[at + 1 :]
    for hostile, may_tell in ((whole[:cut], False), (garbled, True)):
        try:
            stripped = strip_metadata(hostile)
        except ImageError:
            continue
        # A length that was garbled may make a note a part of the picture; a file that was only cut may not.
        assert may_tell or SECRET not in stripped
        assert not read_header(stripped).has_gps


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\1\0\0WEBP"]),
)
def test_other_bytes_are_refused_with_our_errors(tail: bytes, head: bytes) -> None:
    try:
        strip_metadata(head + tail)
    except ImageError:
        return
    pytest.fail("this is no photograph")


VARIANTS = {
    "grey": ("JPEG", "L", {}),
    "cmyk": ("JPEG", "CMYK", {}),
    "progressive": ("JPEG", "RGB", {"progressive": True}),
    "optimised": ("JPEG", "RGB", {"optimize": True, "subsampling": 0}),
    "restarts": ("JPEG", "RGB", {"restart_marker_blocks": 1}),
    "rgb": ("JPEG", "RGB", {"keep_rgb": True}),
    "palette": ("PNG", "P", {}),
    "palette-clear": ("PNG", "P", {"transparency": 3}),
    "grey-clear": ("PNG", "L", {"transparency": 70}),
    "colour-clear": ("PNG", "RGB", {"transparency": (60, 70, 40)}),
    "bits": ("PNG", "1", {}),
    "alpha": ("PNG", "RGBA", {}),
    "lossless": ("WEBP", "RGB", {"lossless": True}),
    "see-through": ("WEBP", "RGBA", {"quality": 80}),
    "see-through-lossless": ("WEBP", "RGBA", {"lossless": True}),
}


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_kind_of_pixels(name: str, orientation: int) -> None:
    kind, mode, options = VARIANTS[name]
    image = Image.fromarray(drawn()).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(drawn()[..., 1]))
    data = encode(image, kind, exif=exif_with(orientation, gps=True), **options)
    stripped = strip_metadata(data)
    assert read_header(data).has_gps
    assert not read_header(stripped).has_gps
    assert read_header(stripped).orientation == orientation
    assert read_header(stripped).mode == read_header(data).mode
    np.testing.assert_array_equal(decode(stripped), decode(data))
    with Image.open(io.BytesIO(stripped)) as opened:  # others can read it, too
        opened.load()
        assert opened.getexif().get(274, 1) == orientation


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_stays(kind: str) -> None:
    second = Image.fromarray(drawn()[::-1].copy())
    data = encode(
        Image.fromarray(drawn()), kind, save_all=True, append_images=[second], exif=exif_with(3, gps=True)
    )
    stripped = strip_metadata(data)
    assert not read_header(stripped).has_gps
    np.testing.assert_array_equal(decode(stripped), decode(data))


def test_the_small_picture_of_jfif_is_gone() -> None:
    plain = encode(Image.fromarray(drawn()), "JPEG")
    small = (
        struct.pack(">BBH", 0xFF, 0xE0, 2 + 14 + 48) + b"JFIF\0\1\1\0\0\1\0\1\4\4" + SECRET.ljust(48, b"\0")
    )
    stripped = strip_metadata(plain[:2] + small + plain[20:])
    assert SECRET not in stripped
    np.testing.assert_array_equal(decode(stripped), decode(plain))


def test_a_comment_between_two_scans_is_gone() -> None:
    plain = encode(Image.fromarray(drawn()), "JPEG", progressive=True)
    at = plain.rindex(b"\xff\xda")
    note = struct.pack(">BBH", 0xFF, 0xFE, 2 + len(SECRET)) + SECRET
    stripped = strip_metadata(plain[:at] + note + plain[at:])
    assert SECRET not in stripped
    np.testing.assert_array_equal(decode(stripped), decode(plain))


def test_what_is_longer_than_it_says_is_refused() -> None:
    plain = encode(Image.fromarray(drawn()), "JPEG")
    at = plain.index(b"\xff\xdb")
    length = struct.unpack_from(">H", plain, at + 2)[0]
    stretched = (
        plain[: at + 2] + struct.pack(">H", length + len(SECRET)) + plain[at + 4 : at + 2 + length] + SECRET
    )
    with pytest.raises(CorruptImageError):
        strip_metadata(stretched + plain[at + 2 + length :])


def test_limits_and_other_formats() -> None:
    with pytest.raises(ImageTooLargeError):
        strip_metadata(encode(Image.fromarray(drawn()), "PNG"), DecodeLimits(max_pixels=1000))
    for kind in ("BMP", "TIFF"):
        with pytest.raises(UnsupportedImageError, match="written anew"):
            strip_metadata(encode(Image.fromarray(drawn()), kind))
