"""Sketches: what is kept of a photograph, and the two measures that need more than the sketch."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.images.drawn_pictures import drawn

from leafsight.images import draw_sketch


@pytest.mark.parametrize("size", [(64, 64), (128, 192), (200, 160), (40, 300), (1, 1), (3000, 20)])
def test_every_size_becomes_the_same_squares(size):
    sketch = draw_sketch(drawn(*size))
    assert (sketch.grey.shape, sketch.grey.dtype) == ((64, 64), np.uint8)
    assert (sketch.rgb.shape, sketch.rgb.dtype) == ((32, 32, 3), np.uint8)
    assert np.isfinite(sketch.sharpness)
    assert 0 <= sketch.margin_share <= 1


def test_whole_factors_give_the_same_as_the_general_way():
    picture = drawn(256, 192)
    general = np.asarray(
        Image.fromarray(picture).resize((64, 64), Image.Resampling.BOX).convert("L"), np.int16
    )
    assert np.abs(draw_sketch(picture).grey.astype(np.int16) - general).max() <= 1


def test_mirrored_and_turned_pictures_have_mirrored_and_turned_sketches():
    picture = drawn(192, 128)
    whole = draw_sketch(picture)
    assert np.array_equal(draw_sketch(np.ascontiguousarray(picture[:, ::-1])).grey, whole.grey[:, ::-1])
    turned = draw_sketch(np.ascontiguousarray(picture.transpose(1, 0, 2)))
    assert np.array_equal(turned.rgb, whole.rgb.transpose(1, 0, 2))


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_blur_lowers_sharpness_every_time():
    image = Image.fromarray(noise(160))
    values = [
        draw_sketch(np.asarray(image.filter(ImageFilter.GaussianBlur(r)))).sharpness for r in (0, 1, 2, 4)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 100 * values[-1]


def test_sharpness_of_a_large_photograph_is_that_of_its_reduced_copy():
    small = noise(130)
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    assert draw_sketch(large).sharpness == pytest.approx(draw_sketch(small).sharpness, rel=0.01)


@pytest.mark.parametrize(("width", "expected"), [(0, 0.0), (16, 1 - 0.75**2), (32, 1 - 0.5**2)])
def test_a_frame_is_measured_by_its_area(width, expected):
    picture = np.full((128, 128, 3), 9, np.uint8)
    inner = slice(width, 128 - width)
    picture[inner, inner] = noise(128 - 2 * width)
    assert draw_sketch(picture).margin_share == pytest.approx(expected, abs=0.01)


def test_an_even_picture_is_all_margin_and_not_sharp():
    sketch = draw_sketch(np.full((80, 60, 3), 200, np.uint8))
    assert (sketch.margin_share, sketch.sharpness) == (1.0, 0.0)


@pytest.mark.parametrize("edge", [np.s_[:30], np.s_[-30:], np.s_[:, :30], np.s_[:, -30:]])
def test_padding_on_one_side_only_is_seen(edge):
    picture = noise(120)
    picture[edge] = 7
    assert draw_sketch(picture).margin_share == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("size", [(3, 3), (7, 4), (5, 90), (120, 101)])
def test_sharpness_is_the_variance_of_the_laplacian(size):
    """As Pech-Pacheco et al. 2000 write it, by a filter that was not made here."""
    picture = drawn(*size)
    grey = np.asarray(Image.fromarray(picture).convert("L"), np.float64)
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    windows = np.lib.stride_tricks.sliding_window_view(grey, (3, 3))
    assert draw_sketch(picture).sharpness == pytest.approx(
        (windows * kernel).sum(axis=(2, 3)).var(), rel=1e-4
    )
