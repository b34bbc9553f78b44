"""Is the leaf photographed on a plain backdrop, and where is it then?

A backdrop is a border that is mostly one colour, in light and in shadow: paper, cloth, black. The leaf is
what differs from it in colour, or is brighter. This serves the replacement of backgrounds in training: a
wrong mask costs more than none, so ``is_plain`` says no when in doubt. It knows nothing about leaves: on
paper a green cup is a leaf too.

No published method is claimed. The thresholds were set by eye on PlantVillage, citrus and field
photographs; docs/images.md says what they reach there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from leafsight.images.lab import Lab, to_lab
from leafsight.images.regions import fill_holes, keep_large_regions, open_by_one
from leafsight.images.resizing import resize
from leafsight.images.shapes import RGB, Mask

Real: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

WORKING_SIDE_PX = 160
BORDER_SHARE = 0.05
"""Width of the border that is looked at, as a share of the shorter side."""

BLUR_RADIUS_PX = 1.5
"""Takes out the grain of paper and sensor, which is as strong as the colour of a dark leaf."""

BIN = 3.0
"""Side of a cell of the a*b* histogram whose fullest place is the backdrop's colour."""
BINS = 40

BLUER_COUNTS = 0.4
"""Shadows outdoors are lit by the sky and so are bluer than the paper; no leaf is. Blue counts less."""

BRIGHTER_COUNTS = 0.7
"""A leaf may be brighter than the backdrop, never a shadow. Darker does not count at all."""
BRIGHTNESS_SLACK = 4.0

# All in units of L*a*b*, where 2.3 is a just noticeable difference.
THRESHOLD_FLOOR, THRESHOLD_CEILING, NOISE_FACTOR = 5.0, 9.0, 2.5

MIN_BORDER_SHARE = 0.6
LEAF_SHARES = (0.04, 0.93)
MIN_CONTRAST = 1.6
"""Median difference of the leaf, in thresholds."""
MAX_GRADIENT = 1.6
"""Mean step of L* from pixel to pixel of the backdrop: soil and foliage are rougher than paper."""
MAX_CHROMA = 22.0
FOLIAGE = (-5.0, 5.0)
"""A backdrop greener and yellower than this (a*, b*) is foliage."""

SMALL_REGION = 0.1
"""Regions below this share of the largest are dirt; leaflets are larger."""


@dataclass(frozen=True, slots=True, eq=False)
class PlainBackground:
    """What ``plain_background`` found.

    Attributes:
        is_plain: the border is one backdrop and the mask is fit for cutting the leaf out.
        leaf: ``bool[height, width]``, true on the leaf; meaningless when ``is_plain`` is false.
        confidence: 0..1, how far the photograph is from the limits that decide; 0 when not plain. No
            probability.
    """

    is_plain: bool
    leaf: Mask
    confidence: float


@dataclass(frozen=True, slots=True)
class _Backdrop:
    colour: tuple[float, float]
    brightest: float

    def difference(self, lab: Lab) -> Real:
        """How unlike the backdrop each colour is, shadows forgiven, in units of L*a*b*."""
        redder = lab[..., 1] - np.float32(self.colour[0])
        yellower = lab[..., 2] - np.float32(self.colour[1])
        yellower = np.where(yellower < 0, yellower * np.float32(BLUER_COUNTS), yellower)
        brighter = np.maximum(lab[..., 0] - np.float32(self.brightest), 0) * np.float32(BRIGHTER_COUNTS)
        difference: Real = np.sqrt(redder**2 + yellower**2 + brighter**2)
        return difference

    def is_paper(self) -> bool:
        """Not foliage, and not a strong colour."""
        green, yellow = self.colour
        foliage = green < FOLIAGE[0] and yellow > FOLIAGE[1]
        return not foliage and float(np.hypot(green, yellow)) < MAX_CHROMA


