"""The second compression is like the first, and does not fall on its blocks."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from benchmarks.compressed_again import compressed_again, write_copy
from PIL import Image

from leafsight.dataset import draw_leaf
from leafsight.errors import UsageError


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """The pixels as a JPEG file with halved colour."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def decoded(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)


@pytest.fixture
def leaf() -> np.ndarray:
    return np.asarray(draw_leaf("Roundleaf", "Rust", seed=1, side_px=32))


def test_it_costs_about_what_the_first_one_did(leaf: np.ndarray) -> None:
    once = jpeg(leaf, 75)
    first = np.abs(decoded(once) - leaf).mean()
    second = np.abs(compressed_again(once) - decoded(once)).mean()
    in_place = np.abs(decoded(jpeg(decoded(once).astype(np.uint8), 75)) - decoded(once)).mean()
    assert 0.5 * first < second < 1.5 * first
    assert in_place < 0.25 * second


def test_a_stronger_compression_is_repeated_as_strongly(leaf: np.ndarray) -> None:
    def loss(quality: int) -> float:
        once = jpeg(leaf, quality)
        return float(np.abs(compressed_again(once) - decoded(once)).mean())

    assert loss(10) > 1.5 * loss(95)


def test_the_copy_has_the_same_folders_and_loses_nothing_more(tmp_path: Path, leaf: np.ndarray) -> None:
    there = tmp_path / "once" / "train" / "cat"
    there.mkdir(parents=True)
    (there / "0000.jpg").write_bytes(jpeg(leaf, 75))
    (there / "words.txt").write_text("no picture")
    assert list(write_copy(tmp_path / "once", tmp_path / "twice")) == [
        tmp_path / "twice" / "train" / "cat" / "0000.png"
    ]
    with Image.open(tmp_path / "twice" / "train" / "cat" / "0000.png") as copy:
        assert (np.asarray(copy) == compressed_again(jpeg(leaf, 75))).all()


def test_what_is_no_jpeg_is_refused(leaf: np.ndarray) -> None:
    file = io.BytesIO()
    Image.fromarray(leaf).save(file, "PNG")
    with pytest.raises(UsageError, match="not a JPEG"):
        compressed_again(file.getvalue())
