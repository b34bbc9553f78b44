from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leafsight.images.regions import fill_holes, keep_large_regions, open_by_one

masks = arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14)))


def flooded(mask: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    """The 4-connected region of one pixel, the slow and obvious way."""
    found, waiting = np.zeros_like(mask), [start]
    while waiting:
        y, x = waiting.pop()
        if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not found[y, x]:
            found[y, x] = True
            waiting += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return found


def all_regions(mask: np.ndarray) -> list[np.ndarray]:
    left, found = mask.copy(), []
    while left.any():
        y, x = np.argwhere(left)[0]
        found.append(flooded(mask, (int(y), int(x))))
        left &= ~found[-1]
    return found


def at_border(mask: np.ndarray) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


@settings(deadline=None)
@given(masks, st.floats(0, 1))
def test_large_regions_are_kept(mask, share):
    expected = np.zeros_like(mask)
    regions = all_regions(mask)
    for region in regions:
        if region.sum() >= share * max(other.sum() for other in regions):
            expected |= region
    assert (keep_large_regions(mask, share) == expected).all()


@settings(deadline=None)
@given(masks)
def test_holes_are_filled(mask):
    expected = mask.copy()
    for region in all_regions(~mask):
        if not at_border(region):
            expected |= region
    assert (fill_holes(mask) == expected).all()


def test_a_snake_and_a_spiral_are_one_region():
    snake = np.ones((9, 9), np.bool_)
    snake[1::4, :-1] = False
    snake[3::4, 1:] = False
    assert (keep_large_regions(snake, 1.0) == snake).all()


def test_opening_takes_what_is_thin():
    mask = np.zeros((12, 12), np.bool_)
    mask[2:7, 2:7] = True
    mask[9, :] = True
    mask[0:2, 11] = True
    expected = np.zeros_like(mask)
    expected[2:7, 2:7] = True
    assert (open_by_one(mask) == expected).all()
