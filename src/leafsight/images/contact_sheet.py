"""One picture that shows what the seven operations of morphology do to a photograph.

Enters: an upright photograph at the size that a network sees. Leaves: a sheet, ``uint8[height, width, 3]``,
with a label under every picture. It does not know which operation helps anybody.
"""

from __future__ import annotations

import numpy as np

from leafsight.images.morphology import MORPHOLOGY_OPERATIONS, ElementShape, apply_morphology
from leafsight.images.shapes import RGB

RESIDUES = ("white_top_hat", "black_top_hat", "gradient")
RESIDUE_GAIN = 3
"""Differences of neighbours are dark; they are shown so many times brighter, and the label says so."""

COLUMNS, GAP_PX, PAPER = 4, 8, 255
# The label's share of a picture's width, and the longest label's width in heights of its letters.
LABEL_SHARE, LONGEST_LABEL = 0.11, 14.0


def morphology_sheet(photo: RGB, size_px: int = 3, *, shape: ElementShape = "square") -> RGB:
    """The photograph and its seven operations, two rows of four, each with its name below.

    Args:
        photo: ``uint8[height, width, 3]``. An element of 3 px does nothing visible to a large photograph:
            give the square that a network sees (``prepare``).
        size_px: side of the structuring element, odd.
        shape: ``square``, ``cross`` or ``disc``.

    Returns:
        ``uint8`` on white. Top-hats and gradient are three times brighter than they are.

    Raises:
        ValueError: the size is even or below 1, or there is no such shape.
    """
    pictures = [_labelled(photo, f"as it is, {photo.shape[1]} x {photo.shape[0]} px")]
    for operation in MORPHOLOGY_OPERATIONS:
        changed = apply_morphology(photo, operation, size_px=size_px, shape=shape)
        label = f"{operation.replace('_', ' ')}, {shape} {size_px}"
        if operation in RESIDUES:
            changed = np.minimum(changed.astype(np.uint16) * RESIDUE_GAIN, 255).astype(np.uint8)
            label += f", x{RESIDUE_GAIN}"
        pictures.append(_labelled(changed, label))
    height, width, _ = pictures[0].shape
    sheet = np.full((2 * height + GAP_PX, COLUMNS * (width + GAP_PX) - GAP_PX, 3), PAPER, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        top, left = row * (height + GAP_PX), column * (width + GAP_PX)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def _labelled(picture: RGB, label: str) -> RGB:
    """The picture with a line of text below, as small as its width demands."""
    from PIL import Image, ImageDraw, ImageFont  # not for those who only decode

    height, width, _ = picture.shape
    strip = max(1, round(LABEL_SHARE * width))
    paper = Image.new("RGB", (width, height + strip), "white")
    paper.paste(Image.fromarray(np.ascontiguousarray(picture)), (0, 0))
    font = ImageFont.load_default(max(1.0, width / LONGEST_LABEL))
    ImageDraw.Draw(paper).text((0, height + strip // 2), label, "black", font, anchor="lm")
    return np.asarray(paper)
