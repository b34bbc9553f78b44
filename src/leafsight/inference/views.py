"""Several views of one photograph, judged together.

The views are made from the square that the network gets, so that an evaluation on cached squares and a
prediction from a file see the same ones. Each view costs one more pass of the network.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leafsight.errors import UsageError
from leafsight.images import Preprocessing, prepare

ZOOM = 0.8
"""Share of each side that the closer views keep."""
VIEWS: tuple[tuple[float, bool, bool], ...] = (
    (1.0, False, False),
    (1.0, True, False),
    (ZOOM, False, False),
    (ZOOM, True, False),
    (1.0, False, True),
    (1.0, True, True),
    (ZOOM, False, True),
    (ZOOM, True, True),
)
"""(share kept, mirrored left-right, turned upside down), in the order in which they are added."""
MAX_VIEWS = len(VIEWS)


def check_views(count: int) -> int:
    """``count`` itself.

    Raises:
        UsageError: it is not from 1 to ``MAX_VIEWS``.
    """
    if not 1 <= count <= MAX_VIEWS:
        raise UsageError(f"test_time_views is {count}", hint=f"choose 1 to {MAX_VIEWS}")
    return count


def make_views(squares: np.ndarray, count: int, preprocessing: Preprocessing) -> np.ndarray:
    """The first ``count`` views of every square, one block of photographs after the other.

    Args:
        squares: uint8 ``[n, side, side, 3]``.
        count: 1 to ``MAX_VIEWS``.
        preprocessing: its filter resizes the closer views.

    Returns:
        uint8 ``[count * n, side, side, 3]``; rows 0..n-1 are the squares themselves.

    Raises:
        UsageError: ``count`` is out of range.
    """
    check_views(count)
    blocks = [_view(squares, *VIEWS[number], preprocessing) for number in range(count)]
    return blocks[0] if count == 1 else np.concatenate(blocks)


def mean_over_views(values: np.ndarray, count: int) -> np.ndarray:
    """Mean of ``[count * n, ...]`` over the views, ``[n, ...]``.

    Used on logits, where it is the geometric mean of the probabilities, and on embeddings.
    """
    if count == 1:
        return values
    return np.asarray(values.reshape(count, -1, *values.shape[1:]).mean(axis=0, dtype=np.float32))


def _view(
    squares: np.ndarray, share: float, mirrored: bool, turned: bool, preprocessing: Preprocessing
) -> np.ndarray:
    if share < 1.0:
        closer = replace(preprocessing, resize="squash", crop_fraction=share)
        squares = np.stack([prepare(square, closer) for square in squares])
    if mirrored:
        squares = squares[:, :, ::-1]
    if turned:
        squares = squares[:, ::-1]
    return np.ascontiguousarray(squares)
