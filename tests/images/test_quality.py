from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.images.drawn_pictures import drawn

from leafsight.images import measure_quality


def test_a_blurred_copy_is_less_sharp():
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    blurred = np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(3)))
    assert measure_quality(blurred).sharpness < measure_quality(rgb).sharpness / 50


def test_sharpness_is_the_variance_of_the_laplacian():
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[128, 128] = 255
    # One white pixel: the Laplacian is -4 there and 1 at its four neighbours, on 254 x 254 places.
    count = 254 * 254
    assert measure_quality(rgb).sharpness == pytest.approx(255**2 * 20 / count, rel=1e-3)


def test_an_even_picture_has_nothing_in_it():
    quality = measure_quality(np.full((50, 70, 3), 51, np.uint8))
    assert quality.sharpness == pytest.approx(0, abs=1e-6)
    assert quality.contrast == pytest.approx(0, abs=1e-6)
    assert quality.brightness == pytest.approx(0.2, abs=1e-3)
    assert quality.saturation == 0
    assert quality.entropy_bits == 0


def test_colour_and_light():
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 200
    assert measure_quality(red).saturation == pytest.approx(1)
    halves = np.zeros((256, 256, 3), np.uint8)
    halves[:, 128:] = 255
    quality = measure_quality(halves)
    assert quality.brightness == pytest.approx(0.5)
    assert quality.contrast == pytest.approx(0.5)
    assert quality.entropy_bits == pytest.approx(1)


def test_the_size_of_the_file_hardly_matters():
    small, large = (
        measure_quality(drawn(256, 192)),
        measure_quality(
            np.asarray(Image.fromarray(drawn(256, 192)).resize((1024, 768), Image.Resampling.BICUBIC))
        ),
    )
    assert large.sharpness == pytest.approx(small.sharpness, rel=0.3)
    assert large.brightness == pytest.approx(small.brightness, abs=0.01)


def test_a_small_sharp_picture_is_not_blurred_by_measuring_it():
    """Enlarging to 256 px first called 640 of 2,600 sharp photographs of 128 px too blurred."""
    large = drawn(256, 256)
    small = np.asarray(Image.fromarray(large).resize((96, 96), Image.Resampling.LANCZOS))
    assert measure_quality(small).sharpness >= measure_quality(large).sharpness
    # One white pixel, at the picture's own size: the variance is that of the Laplacian there.
    point = np.zeros((66, 66, 3), np.uint8)
    point[33, 33] = 255
    assert measure_quality(point).sharpness == pytest.approx(255**2 * 20 / 64**2, rel=1e-3)


def test_a_strip_too_thin_for_a_laplacian_is_measured_anyway():
    for shape in ((2, 40, 3), (40, 1, 3), (1, 1, 3)):
        assert measure_quality(np.zeros(shape, np.uint8)).sharpness == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(256, 256), (256, 192), (129, 256), (63, 65), (5, 3), (3, 3)])
def test_the_measures_are_those_of_their_definitions(shape: tuple[int, int]):
    """The fast way against the plain one, in float64."""
    rgb = np.random.default_rng(shape[0]).integers(0, 256, (*shape, 3), dtype=np.uint8)
    rgb[: shape[0] // 2] //= 3
    levels = rgb.astype(np.int64) @ np.array([299, 587, 114])
    grey = levels / 1000
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    counts = np.bincount((levels.ravel() + 500) // 1000)
    shares = counts[counts > 0] / grey.size
    highest, lowest = (rgb.max(axis=2).astype(float), rgb.min(axis=2).astype(float))
    quality = measure_quality(rgb)
    assert quality.sharpness == pytest.approx(laplacian.var(), rel=1e-5, abs=1e-9)
    assert quality.brightness == pytest.approx(grey.mean() / 255, rel=1e-6)
    assert quality.contrast == pytest.approx(grey.std() / 255, rel=1e-5)
    assert quality.saturation == pytest.approx(((highest - lowest) / np.maximum(highest, 1)).mean(), rel=1e-5)
    assert quality.entropy_bits == pytest.approx(-(shares * np.log2(shares)).sum(), rel=1e-9)


def test_measuring_one_picture_leaves_nothing_behind_for_the_next():
    pictures = [drawn(256, 256), drawn(64, 40), drawn(200, 256)]
    first = [measure_quality(picture) for picture in pictures]
    assert [measure_quality(picture) for picture in reversed(pictures)] == first[::-1]
