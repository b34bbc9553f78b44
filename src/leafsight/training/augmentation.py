"""Batch augmentation: pictures at the cache's side in, changed pictures at the network's side out.

Everything runs on tensors where the pictures are. Enters: uint8 or float 0..255. Leaves: float 0..255. It
does not know labels (``mixing`` changes those) nor leaf masks (``backgrounds`` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Float, Num
from pydantic import model_validator
from torch import Tensor

from leafsight.errors import TrainingError
from leafsight.training.augmentation_camera import (
    CameraOptions,
    add_noise,
    compress,
    erase,
    soften,
    swap_amplitudes,
)
from leafsight.training.augmentation_colour import (
    ColourOptions,
    change_colours,
    change_gamma,
    light_unevenly,
)
from leafsight.training.augmentation_geometry import GeometryOptions, draw_warps, warp_batch
from leafsight.training.augmentation_presets import PRESETS
from leafsight.training.draws import Draws, Options

PresetName = Literal["none", "light", "standard", "field"]


class AugmentationOptions(Options):
    """A preset and whatever is changed about it.

    Attributes:
        preset: where the values start: ``none`` only resizes; ``light`` and ``standard`` suit photographs
            like those that will be diagnosed; ``field`` is for laboratory photographs that must serve in the
            field.
        geometry: crop, zoom, rotation and so on.
        colour: light and colour.
        camera: softness, noise, compression, covered parts.
    """

    preset: PresetName = "standard"
    geometry: GeometryOptions = GeometryOptions()
    colour: ColourOptions = ColourOptions()
    camera: CameraOptions = CameraOptions()

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        preset = PRESETS.get(values.get("preset", "standard"), {})
        for part, defaults in preset.items():
            changed = values.get(part, {})
            values[part] = {**defaults, **changed} if isinstance(changed, Mapping) else changed
        return values


def augment_batch(
    images: Num[Tensor, "n channels height width"],
    options: AugmentationOptions,
    generator: torch.Generator,
    *,
    side_px: int,
) -> Float[Tensor, "n 3 {side_px} {side_px}"]:
    """Augment one batch.

    Args:
        images: uint8 or float, 0..255, square, any device and memory format; not changed.
        options: what to do how often and how strongly.
        generator: source of every draw; the same state gives the same result on the same device.
        side_px: side of the result.

    Returns:
        Float32 0..255, a new contiguous tensor.

    Raises:
        TrainingError: the pictures are not square RGB.
    """
    count, channels, height, width = images.shape
    if channels != 3 or height != width:
        raise TrainingError(f"augmentation wants square RGB pictures, not {tuple(images.shape)}")
    draws = Draws(generator, count)
    warped = _warp(images, draws, options.geometry, side_px)
    camera, colour = options.camera, options.colour
    if camera.fourier_probability:
        swap_amplitudes(warped, draws, camera)
    if colour.probability:
        warped = change_colours(warped, draws, colour)
    if colour.light_probability:
        light_unevenly(warped, draws, colour)
    if colour.gamma_probability:
        change_gamma(warped.clamp_(0, 255), draws, colour)
    return _photograph(warped, draws, camera).clamp_(0, 255)


def _warp(images: Tensor, draws: Draws, options: GeometryOptions, side_px: int) -> Tensor:
    warps = draw_warps(draws, options)
    filled = draws.chosen(options.fill_probability)
    return warp_batch(images, warps, side_px, filled, draws.muted_colours())


def _photograph(images: Tensor, draws: Draws, options: CameraOptions) -> Tensor:
    # In the order of a real camera: lens, sensor, file; what covers the leaf is put on last.
    if options.blur_probability or options.resolution_probability:
        soften(images, draws, options)
    if options.noise_probability:
        add_noise(images, draws, options)
    if options.jpeg_probability:
        compress(images.clamp_(0, 255), draws, options)
    if options.erase_probability:
        erase(images, draws, options)
    return images
