from __future__ import annotations

import pytest

from leafsight.errors import CorruptImageError, UnsupportedImageError
from leafsight.images import ImageFormat, sniff_format

OURS = {
    b"\xff\xd8\xff\xe0\x00\x10JFIF": ImageFormat.JPEG,
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR": ImageFormat.PNG,
    b"RIFF\x10\x00\x00\x00WEBPVP8 ": ImageFormat.WEBP,
    b"BM\x10\x00\x00\x00\x00\x00\x00\x00": ImageFormat.BMP,
    b"II*\x00\x08\x00\x00\x00": ImageFormat.TIFF,
    b"MM\x00*\x00\x00\x00\x08": ImageFormat.TIFF,
}


@pytest.mark.parametrize(("head", "expected"), OURS.items(), ids=lambda value: str(value)[:12])
def test_magic_bytes_decide(head, expected):
    assert sniff_format(head) is expected


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"GIF89a" + b"\x00" * 20, "GIF"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC"),
        (b"\x00\x00\x00\x18ftypavif\x00\x00", "AVIF"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00", "video"),
        (b"\x00\x00\x00\x0cJXL \r\n", "JPEG XL"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "RIFF"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "CR2"),
        (b"II+\x00\x08\x00\x00\x00", "BigTIFF"),
        (b"<!doctype html><html>", "web page"),
        (b"<svg xmlns=", "SVG"),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"hello, this is a letter", "text"),
        (b"BMW is a car, not a bitmap", "text"),
        (b"\x00" * 64, "zero bytes"),
        (b"\x8f\x01\x02\x03", "unknown kind"),
    ],
)
def test_strangers_are_named(head, words):
    with pytest.raises(UnsupportedImageError, match=words) as caught:
        sniff_format(head)
    assert caught.value.hint
    assert caught.value.http_status == 415


def test_nothing_is_corrupt_not_unsupported():
    with pytest.raises(CorruptImageError, match="empty"):
        sniff_format(b"")
