"""Grey-level morphology: what a small shape finds when it is moved over a picture, each channel by itself.

Enters: ``uint8[height, width, 3]``, an operation, a shape and its side. Leaves: a new picture of that size.
It does not know a spot from a vein: it tells bright from dark and narrow from wide, nothing else.

Erosion takes the lowest and dilation the highest level under the structuring element B; the others are made
of the two (J. Serra, Image Analysis and Mathematical Morphology, 1982; P. Soille, Morphological Image
Analysis, 2nd ed. 2003; R. C. Gonzalez and R. E. Woods, Digital Image Processing, section 9.8 of the 4th ed.).

Pixels outside the picture never win: the lowest and highest are taken over what lies inside. So the two are
adjoint up to the last pixel, and all laws of the textbooks hold at the border too. OpenCV with its default
border gives the same. So does ``scipy.ndimage`` with ``reflect`` (its default), ``nearest`` and ``mirror``
where the picture is not smaller than the element: they only repeat pixels that lie under it anyway.

``leafsight.models`` does the same to the pixels inside a network, with the boxes of ``element_boxes``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np

from leafsight.images.shapes import RGB, Mask

MorphologyOperation: TypeAlias = Literal[
    "erosion", "dilation", "opening", "closing", "white_top_hat", "black_top_hat", "gradient"
]
ElementShape: TypeAlias = Literal["square", "cross", "disc"]

MORPHOLOGY_OPERATIONS: tuple[MorphologyOperation, ...] = get_args(MorphologyOperation)
ELEMENT_SHAPES: tuple[ElementShape, ...] = get_args(ElementShape)

Boxes: TypeAlias = tuple[tuple[int, int], ...]


def apply_morphology(
    rgb: RGB, operation: MorphologyOperation, *, size_px: int = 3, shape: ElementShape = "square"
) -> RGB:
    """A picture after one operation.

    Args:
        rgb: ``uint8[height, width, 3]`` of any size; left as it is.
        operation: see the functions of this module.
        size_px: side of the element, odd; 1 is a single pixel.
        shape: see ``structuring_element``.

    Returns:
        ``uint8[height, width, 3]``, a new array.

    Raises:
        ValueError: the size is even or below 1, or there is no such operation or shape: a bug of the caller.
    """
    if operation not in _FUNCTIONS:
        raise ValueError(f"the operation is one of {', '.join(MORPHOLOGY_OPERATIONS)}, not {operation!r}")
    return _FUNCTIONS[operation](rgb, element_boxes(size_px, shape))


def structuring_element(size_px: int, shape: ElementShape = "square") -> Mask:
    """The pixels around the middle one that count.

    ``square``: all. ``cross``: the middle row and column. ``disc``: those no farther than the radius
    ``r = (size_px - 1) / 2`` from the middle, ``x**2 + y**2 <= r**2`` (as ``skimage.morphology.disk``; at
    3 px it is the cross).

    Returns:
        ``bool[size_px, size_px]``, the same after any flip or quarter turn.

    Raises:
        ValueError: the size is even or below 1, or there is no such shape.
    """
    if size_px < 1 or size_px % 2 == 0:
        raise ValueError(f"the size of a structuring element is odd and at least 1, not {size_px}")
    if shape not in ELEMENT_SHAPES:
        raise ValueError(f"the shape is one of {', '.join(ELEMENT_SHAPES)}, not {shape!r}")
    radius = size_px // 2
    away = np.abs(np.arange(-radius, radius + 1))
    down, right = away[:, None], away[None, :]
    element: Mask = np.ones((size_px, size_px), np.bool_)
    if shape == "cross":
        element = (down == 0) | (right == 0)
    if shape == "disc":
        element = down**2 + right**2 <= radius**2
    return element


def element_boxes(size_px: int, shape: ElementShape = "square") -> Boxes:
    """The same element as the fewest rectangles around the middle that cover it.

    The highest level under a union is the highest of the parts, and under a rectangle rows and columns can be
    done one after the other. A square is one box, a cross two, a disc of 31 px ten.

    Returns:
        Half height and half width of each box: it has ``2 * half + 1`` pixels.

    Raises:
        ValueError: as ``structuring_element``.
    """
    radius = size_px // 2
    lower_half = structuring_element(size_px, shape)[radius:]
    widths = [(int(row.sum()) - 1) // 2 for row in lower_half]
    # No row is wider than one nearer to the middle, so a box ends where the next row is narrower.
    return tuple((y, w) for y, w in enumerate(widths) if y == radius or widths[y + 1] < w)


def erosion(rgb: RGB, boxes: Boxes) -> RGB:
    """The lowest level under the element: bright things shrink, dark spots grow."""
    return _extreme(rgb, boxes, np.minimum, 255)


def dilation(rgb: RGB, boxes: Boxes) -> RGB:
    """The highest level under the element: bright things grow, dark spots shrink."""
    return _extreme(rgb, boxes, np.maximum, 0)


def opening(rgb: RGB, boxes: Boxes) -> RGB:
    """Dilation of the erosion: bright things that the element does not fit into vanish; never brighter."""
    return dilation(erosion(rgb, boxes), boxes)


def closing(rgb: RGB, boxes: Boxes) -> RGB:
    """Erosion of the dilation: dark things that the element does not fit into vanish; never darker."""
    return erosion(dilation(rgb, boxes), boxes)


def white_top_hat(rgb: RGB, boxes: Boxes) -> RGB:
    """Picture minus opening: the small bright things alone (F. Meyer 1978)."""
    left: RGB = rgb - opening(rgb, boxes)
    return left


def black_top_hat(rgb: RGB, boxes: Boxes) -> RGB:
    """Closing minus picture: the small dark things alone, bright on black."""
    left: RGB = closing(rgb, boxes) - rgb
    return left


def gradient(rgb: RGB, boxes: Boxes) -> RGB:
    """Dilation minus erosion: how steep the edges are (S. Beucher; Rivest, Soille and Beucher 1993)."""
    steepness: RGB = dilation(rgb, boxes) - erosion(rgb, boxes)
    return steepness


_FUNCTIONS: dict[MorphologyOperation, Callable[[RGB, Boxes], RGB]] = {
    "erosion": erosion,
    "dilation": dilation,
    "opening": opening,
    "closing": closing,
    "white_top_hat": white_top_hat,
    "black_top_hat": black_top_hat,
    "gradient": gradient,
}


def _extreme(rgb: RGB, boxes: Boxes, better: np.ufunc, never: int) -> RGB:
    """The best level under a union of boxes; ``never`` is the level that cannot win."""
    found: RGB | None = None
    for half_height, half_width in boxes:
        rows = _running(rgb, half_height, 0, better, never)
        box = _running(rows, half_width, 1, better, never)
        found = box if found is None else better(found, box, out=found)
    assert found is not None
    return found


def _running(rgb: RGB, half: int, axis: int, better: np.ufunc, never: int) -> RGB:
    """The best of ``2 * half + 1`` neighbours along one axis.

    Windows of 1, 2, 4, 8, ... pixels, each the better of two of the size before, and one last step of what is
    left, as windows may overlap. Van Herk's and Gil and Werman's three comparisons a pixel need a running
    extreme, which NumPy does one pixel after the other; this does whole rows at once.
    """
    if half == 0:
        return rgb.copy()
    shape = list(rgb.shape)
    shape[axis] += 2 * half
    windows = np.full(shape, never, np.uint8)
    inner = slice(half, half + rgb.shape[axis])
    windows[(slice(None),) * axis + (inner,)] = rgb
    covered, wanted = 1, 2 * half + 1
    while covered < wanted:
        step = min(covered, wanted - covered)
        before = (slice(None),) * axis + (slice(None, -step),)
        after = (slice(None),) * axis + (slice(step, None),)
        windows = better(windows[before], windows[after])
        covered += step
    return windows
