from __future__ import annotations

import numpy as np
import pytest

from leafsight.evaluation.shortcut_views import (
    border_ring,
    centre_blurred,
    colour_histogram,
    eight_pixels,
    green_share_of_border,
    whole_thumbnail,
)

ALL = [eight_pixels, border_ring, centre_blurred, colour_histogram, whole_thumbnail]


def noise(n: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(("view", "width"), list(zip(ALL, [24, 180, 471, 216, 768], strict=True)))
def test_shape_range_and_type(view, width: int) -> None:
    features = view(noise())
    assert features.shape == (6, width)
    assert features.dtype == np.float32
    assert 0.0 <= features.min() <= features.max() <= 1.0


@pytest.mark.parametrize("view", [eight_pixels, border_ring])
def test_views_of_the_border_are_blind_to_the_middle(view) -> None:
    one = noise()
    other = one.copy()
    other[:, 2:30, 2:30] = 7
    assert np.array_equal(view(one), view(other))


def test_eight_pixels_are_corners_and_middles_of_sides() -> None:
    rgb = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    for row, column in [(0, 0), (0, 16), (0, 31), (16, 0), (16, 31), (31, 0), (31, 16), (31, 31)]:
        rgb[0, row, column] = 255
    assert (eight_pixels(rgb) == 1.0).all()
    assert rgb.sum() == 8 * 3 * 255


def test_a_blurred_centre_keeps_its_colour_and_loses_its_spots() -> None:
    one = noise(1)
    turned = one.copy()
    turned[:, 6:26, 6:26] = one[:, 6:26, 6:26][:, ::-1, ::-1]
    assert np.allclose(centre_blurred(one), centre_blurred(turned), atol=1e-6)
    turned[:, 6:26, 6:26] = 0
    assert not np.allclose(centre_blurred(one), centre_blurred(turned))


def test_colours_do_not_know_where_they_are() -> None:
    one = noise(3)
    shuffled = one.reshape(3, -1, 3)[:, np.random.default_rng(1).permutation(32 * 32)].reshape(one.shape)
    assert np.array_equal(colour_histogram(one), colour_histogram(shuffled))
    assert np.allclose((colour_histogram(one) ** 2).sum(axis=1), 1.0, atol=1e-5)


def test_green_border() -> None:
    grey = np.full((2, 32, 32, 3), 128, dtype=np.uint8)
    leaf_inside = grey.copy()
    leaf_inside[:, 4:28, 4:28] = (40, 160, 40)
    all_green = np.full((2, 32, 32, 3), (40, 160, 40), dtype=np.uint8)
    black = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    shares = [green_share_of_border(rgb) for rgb in (grey, leaf_inside, all_green, black)]
    assert shares == [0.0, 0.0, 1.0, 0.0]
