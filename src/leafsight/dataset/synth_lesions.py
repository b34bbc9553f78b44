"""What a condition does to the blade: spots, pustules, mildew, blight, mosaic.

Each function paints onto the blade's colour. ``severity`` runs from 0.15 (easily missed) to 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leafsight.dataset.synth_leaf import Blade
from leafsight.dataset.synth_noise import Plane, cloud, smooth_noise, soft_step

Colour = NDArray[np.float32]
Painter = Callable[[Colour, Blade, np.random.Generator, float], Colour]


def _mix(colour: Colour, other: tuple[float, float, float], amount: Plane) -> Colour:
    return colour + amount[..., None] * (np.asarray(other, np.float32) - colour)


def _centres(
    blade: Blade, rng: np.random.Generator, count: int, bias_to_margin: float = 0.0
) -> NDArray[np.intp]:
    weight = blade.inside * np.exp(-bias_to_margin * blade.depth / 0.05)
    flat = weight.ravel().astype(np.float64)
    return rng.choice(flat.size, size=count, p=flat / flat.sum())


def _blots(
    blade: Blade, rng: np.random.Generator, count: int, radius: tuple[float, float], bias: float = 0.0
) -> Plane:
    """Nearness to the closest of some centres: 1 at a centre, 0 at its ragged edge, negative beyond."""
    side_px = blade.along.shape[0]
    rows, columns = np.divmod(_centres(blade, rng, count, bias), side_px)
    y, x = np.mgrid[0:side_px, 0:side_px].astype(np.float32)
    ragged = 1 + 0.22 * smooth_noise(rng, side_px, 24)
    best = np.full((side_px, side_px), -9.0, np.float32)
    for row, column in zip(rows, columns, strict=True):
        size_px = float(np.exp(rng.uniform(np.log(radius[0]), np.log(radius[1])))) * blade.length_px
        stretch = rng.uniform(0.75, 1.3)
        distance = np.hypot((x - column) * stretch, (y - row) / stretch) / max(size_px, 0.7)
        np.maximum(best, 1 - distance * ragged, out=best)
    return best


def leaf_spot(colour: Colour, blade: Blade, rng: np.random.Generator, severity: float) -> Colour:
    """Round brown spots with a darker ring, a pale centre and a yellow halo."""
    near = _blots(blade, rng, int(2 + 16 * severity), (0.018, 0.055))
    colour = _mix(colour, (178, 168, 62), 0.7 * soft_step(near, -0.9, 0.9))
    colour = _mix(colour, (72, 46, 28), 0.95 * soft_step(near, 0.0, 0.12))
    return _mix(colour, (146, 112, 78), 0.85 * soft_step(near, 0.42, 0.25))


def rust(colour: Colour, blade: Blade, rng: np.random.Generator, severity: float) -> Colour:
    """Many small raised orange pustules, with little halo."""
    near = _blots(blade, rng, int(10 + 80 * severity), (0.005, 0.014))
    colour = _mix(colour, (168, 150, 60), 0.5 * soft_step(near, -1.2, 1.2))
    colour = _mix(colour, (176, 84, 24), 0.95 * soft_step(near, -0.05, 0.3))
    return _mix(colour, (214, 128, 52), 0.7 * soft_step(near, 0.5, 0.3))


def powdery_mildew(colour: Colour, blade: Blade, rng: np.random.Generator, severity: float) -> Colour:
    """White to grey felt in patches that lets the green through."""
    side_px = blade.along.shape[0]
    near = _blots(blade, rng, int(2 + 7 * severity), (0.07, 0.2))
    felt = soft_step(near, -0.1, 0.9) * np.clip(0.62 + 0.3 * cloud(rng, side_px, 40, 2), 0, 1)
    return _mix(colour, (214, 216, 206), (0.45 + 0.45 * severity) * felt)


def blight(colour: Colour, blade: Blade, rng: np.random.Generator, severity: float) -> Colour:
    """Large brown dead areas that start at the margin, with a wet-looking dark front."""
    side_px = blade.along.shape[0]
    near = _blots(blade, rng, int(1 + 3 * severity), (0.10, 0.16 + 0.2 * severity), bias=1.5)
    colour = _mix(colour, (126, 132, 60), 0.8 * soft_step(near, -0.35, 0.35))
    colour = _mix(colour, (60, 54, 34), 0.9 * soft_step(near, -0.03, 0.1))
    rings = 0.5 + 0.5 * np.sin(near * 26)
    dead = soft_step(near, 0.08, 0.12) * np.clip(
        0.75 + 0.15 * cloud(rng, side_px, 20, 3) + 0.15 * rings, 0, 1
    )
    return _mix(colour, (138, 104, 66), 0.9 * dead)


def mosaic(colour: Colour, blade: Blade, rng: np.random.Generator, severity: float) -> Colour:
    """Yellow-green mottling bounded by the veins; nothing is dead."""
    side_px = blade.along.shape[0]
    field = cloud(rng, side_px, 9, 3) - 0.9 * blade.vein
    pale = soft_step(field, 0.15 - 0.5 * severity, 0.35)
    return _mix(colour, (190, 196, 84), (0.35 + 0.45 * severity) * pale)


def healthy(colour: Colour, blade: Blade, rng: np.random.Generator, severity: float) -> Colour:
    """Nothing but dust, a scratch or a speck: a healthy leaf is not a clean leaf."""
    if rng.random() < 0.5:
        near = _blots(blade, rng, int(rng.integers(1, 4)), (0.004, 0.012))
        colour = _mix(colour, (112, 96, 66), 0.7 * soft_step(near, 0.0, 0.3))
    return colour


CONDITIONS: dict[str, Painter] = {
    "healthy": healthy,
    "Leaf_spot": leaf_spot,
    "Rust": rust,
    "Powdery_mildew": powdery_mildew,
    "Blight": blight,
    "Mosaic": mosaic,
}
