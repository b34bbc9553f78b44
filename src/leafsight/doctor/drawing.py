"""A picture with a leaf on it, for trying a model: the same bytes every time.

NumPy and the JPEG library of the base install draw it; ``dataset.draw_leaf`` draws better ones, and wants the
libraries of the extra train.
"""

from __future__ import annotations

import io

import numpy as np

SIDE_PX = 256


def drawn_leaf() -> bytes:
    """A JPEG of a green blade with veins and some brown spots on paper."""
    from PIL import Image

    y, x = np.mgrid[-1:1:SIDE_PX * 1j, -1:1:SIDE_PX * 1j]  # fmt: skip
    blade = np.abs(x) < 0.62 * np.sqrt(np.clip(1 - (y / 0.85) ** 2, 0, 1)) * (1 - 0.25 * y)
    veins = (np.abs(x) < 0.012) | (np.abs((y + 0.6 * np.abs(x)) % 0.18 - 0.09) < 0.007)
    picture = np.empty((SIDE_PX, SIDE_PX, 3))
    picture[:] = (214, 212, 206)
    picture[blade] = (64, 122, 48)
    picture[blade & veins] = (112, 160, 84)
    spots = np.random.default_rng(8).uniform(-0.45, 0.45, (9, 2))
    for at_x, at_y in spots:
        picture[blade & (np.hypot(x - at_x, y - at_y) < 0.05)] = (112, 74, 40)
    picture += np.random.default_rng(3).normal(0, 5, picture.shape)  # a camera is never this clean
    file = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()
