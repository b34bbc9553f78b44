"""What a model gets to see when it must not see the leaf: six narrow views of a thumbnail.

Enters: whole photographs squashed to 32 px squares. Leaves: for each view a table of numbers, one row a
photograph. It does not know labels. A pixel of a thumbnail is the mean of 1/32 by 1/32 of the photograph.
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.shapes import Embedding, Photos

SIDE_PX = 32
FRAME_PX = 2
"""Width of the ring: 1/16 of the photograph on each side, which holds 23 % of its area."""
CENTRE_FRAME_PX = 6
"""What stays around the blurred centre: 3/16 on each side; the centre is 5/8 wide and 39 % of the area."""
LEVELS = 6
"""Levels a channel of the colour histogram: 216 colours."""
CHUNK = 256
"""Photographs at a time: what is made of them on the way stays in the processor's own memory."""


def eight_pixels(rgb: Photos) -> Embedding:
    """The four corners and the middles of the four sides, float32[n, 24], 0..1.

    That is Noyan's view (2022, arXiv 2206.04374). His pixels were single ones of a 256 px photograph, ours
    are means of 8 by 8 of those.
    """
    last, middle = SIDE_PX - 1, SIDE_PX // 2
    rows, columns = [0, 0, 0, middle, middle, last, last, last], [0, middle, last, 0, last, 0, middle, last]
    return rgb[:, rows, columns].reshape(len(rgb), -1).astype(np.float32) / 255.0


def border_ring(rgb: Photos) -> Embedding:
    """The outermost ``FRAME_PX`` on each side as 60 square patches, float32[n, 180], 0..1."""
    cells = _cells(rgb)
    return cells[:, _frame(FRAME_PX)].reshape(len(rgb), -1)


def centre_blurred(rgb: Photos) -> Embedding:
    """The surroundings in patches and the centre as one mean colour, float32[n, d], 0..1.

    The leaf's colour is in it, its spots are not.
    """
    cells, frame = _cells(rgb), _frame(CENTRE_FRAME_PX)
    around = cells[:, frame].reshape(len(rgb), -1)
    return np.concatenate([around, cells[:, ~frame].mean(axis=1)], axis=1)


def colour_histogram(rgb: Photos) -> Embedding:
    """How much of the photograph has which of 216 colours, without where; float32[n, 216], 0..1.

    Square roots of the shares, so that straight distances are Hellinger distances (Rao 1995).
    """
    colours = LEVELS**3
    parts = []
    for at in range(0, len(rgb), CHUNK):
        level = rgb[at : at + CHUNK].reshape(-1, SIDE_PX * SIDE_PX, 3).astype(np.uint16) * LEVELS // 256
        code = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
        own = code + np.arange(len(code))[:, None] * colours
        counts = np.bincount(own.ravel(), minlength=len(own) * colours).reshape(len(own), colours)
        parts.append(np.sqrt(counts / code.shape[1]).astype(np.float32))
    return np.concatenate(parts)


def whole_thumbnail(rgb: Photos) -> Embedding:
    """Everything, at 16 by 16 patches, float32[n, 768], 0..1."""
    return _cells(rgb).reshape(len(rgb), -1)


def thumbnail_features(rgb: Photos) -> Embedding:
    """Colours and the whole thumbnail side by side, float32[n, 984]: what there is without a model."""
    return np.concatenate([colour_histogram(rgb), whole_thumbnail(rgb) / np.float32(SIDE_PX / 2)], axis=1)


def green_share_of_border(rgb: Photos) -> float:
    """Mean share of the border's patches that are green, 0..1.

    Green is an excess 2g - r - b above 0.1 of the colour's shares of red, green and blue (Woebbecke et al.
    1995, "Color indices for weed identification"; the 0.1 is ours: it is 0 for grey, 2 for pure green).
    """
    green = []
    for at in range(0, len(rgb), CHUNK):
        colour = _cells(rgb[at : at + CHUNK])[:, _frame(FRAME_PX)]
        excess = 3.0 * colour[..., 1] / np.maximum(colour.sum(axis=-1), 1e-6) - 1.0
        green.append((excess > 0.1).mean(axis=1))
    return float(np.concatenate(green).mean())


def _cells(rgb: Photos) -> np.ndarray:
    """Means of 2 by 2 pixels, float32[n, 16, 16, 3], 0..1."""
    half = SIDE_PX // 2
    cells = np.empty((len(rgb), half, half, 3), dtype=np.float32)
    for at in range(0, len(rgb), CHUNK):
        part = rgb[at : at + CHUNK]
        down = np.add(part[:, 0::2], part[:, 1::2], dtype=np.uint16).reshape(-1, half, half, 6)
        # A colour at a time, so that the innermost loop is over pixels and not over three numbers.
        for colour in range(3):
            np.add(down[..., colour], down[..., colour + 3], out=cells[at : at + CHUNK, ..., colour])
    cells /= np.float32(4 * 255)
    return cells


def _frame(width_px: int) -> np.ndarray:
    """bool[16, 16]: the cells of the outermost ``width_px`` pixels."""
    cells, width = SIDE_PX // 2, width_px // 2
    frame = np.ones((cells, cells), dtype=bool)
    frame[width:-width, width:-width] = False
    return frame
