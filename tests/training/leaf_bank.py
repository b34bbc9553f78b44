"""A small cache of drawn leaves and the bank made of it, for the tests of background replacement."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from leafsight.training.backgrounds import BackgroundBank, build_bank

SIDE_PX = 32
PLAIN_ROWS, FIELD_ROWS, PLACE_ROWS = np.arange(0, 8), np.arange(8, 14), np.arange(14, 16)
HELD_OUT_ROWS = np.arange(16, 20)
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 0, 1, 2, 3])
LEAF, TABLE = (40, 160, 40), (150, 140, 150)


def leaf_shape() -> np.ndarray:
    """A disc in the middle, radius 9 of 32 px."""
    down, across = np.mgrid[:SIDE_PX, :SIDE_PX] - (SIDE_PX - 1) / 2
    return np.hypot(down, across) < 9


def draw_cache() -> np.ndarray:
    """Green discs on a grey table; field photographs are blue, places white, held-out ones pure red."""
    images = np.empty((20, SIDE_PX, SIDE_PX, 3), np.uint8)
    images[PLAIN_ROWS] = np.where(leaf_shape()[..., None], LEAF, TABLE)
    images[FIELD_ROWS] = (10, 20, 200)
    images[PLACE_ROWS] = (255, 255, 255)
    images[HELD_OUT_ROWS] = (255, 0, 0)
    return images


def cut_out(photo: np.ndarray) -> tuple[bool, np.ndarray | None]:
    """Knows the table's colour."""
    if tuple(photo[0, 0]) != TABLE:
        return False, None
    return True, (photo != np.array(TABLE)).any(-1)


def make_bank() -> BackgroundBank:
    """The bank of the rows that train; its masks and labels may be changed."""
    bank = _made_once()
    return replace(bank, masks=bank.masks.copy(), labels=bank.labels.copy())


@cache
def _made_once() -> BackgroundBank:
    return build_bank(
        draw_cache(),
        LABELS,
        np.arange(16),
        folder=None,
        fingerprint="drawn",
        not_a_leaf=[4],
        cut_out=cut_out,
        workers=1,
    )
