"""Backgrounds that nobody photographed: soil, grass, blotches, gradients and plain paper.

Enters: a seed. Leaves: uint8 pictures ``[n, S, S, 3]``. They need not fool a person; they only have to differ
from the table under the laboratory's leaves. It does not know leaves.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

# Three colours each, dark to light, picked by eye: earths, dry grass, meadow, shade, stone, wood, sky, cloth.
PALETTES = np.array(
    [
        [[52, 36, 28], [121, 85, 62], [186, 150, 118]],
        [[78, 40, 28], [156, 86, 58], [214, 150, 112]],
        [[40, 38, 34], [98, 92, 84], [168, 160, 148]],
        [[84, 70, 38], [158, 138, 82], [220, 204, 150]],
        [[22, 44, 18], [74, 112, 44], [150, 180, 96]],
        [[14, 30, 20], [50, 84, 58], [120, 150, 124]],
        [[46, 64, 30], [128, 146, 62], [206, 206, 120]],
        [[70, 72, 76], [136, 138, 140], [206, 206, 202]],
        [[58, 36, 20], [120, 80, 46], [178, 134, 88]],
        [[96, 128, 164], [160, 188, 214], [236, 240, 244]],
        [[70, 48, 44], [170, 124, 104], [226, 188, 166]],
    ],
    dtype=np.float32,
)
GREENS = (3, 4, 5, 6)
NOISE_LEVELS = 6.0  # finest grain, grey levels: no real picture is perfectly smooth


def draw_textures(count: int, side_px: int, seed: int) -> UInt8[np.ndarray, "{count} {side_px} {side_px} 3"]:
    """Draw textures of all kinds in turn; the same seed gives the same pictures on any machine."""
    kinds = (_ground, _grass, _blotches, _paper, _gradient)
    drawn = np.empty((count, side_px, side_px, 3), np.uint8)
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        picture = kinds[i % len(kinds)](rng, side_px)
        picture += rng.normal(0, rng.uniform(0, NOISE_LEVELS), picture.shape)
        drawn[i] = picture.clip(0, 255)
    return drawn


def _ground(rng: np.random.Generator, side: int) -> Float[np.ndarray, "side side 3"]:
    rough = _power_noise(rng, side, rng.uniform(0.7, 1.2))
    broad = _power_noise(rng, side, rng.uniform(1.4, 2.0))
    return _coloured(rng, 0.6 * rough + 0.4 * broad, int(rng.choice([0, 1, 2, 3, 7])))


def _grass(rng: np.random.Generator, side: int) -> Float[np.ndarray, "side side 3"]:
    blades = _power_noise(rng, side, 1.2, stretch=rng.uniform(3, 10), angle=rng.uniform(0, np.pi))
    crossing = _power_noise(rng, side, 1.2, stretch=rng.uniform(3, 10), angle=rng.uniform(0, np.pi))
    return _coloured(rng, np.maximum(blades, crossing), int(rng.choice(GREENS)))


def _blotches(rng: np.random.Generator, side: int) -> Float[np.ndarray, "side side 3"]:
    first = _coloured(rng, _power_noise(rng, side, rng.uniform(1, 2)), int(rng.integers(len(PALETTES))))
    second = _coloured(rng, _power_noise(rng, side, rng.uniform(1, 2)), int(rng.integers(len(PALETTES))))
    edge = 1 / (1 + np.exp(-6 * _power_noise(rng, side, 2.0)))[..., None]
    return np.asarray(first * edge + second * (1 - edge), np.float32)


def _paper(rng: np.random.Generator, side: int) -> Float[np.ndarray, "side side 3"]:
    grey, tint = rng.uniform(20, 250), rng.normal(0, rng.choice([4, 40]), 3)
    shade = _power_noise(rng, side, 2.5) * rng.uniform(0, 12)
    return np.asarray(grey + tint + shade[..., None], np.float32)


def _gradient(rng: np.random.Generator, side: int) -> Float[np.ndarray, "side side 3"]:
    line = np.linspace(-1, 1, side, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * line + np.sin(angle) * line[:, None]
    return _coloured(rng, slope * 1.5, int(rng.integers(len(PALETTES))))


def _coloured(rng: np.random.Generator, height: np.ndarray, palette: int) -> Float[np.ndarray, "side side 3"]:
    colours = PALETTES[palette] * rng.uniform(0.6, 1.25) + rng.normal(0, 8, (3, 3))
    picture = [np.interp(height, (-1.5, 0, 1.5), colours[:, channel]) for channel in range(3)]
    return np.stack(picture, -1).astype(np.float32)


def _power_noise(
    rng: np.random.Generator, side: int, exponent: float, stretch: float = 1.0, angle: float = 0.0
) -> Float[np.ndarray, "side side"]:
    """Noise whose amplitude falls as frequency to the minus exponent (natural scenes: about 1, Field 1987).

    Zero mean and unit variance; ``stretch`` draws it out along ``angle``.
    """
    down, across = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    along = np.cos(angle) * across + np.sin(angle) * down
    athwart = np.cos(angle) * down - np.sin(angle) * across
    frequency = np.hypot(along * stretch, athwart)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) / frequency**exponent
    noise = np.fft.irfft2(spectrum, s=(side, side))
    return np.asarray(noise / max(float(noise.std()), 1e-9), np.float32)
