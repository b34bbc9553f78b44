"""Light and colour: one 3x3 matrix and offset for each picture, gamma, and uneven light.

Enters and leaves: float pictures 0..255. Colour is the signal of a disease, so hue moves by degrees, not by
turns; white balance and exposure, which differ between cameras, move freely. It knows no geometry.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from leafsight.training.draws import Draws, Options, PositiveRange, Probability, Range

# NTSC 1953 luma and chroma axes: hue is an angle and saturation a length in the plane of the last two.
RGB_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
YIQ_TO_RGB: Tensor = torch.linalg.inv(RGB_TO_YIQ)
LIGHT_GRID = 16  # nodes each way of the field of light, which has no finer detail


class ColourOptions(Options):
    """The ranges of light and colour; the defaults change nothing.

    Attributes:
        probability: share of pictures whose colours are changed by the matrix at all.
        brightness: gain.
        contrast: gain about the picture's mean colour.
        saturation: gain of the chroma.
        hue_degrees: largest turn of the hue, either way.
        temperature: largest log gain of red against blue: the colour of the light or the camera's guess at
            it.
        tint: largest log gain of green against magenta.
        offset: largest grey levels added to a channel on its own.
        greyscale_probability: share of pictures that lose all colour.
        gamma_probability: share of pictures that get another gamma.
        gamma: exponent, log-uniform.
        light_probability: share of pictures that get uneven light.
        gradient: largest log gain from the middle to an edge.
        vignette: largest log loss in the corners.
        shadow_probability: share of the unevenly lit pictures with soft shadows.
        shadow: log loss inside a shadow.
    """

    probability: Probability = 0.0
    brightness: PositiveRange = (1.0, 1.0)
    contrast: PositiveRange = (1.0, 1.0)
    saturation: Range = (1.0, 1.0)
    hue_degrees: float = Field(default=0.0, ge=0, le=180)
    temperature: float = Field(default=0.0, ge=0, le=1)
    tint: float = Field(default=0.0, ge=0, le=1)
    offset: float = Field(default=0.0, ge=0, le=128)
    greyscale_probability: Probability = 0.0
    gamma_probability: Probability = 0.0
    gamma: PositiveRange = (1.0, 1.0)
    light_probability: Probability = 0.0
    gradient: float = Field(default=0.0, ge=0, le=2)
    vignette: float = Field(default=0.0, ge=0, le=2)
    shadow_probability: Probability = 0.0
    shadow: Range = (0.0, 0.0)


def change_colours(images: Tensor, draws: Draws, options: ColourOptions) -> Tensor:
    """All of brightness, contrast, saturation, hue, white balance, offset and greyscale in one product.

    Args:
        images: float ``[n, 3, h, w]`` 0..255.
        draws: for as many pictures.
        options: the ranges.

    Returns:
        Float ``[n, 3, h, w]``, not clamped.
    """
    matrices, offsets, contrast = draw_colours(draws, options)
    count, _, height, width = images.shape
    mean = images[:, :, ::4, ::4].mean((2, 3)).unsqueeze(-1)
    matrices, offsets = matrices.to(images.device), offsets.to(images.device)
    contrast = contrast.to(images.device)[:, None, None]
    # Contrast about the mean of the changed picture, which is the changed mean because the change is linear.
    offsets = offsets + (1 - contrast) * (matrices @ mean)
    flat = images.reshape(count, 3, height * width)
    return torch.baddbmm(offsets, matrices * contrast, flat).view(count, 3, height, width)


def draw_colours(draws: Draws, options: ColourOptions) -> tuple[Tensor, Tensor, Tensor]:
    """The linear part of a change of colour.

    Returns:
        Matrices ``[n, 3, 3]`` before contrast, offsets ``[n, 3, 1]`` in grey levels, contrast ``[n]``.
    """
    gain = draws.log_uniform(*options.brightness)
    contrast = draws.log_uniform(*options.contrast)
    saturation = draws.uniform(*options.saturation)
    hue = torch.deg2rad(draws.uniform(-options.hue_degrees, options.hue_degrees))
    warmth = draws.uniform(-options.temperature, options.temperature)
    tint = draws.uniform(-options.tint, options.tint)
    offsets = draws.uniform(-options.offset, options.offset, 3).unsqueeze(-1)
    saturation = torch.where(draws.chosen(options.greyscale_probability), 0.0, saturation)
    balance = torch.stack([warmth - tint / 2, tint, -warmth - tint / 2], 1).exp()
    matrices = (gain[:, None] * balance)[:, :, None] * chroma_matrices(hue, saturation)
    kept = ~draws.chosen(options.probability)
    matrices[kept] = torch.eye(3, device=matrices.device)
    offsets[kept] = 0.0
    return matrices, offsets, torch.where(kept, 1.0, contrast)


def chroma_matrices(hue: Tensor, saturation: Tensor) -> Tensor:
    """RGB to RGB matrices ``[n, 3, 3]`` that turn the hue by ``hue [n]`` radians and scale the saturation."""
    turn = torch.zeros(len(hue), 3, 3, device=hue.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = saturation * hue.cos()
    turn[:, 2, 1] = saturation * hue.sin()
    turn[:, 1, 2] = -turn[:, 2, 1]
    return YIQ_TO_RGB.to(hue.device) @ turn @ RGB_TO_YIQ.to(hue.device)


def change_gamma(images: Tensor, draws: Draws, options: ColourOptions) -> Tensor:
    """Raise a share of the pictures to a power, in place; ``images`` must lie in 0..255."""
    index = draws.chosen(options.gamma_probability).nonzero().squeeze(1)
    exponents = draws.log_uniform(*options.gamma)[index].to(images.device)
    index = index.to(images.device)
    if len(index):
        bright = images[index].mul_(1 / 255).pow_(exponents[:, None, None, None]).mul_(255)
        images[index] = bright
    return images


def light_unevenly(images: Tensor, draws: Draws, options: ColourOptions) -> Tensor:
    """Multiply a share of the pictures, in place, by a smooth field: gradient, vignette and soft shadows."""
    index = draws.chosen(options.light_probability).nonzero().squeeze(1)
    field = draw_light(draws, options)[index].to(images.device)
    index = index.to(images.device)
    if len(index):
        field = F.interpolate(field, size=images.shape[-2:], mode="bilinear", align_corners=False)
        images[index] = images[index].mul_(field)
    return images


def draw_light(draws: Draws, options: ColourOptions) -> Tensor:
    """Gains of the light on a coarse grid.

    Returns:
        Float32 ``[n, 1, 16, 16]``, positive.
    """
    line = torch.linspace(-1, 1, LIGHT_GRID, device=draws.generator.device)
    angle = draws.uniform(0.0, 2 * math.pi)[:, None, None]
    slope = draws.uniform(0.0, options.gradient)[:, None, None]
    log_gain = slope * (angle.cos() * line + angle.sin() * line[:, None])
    radius = (line.square() + line[:, None].square()) / 2
    log_gain = log_gain - draws.uniform(0.0, options.vignette)[:, None, None] * radius
    # Shadows: a few waves of random field, cut softly at a random height, as leaves above throw them.
    coarse = F.interpolate(draws.normal(1, 5, 5), size=(LIGHT_GRID, LIGHT_GRID), mode="bicubic")[:, 0]
    cut = torch.sigmoid(6 * (coarse - draws.uniform(-0.3, 0.8)[:, None, None]))
    depth = draws.uniform(*options.shadow) * draws.chosen(options.shadow_probability)
    return (log_gain - depth[:, None, None] * cut).exp().unsqueeze(1)
