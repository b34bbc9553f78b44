"""Photographs of a collection that was read, small, for people who look at what was found."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits, decode, read_photo
from leafsight.inspection.looked import Looked

SHOWN_SIDE_PX = 200

Picture: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]


def picture_of(looked: Looked, row: int, limits: DecodeLimits) -> Picture | None:
    """A photograph, small; its sketch when the file is gone, ``None`` when there is neither.

    Args:
        looked: the collection.
        row: of its index.
        limits: of the decoder.
    """
    try:
        file = looked.index.rows([row]).files()[0]
        return decode(read_photo(file, limits), limits=limits, wanted_side_px=SHOWN_SIDE_PX)
    except (LeafsightError, OSError):
        number = looked.index.rows([row]).column("sketch")[0]
        return None if number is None else looked.sketches.pictures(np.array([number]))[0]
