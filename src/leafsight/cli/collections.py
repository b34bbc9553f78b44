"""What verbs that look at photographs share: an index with sketches and embeddings, kept between runs.

The index of a collection is kept in the cache folder, under a name made of where the photographs are. A
second run reads only what changed; a killed run goes on from its last finished chunk.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.terminal import cores, decode_limits, progress, settings_for

if TYPE_CHECKING:
    from leafsight.dataset import Embedder, PhotoIndex
    from leafsight.inspection import Looked

STORE_FOLDER = "leafsight-store"
INDEX_FILE = "index.parquet"
PARTS_FOLDER = "unfinished"

model_option = click.option(
    "--model", type=click.Path(path_type=Path), help="Bundle whose embeddings are used; the built-in one."
)
no_model_option = click.option(
    "--no-model", is_flag=True, help="Ask no network: quicker, but without label checks and same-leaf search."
)
fresh_option = click.option("--fresh", is_flag=True, help="Read every photograph again.")


@dataclass(frozen=True, slots=True)
class Collection:
    """Photographs as they were read.

    Attributes:
        looked: index, sketches, and embeddings when a network was asked.
        folder: where all three are kept.
    """

    looked: Looked
    folder: Path


def read_index(
    sources: tuple[Path, ...], index_path: Path | None, *, quiet: bool, store: Path | None = None
) -> PhotoIndex:
    """The index of ``sources``; unchanged files of an index at ``index_path`` are not read again.

    Photographs of archives are unpacked into ``store``, else beside the index, else into the cache folder.
    """
    from leafsight.dataset import PhotoIndex, index_photos
    from leafsight.errors import require

    require("pyarrow", "train")  # said before the photographs are read, not after
    if len(sources) == 1 and sources[0].suffix == ".parquet":
        return PhotoIndex.load(sources[0])
    earlier = PhotoIndex.load(index_path) if index_path is not None and index_path.exists() else None
    beside = index_path.parent / STORE_FOLDER if index_path is not None else None
    index = index_photos(
        list(sources),
        earlier=earlier,
        store=store or beside or settings_for().cache_dir / STORE_FOLDER,
        limits=decode_limits(),
        workers=cores(),
        progress=progress(quiet),
        processes=True,
    )
    if index_path is not None:
        index.save(index_path)
    return index


def read_collection(
    sources: tuple[Path, ...], *, quiet: bool, embedder: Embedder | None = None, fresh: bool = False
) -> Collection:
    """Read SOURCES (folders, listings, archives, or one saved index), as far as they changed.

    Raises:
        DatasetError: nothing usable, or another process reads the same photographs now.
        MissingExtraError: pyarrow is not installed.
        StorageError: the cache folder cannot be written.
    """
    from leafsight.dataset import (
        EMBEDDING_SUFFIX,
        SKETCH_SUFFIX,
        Embeddings,
        PhotoIndex,
        Sketches,
        index_photos,
        look_again,
    )
    from leafsight.errors import require
    from leafsight.inspection import Looked

    require("pyarrow", "train")  # said before the photographs are read, not after
    folder = _folder(sources)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    path = folder / INDEX_FILE
    sketches = Sketches(path.with_suffix(SKETCH_SUFFIX))
    embeddings = None if embedder is None else Embeddings(path.with_suffix(EMBEDDING_SUFFIX), embedder)
    parts = _Parts(folder / PARTS_FOLDER)
    shared: dict[str, Any] = {
        "earlier": [*_earlier(path), *parts.finished()],
        "limits": decode_limits(),
        "workers": cores(),
        "progress": progress(quiet),
        "sketches": sketches,
        "embeddings": embeddings,
        "keep": parts.keep,
        "processes": True,
    }
    if _is_index(sources):
        index = look_again(PhotoIndex.load(sources[0]), **shared)
    else:
        index = index_photos(list(sources), store=folder / STORE_FOLDER, **shared)
    index.save(path)
    parts.clear()
    return Collection(Looked(index, sketches, embeddings), folder)


def _is_index(sources: tuple[Path, ...]) -> bool:
    return len(sources) == 1 and sources[0].suffix == ".parquet"


def _folder(sources: tuple[Path, ...]) -> Path:
    places = "\n".join(str(source.resolve()) for source in sources)
    name = sources[0].resolve().stem[:40] or "photos"
    digest = hashlib.sha256(places.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return settings_for().cache_dir / "collections" / f"{name}-{digest}"


def _earlier(path: Path) -> list[PhotoIndex]:
    """The index of the last run; one that cannot be read is a by-product that is made again."""
    from leafsight.dataset import PhotoIndex
    from leafsight.errors import LeafsightError

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
        from leafsight.dataset import PhotoIndex

        PhotoIndex(table).save(self._folder / f"{self._number:06d}.parquet")
        self._number += 1

    def clear(self) -> None:
        """Forget them, because the whole index is saved."""
        shutil.rmtree(self._folder, ignore_errors=True)


def bundle_embedder(model: Path | None) -> Embedder:
    """The network of a bundle as room ``dataset`` sees it.

    Raises:
        BundleError: the bundle cannot be opened.
    """
    from leafsight.bundle import builtin_bundle_path
    from leafsight.dataset import Embedder
    from leafsight.images import prepare
    from leafsight.inference import BundlePredictor

    predictor = BundlePredictor(model if model is not None else builtin_bundle_path(), threads=1)
    size = predictor.bundle.network_spec.embedding.shape[-1] or 0
    return Embedder(
        tag=predictor.bundle.content_hash,
        size=size,
        square=lambda rgb: prepare(rgb, predictor.preprocessing),
        embed=lambda squares: predictor.network.run(squares).embedding,
    )
