"""The photographs on which a format is proved.

Enters: an index, or nothing. Leaves: some prepared squares and where they come from, in words. It does not
know what is compared on them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from leafsight.dataset import PhotoIndex, PixelCache, SynthOptions, draw_leaf
from leafsight.errors import ExportError
from leafsight.export.precision import evenly
from leafsight.images import DecodeLimits, Preprocessing, prepare
from leafsight.progress import Progress

DRAWN_SIDE_PX = 256


@dataclass(frozen=True)
class ProofPhotographs:
    """Prepared photographs.

    Attributes:
        squares: uint8 [n, side, side, 3].
        origin: where they come from, in words.
    """

    squares: np.ndarray
    origin: str


def some_photographs(
    index: PhotoIndex,
    preprocessing: Preprocessing,
    count: int,
    *,
    origin: str,
    limits: DecodeLimits | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> ProofPhotographs:
    """Photographs spread evenly over an index, prepared as for serving.

    Args:
        index: where they are.
        preprocessing: the contract.
        count: at most so many.
        origin: where they come from, in words.
        limits: of the decoder.
        workers: threads that decode.
        progress: told of photographs.

    Raises:
        ExportError: none of them can be read.
        StorageError: there is no room for the prepared pixels.
    """
    rows = evenly(np.arange(len(index)), count)
    if not len(rows):
        raise ExportError(
            "a format is proved on photographs, and there are none", hint="name some with --photos"
        )
    with tempfile.TemporaryDirectory(prefix="leafsight-formats-") as folder:
        cache = PixelCache.build(
            index.rows(rows), Path(folder), preprocessing, limits=limits, workers=workers, progress=progress
        )
        squares = np.array(cache.images)
    if not len(squares):
        raise ExportError(f"none of {len(rows)} photographs can be read", hint="name others with --photos")
    return ProofPhotographs(squares, origin)


def drawn_photographs(preprocessing: Preprocessing, count: int) -> ProofPhotographs:
    """Drawn leaves, always the same, for a model that is far from its photographs.

    Numbers are compared on them, not accuracy: any picture with many colours and edges will do.
    """
    drawing = SynthOptions()
    kinds = list(product(drawing.crops, drawing.conditions, (False, True)))
    squares = [
        prepare(draw_leaf(crop, condition, seed=seed, field=field, side_px=DRAWN_SIDE_PX), preprocessing)
        for seed in range(-(-count // len(kinds)))
        for crop, condition, field in kinds
    ]
    return ProofPhotographs(np.stack(squares[:count]), "drawn leaves")
