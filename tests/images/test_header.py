from __future__ import annotations

import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.images.drawn_pictures import drawn, encode, exif_with

from leafsight.errors import (
    CorruptImageError,
    ImageError,
    ImageTooLargeError,
    PermissionDeniedError,
    StorageError,
    UnsupportedImageError,
)
from leafsight.images import DecodeLimits, ImageFormat, decode, read_header, read_photo

COLOUR = Image.fromarray(drawn(64, 48))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    body = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = zlib.compress(b"\x00" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(encode(COLOUR, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_claiming(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    plain = encode(COLOUR, "WEBP")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + canvas + plain[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encode(COLOUR, "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def tiff_with(tags: dict[int, tuple[int, int]], *, data: bytes = b"") -> bytes:
    entries = b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in sorted(tags.items())
    )
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + b"\x00" * 4 + data


def tiff_claiming(width: int, height: int) -> bytes:
    return tiff_with(
        {256: (4, width), 257: (4, height), 258: (3, 8), 259: (3, 1), 262: (3, 1), 273: (4, 200), 277: (3, 1)}
    )


CLAIMS = [png_claiming, jpeg_claiming, webp_claiming, bmp_claiming, tiff_claiming]


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("JPEG", {}, (ImageFormat.JPEG, "RGB", 8)),
        ("JPEG", {"progressive": True}, (ImageFormat.JPEG, "RGB", 8)),
        ("PNG", {}, (ImageFormat.PNG, "RGB", 8)),
        ("WEBP", {}, (ImageFormat.WEBP, "RGB", 8)),
        ("WEBP", {"lossless": True}, (ImageFormat.WEBP, "RGB", 8)),
        ("BMP", {}, (ImageFormat.BMP, "RGB", 8)),
        ("TIFF", {}, (ImageFormat.TIFF, "RGB", 8)),
        ("TIFF", {"compression": "tiff_lzw"}, (ImageFormat.TIFF, "RGB", 8)),
    ],
)
def test_reads_size_and_mode(kind, options, expected):
    header = read_header(encode(COLOUR, kind, **options))
    assert (header.format, header.mode, header.bits) == expected
    assert (header.width_px, header.height_px) == (64, 48)
    assert (header.orientation, header.frames, header.has_gps) == (1, 1, False)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_reads_the_modes_of_png(mode):
    image = Image.fromarray(np.full((16, 9), 300, np.uint16)) if mode == "I;16" else COLOUR.convert(mode)
    header = read_header(encode(image, "PNG"))
    assert header.mode == ("L" if mode == "I;16" else mode)
    assert header.bits == {"1": 1, "I;16": 16}.get(mode, 8)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_reads_orientation_and_gps(kind):
    header = read_header(encode(COLOUR, kind, exif=exif_with(6, gps=True)))
    assert header.orientation == 6
    assert header.has_gps
    assert header.upright_size_px == (48, 64)


def test_nonsense_in_exif_counts_as_upright():
    assert read_header(encode(COLOUR, "JPEG", exif=exif_with(9))).orientation == 1
    assert read_header(encode(COLOUR, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")).orientation == 1


def exif_of(make: str | None, model: str | None, **times: str) -> bytes:
    exif = Image.Exif()
    for tag, text in ((271, make), (272, model), (306, times.get("changed"))):
        if text is not None:
            exif[tag] = text
    if "taken" in times:
        exif.get_ifd(34665)[36867] = times["taken"]
    return exif.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_reads_camera_and_time(kind):
    exif = exif_of("Canon", "Canon EOS 60D", taken="2024:05:06 07:08:09", changed="2025:01:01 00:00:00")
    header = read_header(encode(COLOUR, kind, exif=exif))
    assert header.camera == "Canon EOS 60D"
    assert header.taken == "2024-05-06T07:08:09"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [("Apple", "iPhone 6", "Apple iPhone 6"), (None, "X100", "X100"), ("NIKON CORP", None, "NIKON CORP"),
     ("NIKON CORPORATION", "NIKON D90", "NIKON D90"), ("  ", "\n", None), (None, None, None)],
)  # fmt: skip
def test_a_camera_is_named_once(make, model, camera):
    assert read_header(encode(COLOUR, "JPEG", exif=exif_of(make, model))).camera == camera


@pytest.mark.parametrize(
    ("taken", "expected"),
    [("0000:00:00 00:00:00", None), ("    :  :     :  :  ", None), ("2024:13:01 00:00:00", None),
     ("2024:12:31 23:59:59", "2024-12-31T23:59:59"), ("yesterday", None)],
)  # fmt: skip
def test_a_clock_that_was_never_set_is_no_time(taken, expected):
    assert read_header(encode(COLOUR, "JPEG", exif=exif_of(None, None, taken=taken))).taken == expected


def test_long_and_unprintable_camera_names_are_cut_and_cleaned():
    camera = read_header(encode(COLOUR, "JPEG", exif=exif_of(None, "a\x07b" + "c" * 500))).camera
    assert camera is not None
    assert camera.startswith("a b")
    assert len(camera) <= 64
    assert camera.isprintable()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "MPO"])
def test_counts_frames(kind):
    frames = [COLOUR.transpose(Image.Transpose.FLIP_LEFT_RIGHT), COLOUR.rotate(10)]
    header = read_header(encode(COLOUR, kind, save_all=True, append_images=frames))
    assert header.frames == 3
    assert header.format.name == kind


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize(
    ("width", "height", "word"), [(20_000, 20_000, "400,000,000 pixels"), (9, 31_000, "longest side")]
)
def test_bombs_are_refused_before_any_pixel(claim, width, height, word, monkeypatch):
    if claim is webp_claiming and width > 1 << 14:
        word = "pixels"

    def forbidden(*_args, **_options):
        raise AssertionError("a pixel was decoded")

    monkeypatch.setattr("leafsight.images.decoding.pillow_pixels", forbidden)
    monkeypatch.setattr("simplejpeg.decode_jpeg", forbidden)
    data = claim(width, height)
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooLargeError, match=word):
            decode(data)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize("claim", CLAIMS)
def test_pillows_own_bomb_warning_never_shows(claim, recwarn):
    """The size lies between Pillow's warning at 89 megapixels and our limit: damaged, but no warning."""
    with pytest.raises(ImageError):
        decode(claim(11_000, 9_000))
    assert not [warning for warning in recwarn if "Bomb" in type(warning.message).__name__]


def test_a_small_tiff_in_an_enormous_tile_is_refused():
    tags = {
        256: (4, 64),
        257: (4, 48),
        258: (3, 8),
        262: (3, 1),
        277: (3, 1),
        322: (4, 29_000),
        323: (4, 29_000),
    }
    with pytest.raises(ImageTooLargeError):
        read_header(tiff_with(tags))


def test_thousands_of_scans_are_refused():
    data = encode(COLOUR, "JPEG", progressive=True)
    scan = data[data.index(b"\xff\xda") : data.index(b"\xff\xda") + 40]
    with pytest.raises(CorruptImageError, match="scans"):
        read_header(data[:-2] + scan * 300 + data[-2:])


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_picture_too_small_to_see_is_refused(claim):
    with pytest.raises(ImageError, match="shortest side"):
        read_header(claim(300, 7))


def test_limits_are_the_callers():
    data = encode(COLOUR, "PNG")
    with pytest.raises(ImageTooLargeError, match="bytes"):
        read_header(data, DecodeLimits(max_bytes=len(data) - 1))
    with pytest.raises(ImageTooLargeError, match="3,072 pixels"):
        read_header(data, DecodeLimits(max_pixels=64 * 48 - 1))
    assert (
        read_header(data, DecodeLimits(max_bytes=len(data), max_pixels=64 * 48, max_side_px=64)).width_px
        == 64
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_cut_header_is_corrupt(kind):
    data = encode(COLOUR, kind)
    for length in (12, 16, 20, 25):
        with pytest.raises((CorruptImageError, UnsupportedImageError)):
            read_header(data[:length])


def test_odd_pixels_are_unsupported():
    real = encode(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF")
    with pytest.raises(UnsupportedImageError, match="32 bits"):
        read_header(real)
    twelve_bit = bytearray(encode(COLOUR, "JPEG"))
    twelve_bit[twelve_bit.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(UnsupportedImageError, match="12 bits"):
        read_header(bytes(twelve_bit))


def test_read_photo_gives_the_bytes(tmp_path, jpeg):
    path = tmp_path / "a name\nwith ünïcode.JPG"
    path.write_bytes(jpeg)
    assert read_photo(path) == jpeg


def test_read_photo_says_what_is_wrong(tmp_path, jpeg):
    with pytest.raises(StorageError, match=r"gone\.jpg"):
        read_photo(tmp_path / "gone.jpg")
    with pytest.raises(ImageError, match="folder"):
        read_photo(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(CorruptImageError, match="empty"):
        read_photo(tmp_path / "empty.jpg")
    (tmp_path / "long.jpg").write_bytes(jpeg)
    with pytest.raises(ImageTooLargeError):
        read_photo(tmp_path / "long.jpg", DecodeLimits(max_bytes=len(jpeg) - 1))
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    with pytest.raises(StorageError, match=r"loop\.jpg"):
        read_photo(tmp_path / "loop.jpg")


def test_read_photo_does_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="plain file"):
        read_photo(tmp_path / "pipe.jpg")


def test_read_photo_needs_permission(tmp_path, jpeg, monkeypatch):
    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "secret.jpg").write_bytes(jpeg)
    # chmod does not stop root, as whom containers run.
    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(PermissionDeniedError, match="secret"):
        read_photo(tmp_path / "secret.jpg")
