"""Embeddings of photographs beside an index, in half precision, made in the same decode as everything else.

Enters: a callable that turns squares into embeddings. Leaves: embeddings by number. Which photograph a number
is of stands in the column ``embedding`` of the index. It does not know what network stands behind the
callable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8

from leafsight.dataset.record_file import RecordFile

EMBEDDING_SUFFIX = ".embeddings"

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Embedder:
    """A network as this room sees it.

    Attributes:
        tag: names the network; embeddings with another tag are not mixed with these.
        size: length of one embedding.
        square: an upright picture of any size to the square that the network sees.
        embed: squares ``uint8[n, side, side, 3]`` to ``float32[n, size]``; called from several threads at
            once.
    """

    tag: str
    size: int
    square: Callable[[UInt8[np.ndarray, "_height _width 3"]], UInt8[np.ndarray, "side side 3"]]
    embed: Callable[[UInt8[np.ndarray, "_n _side _side 3"]], Float32[np.ndarray, "_n _size"]]

    def halves(self, squares: UInt8[np.ndarray, "n side side 3"]) -> np.ndarray[Any, np.dtype[np.float16]]:
        """Embeddings as they stand in the file: half precision, plenty beside INT8 weights."""
        found = np.clip(self.embed(squares), -65000, 65000)
        half: np.ndarray[Any, np.dtype[np.float16]] = found.astype(np.float16)
        return half


class Embeddings:
    """The embeddings of one index by one network.

    Args:
        path: the file; usually the index's with ``EMBEDDING_SUFFIX``.
        embedder: makes new ones.
    """

    def __init__(self, path: Path, embedder: Embedder) -> None:
        self.embedder = embedder
        self.file = RecordFile(path, f"embedding: {embedder.tag}", 2 * embedder.size)

    def __len__(self) -> int:
        return len(self.file)

    def get(self, numbers: Numbers) -> Float32[np.ndarray, "k size"]:
        """Embeddings by number."""
        records = np.ascontiguousarray(self.file.read(np.asarray(numbers, np.int64)))
        return records.view(np.float16).astype(np.float32)
