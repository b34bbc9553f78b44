"""What came before, as the process that opens photographs may know it: hashes and features, no pictures.

Enters: light records of earlier contributions. Leaves: a file of plain arrays (no pickle), and the same rows
from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, UInt64

from leafsight.errors import StorageError
from leafsight.storage import replacing

if TYPE_CHECKING:
    from leafsight.state import LookAlike

MOST_EMBEDDINGS = 20_000
"""Of the newest: 50 MB at 1,280 numbers each. Older contributions are told by their hashes alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Earlier contributions; a row of ``embedding`` is zero where it is not comparable.

    Attributes:
        id: of each.
        group_id: of each.
        label: what it would be learned as.
        rejected: whether it was.
        pixel: the first 64 bits of the pixel hash.
        look: the look hash; 0 unknown.
        embedding: by the champion's backbone.
    """

    id: np.ndarray
    group_id: np.ndarray
    label: np.ndarray
    rejected: Bool[np.ndarray, " n"]
    pixel: UInt64[np.ndarray, " n"]
    look: UInt64[np.ndarray, " n"]
    embedding: Float32[np.ndarray, "n d"]

    def __len__(self) -> int:
        return len(self.id)

    def only(self, rows: Bool[np.ndarray, " n"]) -> Known:
        """These rows."""
        return Known(**{name: getattr(self, name)[rows] for name in Known.__slots__})

    def with_row(self, row: int, label: str, rejected: bool) -> Known:
        """The same with one contribution decided or named anew; written into these arrays where it fits."""
        known = self
        if len(label) > self.label.dtype.itemsize // 4:
            known = replace(self, label=self.label.astype(f"<U{len(label)}"))
        known.label[row], known.rejected[row] = label, rejected
        return known


def known_of(rows: Iterable[LookAlike], backbone: str | None, *, without: Iterable[str] = ()) -> Known:
    """Light records as arrays.

    Args:
        rows: oldest first.
        backbone: embeddings by another one are left out.
        without: ids that are left out.
    """
    left_out = set(without)
    text: list[tuple[str, str, str]] = []
    rejected: list[bool] = []
    hashes: list[tuple[int, int]] = []
    embeddings: dict[int, np.ndarray] = {}
    for row in rows:
        if row.id in left_out:
            continue
        if row.embedding is not None and backbone is not None and row.embedded_by == backbone:
            embeddings[len(text)] = row.embedding
            if len(embeddings) > MOST_EMBEDDINGS:
                del embeddings[next(iter(embeddings))]
        text.append((row.id, row.group_id, row.label))
        rejected.append(row.state == "rejected")
        hashes.append((short_hash(row.pixel_hash), row.look_hash or 0))
    width = max((len(one) for one in embeddings.values()), default=1)
    filled = np.zeros((len(text), width), np.float32)
    for at, one in embeddings.items():
        filled[at] = one
    pairs = np.array(hashes, np.uint64).reshape(-1, 2)
    id_, group_id, label = (np.array([row[at] for row in text], dtype=np.str_) for at in range(3))
    pixel, look = pairs[:, 0].copy(), pairs[:, 1].copy()
    return Known(id_, group_id, label, np.array(rejected, bool), pixel, look, filled)


def short_hash(pixel_hash: str) -> int:
    """The first 64 bits of a hash in hex."""
    return int(pixel_hash[:16] or "0", 16)


def save_known(known: Known, path: Path) -> None:
    """Write the rows.

    Raises:
        StorageError: the file cannot be written.
    """
    half = np.clip(known.embedding, -65000, 65000).astype(np.float16)
    columns = {name: getattr(known, name) for name in Known.__slots__ if name != "embedding"}
    with replacing(path) as file:
        np.savez(file, **columns, embedding=half)


def load_known(path: Path) -> Known:
    """Read what ``save_known`` wrote.

    Raises:
        StorageError: it is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as parts:
            columns = {name: parts[name] for name in Known.__slots__}
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(f"{path} is not what is known of earlier contributions: {error}") from error
    return Known(**{**columns, "embedding": columns["embedding"].astype(np.float32)})
