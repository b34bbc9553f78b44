"""The rest of the photograph: backdrop or field, shadow, light, camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leafsight.dataset.synth_leaf import SHAPES, healthy_colour, lay_out
from leafsight.dataset.synth_noise import Plane, blurred, cloud, smooth_noise, soft_step

Picture = NDArray[np.float32]

PAPERS = ((158, 150, 160), (176, 170, 166), (128, 124, 132), (196, 192, 188), (84, 86, 92))
SOILS = ((124, 88, 62), (150, 118, 88), (98, 80, 62), (136, 96, 74))


def lab_backdrop(rng: np.random.Generator, side_px: int) -> Picture:
    """A sheet of paper under a lamp; float32[side, side, 3] in 0..255."""
    tone = np.asarray(PAPERS[int(rng.integers(len(PAPERS)))], np.float32) + rng.normal(0, 5, 3)
    grain = 1 + 0.02 * rng.standard_normal((side_px, side_px)).astype(np.float32)
    shade = 1 + 0.08 * smooth_noise(rng, side_px, 2)
    return tone.astype(np.float32) * (grain * shade)[..., None]


def field_backdrop(rng: np.random.Generator, side_px: int) -> Picture:
    """Soil, litter and other leaves, mostly out of focus; float32[side, side, 3] in 0..255."""
    soil = np.asarray(SOILS[int(rng.integers(len(SOILS)))], np.float32)
    grain = 1 + 0.22 * cloud(rng, side_px, 6, 6)
    picture = soil * np.clip(grain, 0.3, 1.8)[..., None]
    grass = soft_step(cloud(rng, side_px, 4), rng.uniform(-0.9, 0.9), 0.5)
    green = (
        np.asarray([78, 108, 44], np.float32)
        * np.clip(1 + 0.35 * cloud(rng, side_px, 14, 4), 0.3, 1.8)[..., None]
    )
    picture = picture + grass[..., None] * (green - picture)
    for _ in range(int(rng.integers(2, 7))):
        picture = _with_leaf_behind(picture, rng, side_px)
    return blurred(picture, rng.uniform(0.2, 4.0) * side_px / 192)


def _with_leaf_behind(picture: Picture, rng: np.random.Generator, side_px: int) -> Picture:
    shape = list(SHAPES.values())[int(rng.integers(len(SHAPES)))]
    blade = lay_out(
        shape,
        rng,
        side_px,
        centre=(rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1)),
        angle_rad=rng.uniform(0, 2 * np.pi),
        length=rng.uniform(0.35, 0.8),
        light_rad=0.0,
    )
    colour = healthy_colour(shape, blade, rng) * (blade.relief * rng.uniform(0.45, 0.95))[..., None]
    return np.asarray(picture + blade.inside[..., None] * (colour - picture), np.float32)


def placed(
    colour: Picture, inside: Plane, *, angle_rad: float, scale: float, shift: tuple[float, float]
) -> tuple[Picture, Plane]:
    """Turn, scale and move a painted leaf on its sheet.

    Args:
        colour: float32[side, side, 3] in 0..255.
        inside: 1 on the blade, 0 off it.
        angle_rad: how far to turn it.
        scale: 1 keeps the size.
        shift: where the centre goes, as shares of the side.

    Returns:
        The same two planes in the new place.
    """
    side_px = inside.shape[0]
    cos, sin = np.cos(angle_rad) / scale, np.sin(angle_rad) / scale
    middle = side_px / 2
    x, y = middle + shift[0] * side_px, middle + shift[1] * side_px
    # Pillow wants the map from the new picture back to the old one.
    matrix = (cos, sin, middle - cos * x - sin * y, -sin, cos, middle + sin * x - cos * y)
    layers = np.dstack([np.clip(colour, 0, 255), inside * 255])
    moved = [
        Image.fromarray(np.ascontiguousarray(layers[..., layer])).transform(
            (side_px, side_px), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
        )
        for layer in range(4)
    ]
    planes = np.dstack([np.asarray(layer, np.float32) for layer in moved])
    return planes[..., :3], np.clip(planes[..., 3] / 255, 0, 1).astype(np.float32)


def cast_shadow(picture: Picture, inside: Plane, rng: np.random.Generator, strength: float) -> Picture:
    """Darken where the leaf keeps the light off what lies behind it."""
    side_px = picture.shape[0]
    shift = max(1, int(rng.uniform(0.01, 0.05) * side_px))
    moved = np.roll(inside, (shift, int(rng.choice([-shift, shift]))), axis=(0, 1))
    soft = blurred(np.repeat(moved[..., None] * 255, 3, axis=2), 0.012 * side_px)[..., 0] / 255
    return np.asarray(picture * (1 - strength * soft)[..., None], np.float32)


def photographed(picture: Picture, rng: np.random.Generator, *, field: bool) -> NDArray[np.uint8]:
    """What light and camera make of it: uneven light, colour cast, focus, noise; uint8[side, side, 3]."""
    side_px = picture.shape[0]
    wide = 1.0 if field else 0.35
    light: Plane = 1 + 0.16 * wide * smooth_noise(rng, side_px, 3)
    if field and rng.random() < 0.5:
        light = light * (1 - 0.4 * soft_step(cloud(rng, side_px, 3), rng.uniform(-0.5, 1.0), 0.2))
    cast = np.exp(rng.normal(0, 0.07 * wide, 3)).astype(np.float32)
    exposure = np.float32(np.exp(rng.normal(0.05, 0.20 * wide)))
    picture = picture * (light * exposure)[..., None] * cast
    picture = blurred(picture, abs(rng.normal(0.2, 0.45 * wide)) * side_px / 192)
    noise = rng.normal(0, rng.uniform(1, 3 + 5 * wide), picture.shape).astype(np.float32)
    gamma = float(np.exp(rng.normal(0, 0.12 * wide)))
    bright = np.clip((picture + noise) / 255, 0, 1) ** gamma * 255
    return np.clip(np.rint(bright), 0, 255).astype(np.uint8)
