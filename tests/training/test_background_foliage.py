"""Soft masks, moved leaves, and strewn foliage."""

from __future__ import annotations

import numpy as np
import torch
from tests.training.leaf_bank import LEAF, PLAIN_ROWS, SIDE_PX, TABLE, leaf_shape, make_bank

from leafsight.training.augmentation_geometry import affine
from leafsight.training.background_foliage import cut_leaves, draw_foliage, soft_masks, warp_with_alpha

CPU = torch.device("cpu")


def test_soft_masks_rise_inside_the_leaf() -> None:
    soft = soft_masks(make_bank(), PLAIN_ROWS[:1], CPU)[0, 0].numpy()
    assert soft.shape == (SIDE_PX, SIDE_PX)
    assert (soft[~leaf_shape()] < 0.2).all()
    assert soft[16, 16] == 1
    middle = soft[16]
    assert (np.diff(middle[:16]) >= 0).all()
    assert ((middle > 0) & (middle < 1)).sum() >= 2


def test_a_leaf_cut_by_the_frame_stays_whole_there() -> None:
    bank = make_bank()
    bank.masks[0] = np.packbits(np.pad(np.ones((SIDE_PX, 16), np.uint8), ((0, 0), (16, 0))).reshape(-1))
    soft = soft_masks(bank, np.array([0]), CPU)[0, 0]
    assert (soft[:, -1] == 1).all()
    assert soft[0, 24] == 1


def test_nothing_is_leaf_outside_of_the_photograph() -> None:
    leaves, _ = cut_leaves(make_bank(), PLAIN_ROWS[:1], CPU)
    full = torch.ones(1, 1, SIDE_PX, SIDE_PX)
    moved = warp_with_alpha(leaves, full, affine(torch.zeros(1, 2), torch.full((1, 2), 2.0)))
    assert float(moved[0, 3, 0, 0]) == 0
    assert float(moved[0, 3, 16, 16]) == 1
    assert float(moved[0, 3].mean()) == 0.25


def test_foliage_shows_leaves_over_textures() -> None:
    drawn = draw_foliage(make_bank(), PLAIN_ROWS, 40, seed=3)
    assert drawn.shape == (40, SIDE_PX, SIDE_PX, 3)
    assert np.array_equal(drawn, draw_foliage(make_bank(), PLAIN_ROWS, 40, seed=3))

    def share_of(colour: tuple[int, int, int], pictures: np.ndarray) -> float:
        pixels = pictures.reshape(-1, 3) / pictures.reshape(-1, 3).sum(1, keepdims=True).clip(1)
        return float((np.abs(pixels - np.array(colour) / sum(colour)).sum(1) < 0.2).mean())

    textures = make_bank().pictures("texture", np.arange(160))
    assert share_of(LEAF, drawn) > share_of(LEAF, textures) + 0.2
    assert share_of(TABLE, drawn) < share_of(TABLE, textures)
