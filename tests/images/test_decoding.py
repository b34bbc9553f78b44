from __future__ import annotations

import io
import struct
import threading

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.images.drawn_pictures import drawn, encode, exif_with

from leafsight.errors import CorruptImageError, ImageError, ImageTooLargeError, UnsupportedImageError
from leafsight.images import decode, read_header
from leafsight.images.decoding import SCALED_MARGIN
from leafsight.images.pillow_pixels import pillow_pixels

COLOUR = Image.fromarray(drawn(64, 48))


def slow_path(data: bytes) -> np.ndarray:
    """What Pillow makes of the file: turned, over white, RGB."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return np.asarray(image.convert("RGB"))


def worst(a: np.ndarray, b: np.ndarray) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
def test_all_orientations_are_applied(orientation, kind):
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: np.rot90(a, 1),
    }[orientation]
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind in ("JPEG", "MPO") else {}
    if kind == "MPO":
        options |= {"save_all": True, "append_images": [COLOUR.rotate(180)]}
    data = encode(COLOUR, kind, exif=exif_with(orientation), **options)
    found = decode(data)
    assert np.abs(found.astype(int) - turn(drawn(64, 48))).mean() < (3 if kind in ("JPEG", "MPO") else 0.01)
    assert worst(found, slow_path(data)) <= 1
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "JPEG"),
        ("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "PNG"),
        ("RGBA", "WEBP"), ("1", "BMP"), ("L", "BMP"), ("P", "BMP"), ("RGBA", "BMP"),
        ("1", "TIFF"), ("L", "TIFF"), ("LA", "TIFF"), ("P", "TIFF"), ("RGBA", "TIFF"), ("CMYK", "TIFF"),
        ("YCbCr", "TIFF"), ("LAB", "TIFF"),
    ],
)  # fmt: skip
def test_every_kind_of_pixel_becomes_red_green_and_blue(mode, kind):
    if mode == "LAB":
        image = Image.merge("LAB", [channel.convert("L") for channel in COLOUR.split()])
    else:
        image = COLOUR.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(COLOUR.convert("L"))
    data = encode(image, kind)
    found = decode(data)
    assert found.dtype == np.uint8
    assert worst(found, slow_path(data)) <= 1


def test_transparent_pixels_lie_over_white():
    clear = COLOUR.convert("RGBA")
    clear.putalpha(0)
    assert (decode(encode(clear, "PNG")) == 255).all()
    half = COLOUR.convert("RGBA")
    half.putalpha(128)
    assert np.abs(decode(encode(half, "PNG")).astype(int) - (drawn(64, 48) / 2 + 127)).max() <= 2


def test_a_transparent_palette_entry_lies_over_white():
    image = COLOUR.quantize(16)
    data = encode(image, "PNG", transparency=int(np.asarray(image)[0, 0]))
    assert (decode(data)[0, 0] == 255).all()
    assert worst(decode(data), slow_path(data)) == 0


def test_a_transparent_colour_lies_over_white():
    colour = tuple(int(level) for level in drawn(64, 48)[0, 0])
    found = decode(encode(COLOUR, "PNG", transparency=colour))
    assert (found[0, 0] == 255).all()
    assert (found[20, 20] != 255).any()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind):
    levels = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    found = decode(encode(Image.fromarray(levels), kind))
    assert np.abs(found[..., 0] - levels / 257.0).max() <= 1
    assert (found[..., 0] == found[..., 2]).all()


def test_16_bit_colour_is_scaled_not_clipped():
    """Pillow cannot write 16-bit colour, so the PNG is put together here."""
    import zlib

    levels = np.linspace(0, 65535, 16 * 16 * 3).reshape(16, 16, 3).astype(">u2")
    rows = b"".join(b"\x00" + row.tobytes() for row in levels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert read_header(data).bits == 16
    assert np.abs(decode(data) - levels / 257.0).max() <= 1


def test_32_bit_pixels_are_unsupported():
    with pytest.raises(UnsupportedImageError):
        decode(encode(Image.fromarray(np.ones((9, 9), np.int32)), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first_is_taken(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    other = Image.new("RGB", COLOUR.size, "black")
    found = decode(encode(COLOUR, kind, save_all=True, append_images=[other, other], **options))
    assert np.abs(found.astype(int) - drawn(64, 48)).mean() < 5


def test_an_icc_profile_changes_nothing():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert (decode(encode(COLOUR, "PNG", icc_profile=profile)) == drawn(64, 48)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_truncated_files_are_refused_with_the_reason(kind, share):
    noisy = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noisy), kind)
    cut = data[: int(len(data) * share)]
    with pytest.raises(CorruptImageError) as caught:
        decode(cut)
    assert len(caught.value.message) > 20
    assert caught.value.http_status == 422


def test_a_truncated_cmyk_jpeg_is_refused():
    data = encode(COLOUR.convert("CMYK"), "JPEG", quality=95)
    with pytest.raises(CorruptImageError, match="truncated"):
        decode(data[: len(data) // 2])


def test_damage_inside_the_pixels_of_a_jpeg_is_refused():
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = bytearray(encode(Image.fromarray(noisy), "JPEG"))
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff\xd9" * 20
    with pytest.raises(CorruptImageError):
        decode(bytes(data))


def test_a_jpeg_with_two_sizes_is_refused():
    other = encode(Image.fromarray(drawn(32, 24)), "JPEG")
    frame = other[other.index(b"\xff\xc0") : other.index(b"\xff\xc0") + 19]
    data = encode(COLOUR, "JPEG")
    at = data.index(b"\xff\xc0")
    with pytest.raises(CorruptImageError, match="two frame headers"):
        decode(data[:at] + frame + data[at:])


def test_extraneous_bytes_after_the_pixels_are_harmless(jpeg, picture):
    """Some cameras pad the last scan; libjpeg complains, every viewer shows the photograph."""
    padded = jpeg[:-2] + b"\x00" * 7 + jpeg[-2:]
    assert worst(decode(padded), decode(jpeg)) == 0


def test_bytes_after_the_end_are_harmless(jpeg):
    assert worst(decode(jpeg + b"trailer" * 100), decode(jpeg)) == 0


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_both_decoders_agree(subsampling, progressive, reduction):
    """simplejpeg and Pillow, whole and scaled: at most two grey levels in the mean, and the same size."""
    image = Image.fromarray(drawn(131, 99))
    data = encode(image, "JPEG", quality=90, subsampling=subsampling, progressive=progressive)
    from leafsight.images.decoding import _jpeg_pixels

    header = read_header(data)
    quick, slow = _jpeg_pixels(data, header, reduction), pillow_pixels(data, header, reduction)
    assert quick.shape == slow.shape == (-(-99 // reduction), -(-131 // reduction), 3)
    assert np.abs(quick.astype(int) - slow).mean() <= 2


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_scaled_decoding_keeps_the_margin_and_depends_on_sizes_alone(mode):
    data = encode(Image.fromarray(drawn(640, 480)).convert(mode), "JPEG")
    sides = {
        wanted: min(decode(data, wanted_side_px=wanted).shape[:2]) for wanted in (240, 121, 120, 60, 30, 8)
    }
    assert sides == {240: 480, 121: 480, 120: 240, 60: 120, 30: 60, 8: 60}
    assert all(short >= SCALED_MARGIN * wanted for wanted, short in sides.items() if short < 480)


def test_other_formats_are_never_scaled():
    data = encode(Image.fromarray(drawn(640, 480)), "PNG")
    assert decode(data, wanted_side_px=8).shape == (480, 640, 3)


def test_a_scaled_picture_is_the_same_picture():
    data = encode(Image.fromarray(drawn(640, 480)), "JPEG", exif=exif_with(6))
    small, whole = decode(data, wanted_side_px=60), decode(data)
    assert small.shape == (160, 120, 3)
    assert np.abs(small.astype(int) - np.asarray(Image.fromarray(whole).reduce(4))).mean() < 1


def test_a_tiff_that_would_make_pillow_warn_is_refused(monkeypatch):
    monkeypatch.setattr("leafsight.images.pillow_pixels.PILLOW_TIFF_PIXELS", 3000)
    with pytest.raises(ImageTooLargeError, match="3,072"):
        decode(encode(COLOUR, "TIFF"))


def test_running_out_of_memory_is_about_the_size(monkeypatch):
    def starved(*_args):
        raise MemoryError

    monkeypatch.setattr("leafsight.images.pillow_pixels._as_rgb", starved)
    with pytest.raises(ImageTooLargeError, match="memory"):
        decode(encode(COLOUR, "PNG"))


def test_many_threads_decode_at_once():
    files = [encode(COLOUR, kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")]
    expected = [decode(data) for data in files]
    faults: list[object] = []

    def work() -> None:
        try:
            for _ in range(5):
                for data, wanted in zip(files, expected, strict=True):
                    assert (decode(data) == wanted).all()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_odd_files(shared_data):
    """Nineteen real files that break decoders: CMYK, grey, RGBA, MPO, PNG named .jpg."""
    folder = shared_data / "odd-files"
    if not folder.is_dir():
        pytest.skip("needs data/odd-files")
    paths = sorted(folder.iterdir())
    assert len(paths) == 19
    for path in paths:
        data = path.read_bytes()
        header = read_header(data)
        kind, mode = path.name.split("-")[:2]
        assert (header.format.name.lower(), header.mode.lower()) == (kind, mode), path.name
        assert header.frames == (2 if kind == "mpo" else 1)
        assert worst(decode(data), slow_path(data)) == 0, path.name


def test_every_refusal_is_an_image_error():
    for error in (UnsupportedImageError, ImageTooLargeError, CorruptImageError):
        assert issubclass(error, ImageError)
