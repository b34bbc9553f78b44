"""One drawn leaf: outline, venation, colour and relief in its own coordinates.

A leaf lives in coordinates (along, across): ``along`` runs from 0 at the petiole to 1 at the tip,
``across`` is the signed distance from the midrib in units of the leaf's length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leafsight.dataset.synth_noise import Plane, cloud, smooth_noise, soft_step


@dataclass(frozen=True, slots=True)
class LeafShape:
    """What makes one crop's leaf look different from another's.

    Attributes:
        half_width: largest distance from the midrib, in leaf lengths.
        base, tip: exponents of the outline ``along**base * (1 - along)**tip``; a small exponent is blunt.
        teeth, tooth_depth: number of marginal teeth per side and their depth as a share of the width.
        lobes, lobe_depth: the same for large lobes.
        veins, vein_slope: pairs of side veins and how steeply they run to the tip.
        colour: RGB 0..255 of a healthy blade.
        gloss: 0 (matt) to 1.
    """

    half_width: float
    base: float
    tip: float
    teeth: int
    tooth_depth: float
    lobes: int
    lobe_depth: float
    veins: int
    vein_slope: float
    colour: tuple[float, float, float]
    gloss: float


SHAPES: dict[str, LeafShape] = {
    "Roundleaf": LeafShape(0.40, 0.45, 0.60, 26, 0.05, 0, 0.0, 6, 0.8, (74, 118, 52), 0.25),
    "Lanceleaf": LeafShape(0.17, 0.60, 0.85, 0, 0.0, 0, 0.0, 10, 1.5, (88, 132, 58), 0.55),
    "Heartleaf": LeafShape(0.42, 0.28, 1.05, 0, 0.0, 0, 0.0, 5, 1.0, (66, 126, 62), 0.35),
    "Lobeleaf": LeafShape(0.38, 0.55, 0.80, 30, 0.05, 4, 0.42, 5, 1.1, (82, 120, 62), 0.15),
}


@dataclass(frozen=True, slots=True)
class Blade:
    """A leaf laid out on the picture; every plane is float32[side, side].

    Attributes:
        along, across: coordinates of each pixel.
        inside: 1 on the blade, 0 off it, soft at the margin.
        depth: distance from the margin, 0 at it and growing inwards, in leaf lengths.
        vein: 1 on a vein, 0 between.
        relief: brightness factor from folding and bulging, about 1.
        length_px: the leaf's length on the picture.
    """

    along: Plane
    across: Plane
    inside: Plane
    depth: Plane
    vein: Plane
    relief: Plane
    length_px: float


def lay_out(
    shape: LeafShape,
    leaf: np.random.Generator,
    side_px: int,
    *,
    centre: tuple[float, float],
    angle_rad: float,
    length: float,
    light_rad: float,
) -> Blade:
    """Place a leaf on a square picture.

    Args:
        shape: the crop's leaf.
        leaf: generator of the leaf's own features; the same seed gives the same leaf in another view.
        side_px: side of the picture.
        centre: centre of the leaf, as shares of the side.
        angle_rad: direction of the tip.
        length: leaf length as a share of the side.
        light_rad: direction the light comes from.
    """
    along, across = _coordinates(leaf, side_px, centre, angle_rad, length)
    half = _half_width(shape, leaf, along, across, side_px)
    depth = (half - np.abs(across)).astype(np.float32)
    inside = soft_step(depth, -0.6 / (side_px * length), 1.2 / (side_px * length))
    inside[(along <= 0.0) | (along >= 1.0)] = 0.0
    vein = _veins(shape, leaf, along, across, half, side_px)
    relief = _relief(shape, leaf, along, across, half, vein, angle_rad - light_rad, side_px)
    return Blade(along, across, inside, np.maximum(depth, 0), vein, relief, side_px * length)


def _coordinates(
    leaf: np.random.Generator, side_px: int, centre: tuple[float, float], angle_rad: float, length: float
) -> tuple[Plane, Plane]:
    axis = (np.arange(side_px, dtype=np.float32) + 0.5) / side_px
    x, y = axis[None, :] - centre[0], axis[:, None] - centre[1]
    along = (x * np.cos(angle_rad) + y * np.sin(angle_rad)) / length + 0.5
    across = (-x * np.sin(angle_rad) + y * np.cos(angle_rad)) / length
    bend = leaf.uniform(-0.25, 0.25)
    across = across + bend * (along - 0.5) ** 2
    return along.astype(np.float32), across.astype(np.float32)


def _half_width(
    shape: LeafShape, leaf: np.random.Generator, along: Plane, across: Plane, side_px: int
) -> Plane:
    t = np.clip(along, 1e-4, 1 - 1e-4)
    profile = t**shape.base * (1 - t) ** shape.tip
    peak = shape.base / (shape.base + shape.tip)
    profile /= peak**shape.base * (1 - peak) ** shape.tip
    half = shape.half_width * leaf.uniform(0.85, 1.15) * profile
    side = np.sign(across)
    if shape.lobes:
        phase = leaf.uniform(0, 0.2) + 0.06 * side
        half = half * (
            1 - shape.lobe_depth * np.abs(np.sin(np.pi * shape.lobes * (t + phase))) ** 0.7 * (1 - t**4)
        )
    if shape.teeth:
        saw = (t * shape.teeth + 0.25 * side) % 1.0
        half = half * (1 - shape.tooth_depth * saw)
    ragged = 0.03 * smooth_noise(leaf, side_px, 8)
    return (half * (1 + ragged)).astype(np.float32)


def _veins(
    shape: LeafShape, leaf: np.random.Generator, along: Plane, across: Plane, half: Plane, side_px: int
) -> Plane:
    thin = 1.3 / side_px
    midrib = np.exp(-((across / (thin + 0.008 * (1 - np.clip(along, 0, 1)))) ** 2))
    reach = np.abs(across) / np.maximum(half, 1e-3)
    # A side vein leaves the midrib at a fixed step and curves to the tip: constant (along - slope * across).
    phase = (along - shape.vein_slope * np.abs(across) * (1 + 0.25 * reach)) * shape.veins + leaf.uniform(
        0, 1
    )
    phase = phase + np.where(across > 0, 0.18, 0.0) + 0.04 * smooth_noise(leaf, side_px, 10)
    distance = np.abs(phase - np.round(phase)) / shape.veins
    width = thin * (1.15 - 0.75 * np.clip(reach, 0, 1))
    side_veins = np.exp(-((distance / np.maximum(width, 1e-4)) ** 2)) * (reach < 1.02)
    net = np.abs(cloud(leaf, side_px, 26, 2))
    fine = 0.22 * np.exp(-((net / 0.12) ** 2))
    return np.asarray(np.clip(np.maximum(np.maximum(midrib, 0.75 * side_veins), fine), 0, 1), np.float32)


def _relief(
    shape: LeafShape,
    leaf: np.random.Generator,
    along: Plane,
    across: Plane,
    half: Plane,
    vein: Plane,
    light_rad: float,
    side_px: int,
) -> Plane:
    fold = leaf.uniform(0.05, 0.22) * np.sin(light_rad)
    halves = 1 + fold * np.tanh(across / 0.04)
    quilt = 1 + 0.06 * np.cos(2 * np.pi * shape.veins * (along - shape.vein_slope * np.abs(across)))
    bulge = 1 + 0.10 * smooth_noise(leaf, side_px, 5)
    curl = 1 - 0.25 * np.clip(np.abs(across) / np.maximum(half, 1e-3), 0, 1) ** 4
    return np.asarray(halves * quilt * bulge * curl * (1 - 0.05 * vein), np.float32)


def healthy_colour(shape: LeafShape, blade: Blade, leaf: np.random.Generator) -> NDArray[np.float32]:
    """The blade's own colour before light and lesions; float32[side, side, 3] in 0..255."""
    side_px = blade.along.shape[0]
    tone = np.asarray(shape.colour, np.float32) * np.exp(leaf.normal(0, 0.10)) + leaf.normal(0, 6, 3)
    patches = 1 + 0.07 * cloud(leaf, side_px, 5)
    colour = tone[None, None, :].astype(np.float32) * patches[..., None]
    pale = np.asarray([150, 172, 104], np.float32)
    colour = colour + (0.55 * blade.vein)[..., None] * (pale - colour)
    age = leaf.uniform(0, 0.25)
    rim = np.exp(-blade.depth / 0.03) * age
    painted = colour + rim[..., None] * (np.asarray([150, 140, 70], np.float32) - colour)
    return np.asarray(painted, np.float32)