def plain_background(rgb: RGB) -> PlainBackground:
    """Whether the backdrop is plain, and the leaf in front of it.

    The work is done on a copy of at most 160 px, in about 6 ms.

    Args:
        rgb: an upright picture, ``uint8[height, width, 3]``.
    """
    height, width, _ = rgb.shape
    lab = to_lab(_small_and_smooth(rgb))
    border = lab[_border(lab)]
    backdrop, noise = _backdrop(border)
    difference = backdrop.difference(lab)
    threshold = _threshold(difference, noise)
    leaf = _tidy(difference > threshold)
    border_share = float((backdrop.difference(border) <= threshold).mean())
    confidence = _confidence(lab, leaf, difference / threshold, border_share) if backdrop.is_paper() else 0.0
    # Halves are cut in the middle, so that a mask stretched to the original keeps smooth edges.
    stretched = Image.fromarray(leaf.astype(np.uint8) * 255).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    return PlainBackground(confidence > 0, np.asarray(stretched) > 127, confidence)


def _small_and_smooth(rgb: RGB) -> RGB:
    from PIL import ImageFilter  # not for those who only decode

    height, width, _ = rgb.shape
    scale = min(1.0, WORKING_SIDE_PX / max(height, width))
    small = resize(rgb, max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(small).filter(ImageFilter.BoxBlur(BLUR_RADIUS_PX)))


def _border(lab: Lab) -> Mask:
    height, width, _ = lab.shape
    depth = max(1, round(BORDER_SHARE * min(height, width)))
    border = np.ones((height, width), np.bool_)
    border[depth : height - depth, depth : width - depth] = False
    return border


def _backdrop(border: Lab) -> tuple[_Backdrop, float]:
    """The commonest colour of the border, and how much its pixels scatter around it (scaled MAD)."""
    cells = np.clip(border[:, 1:] / BIN + BINS / 2, 0, BINS - 1).astype(np.int64)
    counts = np.bincount(cells[:, 0] * BINS + cells[:, 1], minlength=BINS * BINS).reshape(BINS, BINS)
    around = sum(np.roll(counts, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1))
    fullest = np.array(np.unravel_index(int(np.argmax(around)), (BINS, BINS)))
    near = border[(np.abs(cells - fullest) <= 1).all(axis=1)]
    if near.size == 0:  # the fullest place lies across the edge of the histogram
        near = border
    green, yellow = (float(value) for value in np.median(near[:, 1:], axis=0))
    brightest = float(np.percentile(near[:, 0], 95)) + BRIGHTNESS_SLACK
    backdrop = _Backdrop((green, yellow), brightest)
    return backdrop, 1.4826 * float(np.median(backdrop.difference(near)))


def _threshold(difference: Real, noise: float) -> float:
    """Otsu's threshold (IEEE Trans. SMC 9, 1979), kept between what paper scatters and what a leaf needs."""
    counts, edges = np.histogram(np.minimum(difference, 59.5), 60, (0.0, 60.0))
    weight = np.cumsum(counts) / difference.size
    mean = np.cumsum(counts * (edges[:-1] + 0.5)) / difference.size
    between = (mean[-1] * weight - mean) ** 2 / np.maximum(weight * (1 - weight), 1e-9)
    otsu = float(edges[1 + int(np.argmax(between))])
    floor = NOISE_FACTOR * noise
    return float(np.clip(otsu, max(THRESHOLD_FLOOR, floor), max(THRESHOLD_CEILING, floor)))


def _tidy(mask: Mask) -> Mask:
    """A small opening takes specks and cables off, then whole regions remain, without holes."""
    from PIL import ImageFilter

    smooth = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(1))
    return fill_holes(keep_large_regions(open_by_one(np.asarray(smooth) > 127), SMALL_REGION))


def _confidence(lab: Lab, leaf: Mask, relative: Real, border_share: float) -> float:
    """The smallest margin to the four limits, 0 when one of them is broken."""
    share = float(leaf.mean())
    if not LEAF_SHARES[0] < share < LEAF_SHARES[1]:
        return 0.0
    contrast = float(np.median(relative[leaf]))
    backdrop = ~leaf
    steps = np.abs(np.diff(lab[..., 0], axis=1))[backdrop[:, 1:] & backdrop[:, :-1]]
    gradient = float(steps.mean()) if steps.size else np.inf
    margins = (
        (border_share - MIN_BORDER_SHARE) / (1 - MIN_BORDER_SHARE),
        1 - MIN_CONTRAST / max(contrast, MIN_CONTRAST),
        1 - gradient / MAX_GRADIENT,
    )
    return float(np.clip(min(margins), 0, 1))
