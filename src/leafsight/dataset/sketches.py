"""Sketches of photographs beside an index: about 7 KB each, made in the one decode, read by memory map.

Enters: sketches, once. Leaves: grey squares to compare, coloured ones to show. Which photograph a sketch is
of stands in the column ``sketch`` of the index.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import UInt8

from leafsight.dataset.record_file import RecordFile
from leafsight.images import COLOUR_SIDE_PX, SKETCH_SIDE_PX, Sketch

SKETCH_SUFFIX = ".sketches"
_GREY_BYTES = SKETCH_SIDE_PX**2
_COLOUR_BYTES = COLOUR_SIDE_PX**2 * 3
SKETCH_BYTES = _GREY_BYTES + _COLOUR_BYTES

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


class Sketches:
    """The sketches of one index.

    Args:
        path: the file; usually the index's with ``SKETCH_SUFFIX``.
    """

    def __init__(self, path: Path) -> None:
        self.file = RecordFile(path, "sketch: grey 64x64, rgb 32x32", SKETCH_BYTES)

    def __len__(self) -> int:
        return len(self.file)

    def grey(self, numbers: Numbers) -> UInt8[np.ndarray, "k 64 64"]:
        """Grey squares by number of the sketch; the photograph is squashed to the square."""
        records = self.file.read(np.asarray(numbers, np.int64))
        return records[:, :_GREY_BYTES].reshape(-1, SKETCH_SIDE_PX, SKETCH_SIDE_PX)

    def rgb(self, numbers: Numbers) -> UInt8[np.ndarray, "k 32 32 3"]:
        """Small coloured squares by number of the sketch."""
        records = self.file.read(np.asarray(numbers, np.int64))
        return records[:, _GREY_BYTES:].reshape(-1, COLOUR_SIDE_PX, COLOUR_SIDE_PX, 3)

    def pictures(self, numbers: Numbers) -> UInt8[np.ndarray, "k 64 64 3"]:
        """Coloured squares of the full size: the colours of ``rgb`` with the detail of ``grey``."""
        grey = self.grey(numbers).astype(np.int16)
        colour = self.rgb(numbers).astype(np.int16).repeat(2, axis=1).repeat(2, axis=2)
        coarse = grey.reshape(-1, COLOUR_SIDE_PX, 2, COLOUR_SIDE_PX, 2).mean(axis=(2, 4))
        detail = grey - coarse.astype(np.int16).repeat(2, axis=1).repeat(2, axis=2)
        pictures: UInt8[np.ndarray, "k 64 64 3"] = np.clip(colour + detail[..., None], 0, 255).astype(
            np.uint8
        )
        return pictures


def as_records(sketches: list[Sketch]) -> UInt8[np.ndarray, "k bytes"]:
    """Sketches as they stand in the file."""
    grey = np.stack([sketch.grey.ravel() for sketch in sketches])
    colour = np.stack([sketch.rgb.ravel() for sketch in sketches])
    return np.concatenate([grey, colour], axis=1)


class ByNumber:
    """A way to get pictures that looks like an array indexed by numbers of sketches.

    Args:
        read: ``Sketches.grey`` or ``Sketches.rgb``.
    """

    def __init__(self, read: Callable[[Numbers], UInt8[np.ndarray, "k ..."]]) -> None:
        self._read = read

    def __getitem__(self, numbers: Numbers) -> UInt8[np.ndarray, "k ..."]:
        return self._read(numbers)
