"""What passes between the reading of photographs and those who open the files, here or on another machine.

Enters: rows of files. Leaves: the same rows filled, sketches, embeddings: one task's. It opens no file, and
does not know how a task travels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from leafsight.dataset.photo_table import PhotoRow
from leafsight.images import DecodeLimits


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be found out about photographs, in values that another process understands.

    Attributes:
        limits: what is too large to be decoded.
        sketched: whether sketches are.
        network: tag of the network whose embeddings are; ``None`` asks none.
    """

    limits: DecodeLimits
    sketched: bool = False
    network: str | None = None


@dataclass(slots=True)
class Seen:
    """One task's photographs; records belong to the rows without a fault, in their order.

    Attributes:
        rows: filled.
        sketched: sketches as they stand in their file, uint8 ``[k, bytes]``.
        embedded: embeddings, float16 ``[k, size]``.
    """

    rows: list[PhotoRow]
    sketched: np.ndarray[Any, np.dtype[np.uint8]] | None = None
    embedded: np.ndarray[Any, np.dtype[np.float16]] | None = None

    def opened(self) -> list[PhotoRow]:
        """Rows that could be read."""
        return [row for row in self.rows if row.fault is None]


@runtime_checkable
class Elsewhere(Protocol):
    """Who looks at photographs in place of this process.

    Attributes:
        workers: how many share the tasks.
    """

    workers: int

    def look(self, tasks: Sequence[list[PhotoRow]], wanted: Wanted) -> Iterator[Seen]:
        """What ``look_at`` gives for each task, in their order; the rows that are given stay as they are."""
