from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset.look import look_hash, pixel_hash
from leafsight.images import draw_sketch, resize


def blotches(seed: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    grid = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))


def look_of(rgb: np.ndarray) -> int:
    return look_hash(draw_sketch(rgb).cells)


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def recompressed(rgb: np.ndarray, quality: int) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))


@pytest.mark.parametrize("seed", range(5))
def test_copies_look_alike_and_others_do_not(seed: int) -> None:
    rgb = blotches(seed)
    here = look_of(rgb)
    small = np.asarray(Image.fromarray(rgb).resize((70, 60), Image.Resampling.BILINEAR))
    brighter = np.clip(rgb.astype(int) + 12, 0, 255).astype(np.uint8)
    assert distance(here, look_of(recompressed(rgb, 60))) <= 4
    assert distance(here, look_of(small)) <= 4
    assert distance(here, look_of(brighter)) <= 6
    assert distance(here, look_of(blotches(seed + 100))) > 12


def test_hash_fits_64_bits_and_stands_still() -> None:
    steps = np.repeat(np.arange(64, dtype=np.uint8)[:, None], 64, axis=1)
    value = look_of(np.stack([steps, steps * 2, steps * 3], axis=2))
    assert 0 <= value < 2**64
    # A ramp from top to bottom has energy only in the first column of the transform.
    assert value == look_of(np.stack([steps, steps * 2, steps * 3], axis=2).copy())
    assert look_of(np.zeros((8, 8, 3), np.uint8)) == 0


def test_pixel_hash_knows_shape_size_and_every_pixel() -> None:
    rgb = blotches(1)
    other = rgb.copy()
    other[5, 5, 0] ^= 1
    base = pixel_hash(rgb, 160, 120)
    assert base == pixel_hash(np.asfortranarray(rgb), 160, 120)
    assert len({base, pixel_hash(other, 160, 120), pixel_hash(rgb, 320, 240)}) == 3
    assert pixel_hash(rgb, 160, 120) != pixel_hash(rgb.transpose(1, 0, 2), 160, 120)


def test_cells_are_those_that_published_splits_were_made_of() -> None:
    """Splits hang on every bit of a look hash, and a hash on every rounding of its cells."""
    for seed, size in enumerate([(160, 120), (128, 128), (67, 501), (9, 5)]):
        rgb = blotches(seed, size)
        assert np.array_equal(draw_sketch(rgb).cells, resize(rgb, 32, 32, "box"))
