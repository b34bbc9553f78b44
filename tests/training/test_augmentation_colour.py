"""Light and colour, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from leafsight.training.augmentation_colour import (
    ColourOptions,
    change_colours,
    change_gamma,
    chroma_matrices,
    draw_light,
    light_unevenly,
)
from leafsight.training.draws import Draws


def draws(count: int, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), count)


def pictures(count: int = 4) -> torch.Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(9)) * 255


def test_defaults_change_nothing() -> None:
    images = pictures()
    assert torch.allclose(change_colours(images, draws(4), ColourOptions()), images, atol=1e-3)


def test_brightness_is_a_gain() -> None:
    images = pictures()
    changed = change_colours(images, draws(4), ColourOptions(probability=1, brightness=(1.5, 1.5)))
    assert torch.allclose(changed, images * 1.5, rtol=1e-3, atol=0.01)


def test_contrast_keeps_the_mean_and_scales_the_spread() -> None:
    # The mean is taken of every fourth pixel: a picture made of 4x4 blocks has the same one.
    images = pictures()[:, :, ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3)
    changed = change_colours(images, draws(4), ColourOptions(probability=1, contrast=(0.5, 0.5)))
    assert torch.allclose(changed.mean((2, 3)), images.mean((2, 3)), atol=0.01)
    assert torch.allclose(changed.std((2, 3)), images.std((2, 3)) / 2, rtol=1e-3)


def test_grey_stays_grey_under_any_hue_and_saturation() -> None:
    turn = chroma_matrices(torch.tensor([0.7, -2.0]), torch.tensor([0.3, 1.8]))
    assert torch.allclose(turn @ torch.ones(3), torch.ones(2, 3), atol=1e-3)


def test_no_saturation_leaves_the_luma() -> None:
    matrix = chroma_matrices(torch.zeros(1), torch.zeros(1))[0]
    assert torch.allclose(matrix, torch.tensor([0.299, 0.587, 0.114]).expand(3, 3), atol=1e-3)


def test_a_whole_turn_of_the_hue_comes_back() -> None:
    third = chroma_matrices(torch.tensor([2 * math.pi / 3]), torch.ones(1))[0]
    assert torch.allclose(third @ third @ third, torch.eye(3), atol=1e-3)


def test_a_small_hue_shift_moves_a_leaf_green_little() -> None:
    green = torch.tensor([90.0, 130.0, 60.0])
    moved = chroma_matrices(torch.deg2rad(torch.tensor([8.0])), torch.ones(1))[0] @ green
    assert 1 < float((moved - green).abs().max()) < 15


def test_temperature_moves_red_against_blue() -> None:
    images = torch.full((200, 3, 8, 8), 100.0)
    changed = change_colours(images, draws(200), ColourOptions(probability=1, temperature=0.3))[:, :, 0, 0]
    assert torch.allclose(changed[:, 1], torch.full((200,), 100.0), atol=0.01)
    assert torch.allclose(changed[:, 0] * changed[:, 2], torch.full((200,), 1e4), rtol=1e-3)
    assert float(changed[:, 0].max()) == pytest.approx(100 * math.exp(0.3), rel=0.05)


def test_pictures_that_are_not_chosen_stay() -> None:
    images = pictures(100)
    options = ColourOptions(probability=0.5, brightness=(2, 2), greyscale_probability=1, offset=20)
    same = (
        ((change_colours(images, draws(100), options) - images).abs().amax((1, 2, 3)) < 1e-3).float().mean()
    )
    assert 0.35 < float(same) < 0.65


def test_gamma_bends_between_fixed_ends() -> None:
    images = torch.tensor([0.0, 127.5, 255.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4).clone()
    changed = change_gamma(images, draws(1), ColourOptions(gamma_probability=1, gamma=(2, 2)))
    assert changed[0, :, 0, 0].tolist() == pytest.approx([0, 63.75, 255], abs=0.01)


def test_light_is_positive_smooth_and_bounded() -> None:
    options = ColourOptions(
        light_probability=1, gradient=0.3, vignette=0.3, shadow_probability=1, shadow=(0.5, 0.5)
    )
    light = draw_light(draws(300), options)
    assert light.shape == (300, 1, 16, 16)
    most = math.exp(0.3 * math.sqrt(2))
    assert (
        math.exp(-0.3 * math.sqrt(2) - 0.3 - 0.5) - 1e-4
        <= float(light.min())
        < float(light.max())
        <= most + 1e-4
    )
    assert float((light[:, :, 1:] - light[:, :, :-1]).abs().max()) < 0.6


def test_uneven_light_changes_a_share_of_the_pictures() -> None:
    images = torch.full((100, 3, 32, 32), 100.0)
    lit = light_unevenly(images.clone(), draws(100), ColourOptions(light_probability=0.3, gradient=0.5))
    changed = (lit != images).flatten(1).any(1).float().mean()
    assert 0.15 < float(changed) < 0.45
    # Light has no colour of its own here: the channels stay equal.
    assert torch.allclose(lit[:, 0], lit[:, 2])
