"""A collection read once and kept: index, sketches and embeddings, under a name made of where it lies.

Enters: folders, listings, archives, and a cache folder. Leaves: a ``Collection``. A second run reads only
what changed; a killed run goes on from its last finished chunk. It judges nothing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.dataset import (
    EMBEDDING_SUFFIX,
    SKETCH_SUFFIX,
    Elsewhere,
    Embedder,
    Embeddings,
    PhotoIndex,
    Sketches,
    index_photos,
    look_again,
)
from leafsight.errors import LeafsightError, require
from leafsight.images import DecodeLimits
from leafsight.inspection.looked import Looked
from leafsight.progress import Progress

STORE_FOLDER = "leafsight-store"
INDEX_FILE = "index.parquet"
PARTS_FOLDER = "unfinished"


@dataclass(frozen=True, slots=True)
class Collection:
    """Photographs as they were read.

    Attributes:
        looked: index, sketches, and embeddings when a network was asked.
        folder: where all three are kept.
    """

    looked: Looked
    folder: Path


def read_collection(
    sources: Sequence[Path],
    *,
    cache_dir: Path,
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    embedder: Embedder | None = None,
    fresh: bool = False,
    processes: bool = False,
    photos_per_chunk: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> Collection:
    """Read the sources, as far as they changed.

    Args:
        sources: folders, listings, archives, or one saved index.
        cache_dir: what was read is kept below it; who gives the same folder shares it.
        limits: of the decoder.
        workers: threads; None takes one a core.
        progress: told of every photograph.
        embedder: a network to ask about every photograph; None asks none.
        fresh: whether to read every photograph again.
        processes: whether thousands may be read by processes; see ``index_photos``.
        photos_per_chunk: after so many everything is on the disk; see ``index_photos``.
        elsewhere: who opens the files in place of this process.

    Raises:
        DatasetError: nothing usable, or another process reads the same photographs now.
        MissingExtraError: pyarrow is not installed.
        StorageError: the cache folder cannot be written.
        ClusterError: those who look elsewhere were lost.
    """
    require("pyarrow", "train")  # said before the photographs are read, not after
    folder = _folder(sources, cache_dir)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    path = folder / INDEX_FILE
    sketches = Sketches(path.with_suffix(SKETCH_SUFFIX))
    embeddings = None if embedder is None else Embeddings(path.with_suffix(EMBEDDING_SUFFIX), embedder)
    parts = _Parts(folder / PARTS_FOLDER)
    shared: dict[str, Any] = {
        "earlier": [*_earlier(path), *parts.finished()],
        "limits": limits,
        "workers": workers,
        "progress": progress,
        "sketches": sketches,
        "embeddings": embeddings,
        "keep": parts.keep,
        "processes": processes,
        "photos_per_chunk": photos_per_chunk,
        "elsewhere": elsewhere,
    }
    if _is_index(sources):
        index = look_again(PhotoIndex.load(sources[0]), **shared)
    else:
        index = index_photos(list(sources), store=folder / STORE_FOLDER, **shared)
    index.save(path)
    parts.clear()
    return Collection(Looked(index, sketches, embeddings), folder)


def _is_index(sources: Sequence[Path]) -> bool:
    return len(sources) == 1 and sources[0].suffix == ".parquet"


def _folder(sources: Sequence[Path], cache_dir: Path) -> Path:
    places = "\n".join(str(source.resolve()) for source in sources)
    name = sources[0].resolve().stem[:40] or "photos"
    digest = hashlib.sha256(places.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return cache_dir / "collections" / f"{name}-{digest}"


def _earlier(path: Path) -> list[PhotoIndex]:
    """The index of the last run; one that cannot be read is a by-product that is made again."""
    try:
        return [PhotoIndex.load(path)] if path.is_file() else []
    except LeafsightError:
        return []


class _Parts:
    """Finished chunks of a run that has not ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def finished(self) -> Sequence[PhotoIndex]:
        """What a killed run left, if anything."""
        files = sorted(self._folder.glob("*.parquet"))
        self._number = len(files)
        return [index for file in files for index in _earlier(file)]

    def keep(self, table: Any) -> None:
        """Save one chunk."""
        PhotoIndex(table).save(self._folder / f"{self._number:06d}.parquet")
        self._number += 1

    def clear(self) -> None:
        """Forget them, because the whole index is saved."""
        shutil.rmtree(self._folder, ignore_errors=True)
