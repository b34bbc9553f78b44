"""A collection that was read: its index, its sketches, and its embeddings where a network was asked.

Enters: what room ``dataset`` made. Leaves: the rows that can be compared, and their arrays. It reads no
photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from leafsight.dataset import Embeddings, PhotoIndex, Sketches

MOST_EMBEDDED = 100_000
"""Embeddings that are held in memory at once: with 1,280 numbers of 4 bytes they are half a gigabyte."""

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Looked:
    """One collection, as the check sees it.

    Attributes:
        index: a row a photograph, faulty ones included.
        sketches: of all usable photographs.
        embeddings: of all usable photographs; ``None`` when no network was asked.
    """

    index: PhotoIndex
    sketches: Sketches
    embeddings: Embeddings | None = None

    def rows(self) -> Rows:
        """Rows of the index that have a sketch, and so no fault."""
        return np.flatnonzero(~np.isnan(self.index.numbers("sketch")))

    def sketch_numbers(self) -> Rows:
        """The number of the sketch of each of ``rows``."""
        return self.index.numbers("sketch")[self.rows()].astype(np.int64)

    def rgb(self, chosen: Rows | None = None) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """uint8 ``[chosen, 32, 32, 3]``, 3 KB each: of these positions in ``rows``, or of all."""
        numbers = self.sketch_numbers()
        return self.sketches.rgb(numbers if chosen is None else numbers[chosen])

    def features(self, chosen: Rows | None = None) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """float32 ``[chosen, d]``: of these positions in ``rows``, or of all; ``None`` without a network."""
        if self.embeddings is None:
            return None
        rows = self.rows() if chosen is None else self.rows()[chosen]
        return self.embeddings.get(self.index.numbers("embedding")[rows].astype(np.int64))
