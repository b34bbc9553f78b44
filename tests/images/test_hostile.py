"""Bytes that mean harm: whatever they are, the answer is a picture or one of our errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.images.drawn_pictures import drawn, encode, exif_with

from leafsight.errors import ImageError
from leafsight.images import DecodeLimits, Preprocessing, decode, prepare_bytes, read_header

COLOUR = Image.fromarray(drawn(40, 30))
FILES = {
    "baseline": encode(COLOUR, "JPEG", exif=exif_with(6, gps=True)),
    "progressive": encode(COLOUR, "JPEG", progressive=True),
    "cmyk": encode(COLOUR.convert("CMYK"), "JPEG"),
    "mpo": encode(COLOUR, "MPO", save_all=True, append_images=[COLOUR]),
    "png": encode(COLOUR, "PNG", exif=exif_with(3)),
    "palette": encode(COLOUR.quantize(8), "PNG", transparency=1),
    "webp": encode(COLOUR, "WEBP", exif=exif_with(3)),
    "lossless": encode(COLOUR, "WEBP", lossless=True),
    "bmp": encode(COLOUR, "BMP"),
    "tiff": encode(COLOUR, "TIFF"),
    "lzw": encode(COLOUR, "TIFF", compression="tiff_lzw"),
}
HEADS = [
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\x20\x00\x00\x00WEBP",
    b"II*\x00\x08\x00\x00\x00",
]
# Mutated headers may claim anything: small limits keep the honest large claims quick.
LIMITS = DecodeLimits(max_pixels=1_000_000)
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def survive(data: bytes) -> None:
    try:
        header = read_header(data, LIMITS)
    except ImageError:
        return
    assert header.width_px * header.height_px <= LIMITS.max_pixels
    try:
        rgb = decode(data, limits=LIMITS)
    except ImageError:
        return
    assert rgb.dtype == np.uint8
    assert rgb.shape[1::-1] == header.upright_size_px
    assert prepare_bytes(data, Preprocessing(side_px=8), LIMITS).shape == (8, 8, 3)


@UNHURRIED
@given(st.sampled_from(HEADS), st.binary(max_size=400))
def test_random_bytes(head, rest):
    survive(head + rest)


# Pillow talks about what it finds odd; in this test talk is no failure.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FILES)
def test_mutated_files(name):
    original = FILES[name]
    places = st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255))

    @UNHURRIED
    @given(st.lists(places, min_size=1, max_size=8), st.integers(0, len(original)))
    def mutate(changes, length):
        data = bytearray(original)
        for place, value in changes:
            data[place] = value
        survive(bytes(data))
        survive(bytes(data[:length]))

    mutate()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FILES)
def test_every_truncation(name):
    original = FILES[name]
    step = max(1, len(original) // 60)
    for length in range(0, len(original), step):
        survive(original[:length])
