from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.images.drawn_pictures import drawn

from leafsight.images import resize
from leafsight.images.resizing import FILTERS, WEIGHT_SUM, _triangle_weights

sides = st.integers(1, 90)


def by_pillow(rgb: np.ndarray, width: int, height: int, resample: str = "bilinear") -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize((width, height), FILTERS[resample]))


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(deadline=None, max_examples=60)
@given(width=sides, height=sides, wanted_width=sides, wanted_height=sides, seed=st.integers(0, 99))
def test_bilinear_is_pillows_within_rounding(width, height, wanted_width, wanted_height, seed):
    """On noise, the worst case: two levels at most (weights of 8 bits), well under one in the mean."""
    rgb = noise(width, height, seed)
    found = resize(rgb, wanted_width, wanted_height)
    difference = np.abs(found.astype(int) - by_pillow(rgb, wanted_width, wanted_height))
    assert found.shape == (wanted_height, wanted_width, 3)
    assert difference.max() <= 3
    assert difference.mean() <= 1


@pytest.mark.parametrize("side", [64, 128, 160, 224, 256, 300])
def test_photographs_differ_by_one_level_at_most(side):
    rgb = drawn(256, 256)
    difference = np.abs(resize(rgb, side, side).astype(int) - by_pillow(rgb, side, side))
    assert difference.max() <= 1
    assert difference.mean() <= 0.3


@pytest.mark.parametrize("resample", ["bicubic", "box", "lanczos"])
def test_other_filters_are_pillows(resample):
    rgb = noise(61, 47)
    assert (resize(rgb, 20, 30, resample) == by_pillow(rgb, 20, 30, resample)).all()


def test_shrinking_a_chessboard_is_antialiased():
    chessboard = np.indices((256, 256)).sum(axis=0) % 2 * 255
    rgb = np.repeat(chessboard[..., None], 3, axis=2).astype(np.uint8)
    found = resize(rgb, 60, 60)[2:-2, 2:-2].astype(int)
    assert abs(found - 127.5).max() < 12


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_an_even_picture_stays_exactly_even(level):
    rgb = np.full((97, 131, 3), level, np.uint8)
    for width, height in ((224, 224), (20, 33), (131, 10)):
        assert (resize(rgb, width, height) == level).all()


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 400), wanted=st.integers(1, 400))
def test_weights_are_whole_and_sum_to_256(size, wanted):
    weights = _triangle_weights(size, wanted)
    assert (weights >= 0).all()
    assert (weights == np.round(weights)).all()
    assert (weights.sum(axis=1) == WEIGHT_SUM).all()


def test_whole_number_arithmetic_has_no_rounding_error():
    """The same products in 64-bit integers: float32 must give the same bytes, on any processor."""
    rgb = noise(256, 256)
    vertical, horizontal = (_triangle_weights(256, side).astype(np.int64) for side in (100, 224))
    exact = np.einsum("yh,hwc,xw->yxc", vertical, rgb.astype(np.int64), horizontal, optimize=True)
    assert (resize(rgb, 224, 100) == (exact + 32768) // 65536).all()


def test_extreme_shrinking_goes_to_pillow():
    rgb = noise(900, 40)
    assert (resize(rgb, 10, 10) == by_pillow(rgb, 10, 10)).all()


def test_the_same_size_is_the_same_picture():
    rgb = noise(30, 20)
    assert (resize(rgb, 30, 20) == rgb).all()


def test_views_that_are_not_contiguous_are_resized_too():
    rgb = noise(90, 80)
    for view in (rgb[5:70, 7:60], rgb[::-1], rgb.transpose(1, 0, 2), rgb[..., ::-1]):
        height, width, _ = view.shape
        assert (resize(view, 31, 37) == resize(np.ascontiguousarray(view), 31, 37)).all()
        assert resize(view, width, height).flags.c_contiguous


def test_results_do_not_share_the_scratch_memory():
    first = resize(noise(64, 64, 1), 32, 32)
    copy = first.copy()
    resize(noise(64, 64, 2), 32, 32)
    assert (first == copy).all()


def test_threads_do_not_share_the_scratch_memory():
    pictures = [noise(128, 128, seed) for seed in range(8)]
    expected = [resize(rgb, 64, 64) for rgb in pictures]
    right = [0] * len(pictures)

    def work(place: int) -> None:
        right[place] = sum((resize(pictures[place], 64, 64) == expected[place]).all() for _ in range(30))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [30] * len(pictures)
