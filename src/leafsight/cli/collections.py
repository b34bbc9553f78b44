"""What verbs that look at photographs share: an index with sketches and embeddings, kept between runs.

What is read and kept, room ``inspection`` knows; here are the folders and limits of the settings.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import cores, decode_limits, progress, settings_for, talk

if TYPE_CHECKING:
    from leafsight.cluster import ClusterOptions
    from leafsight.dataset import Elsewhere, Embedder, PhotoIndex
    from leafsight.inspection import Collection

STORE_FOLDER = "leafsight-store"

model_option = click.option(
    "--model", type=click.Path(path_type=Path), help="Bundle whose embeddings are used; the built-in one."
)
no_model_option = click.option(
    "--no-model", is_flag=True, help="Ask no network: quicker, but without label checks and same-leaf search."
)
fresh_option = click.option("--fresh", is_flag=True, help="Read every photograph again.")


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
    sources: tuple[Path, ...],
    *,
    quiet: bool,
    embedder: Embedder | None = None,
    fresh: bool = False,
    elsewhere: Elsewhere | None = None,
) -> Collection:
    """Read SOURCES (folders, listings, archives, or one saved index), as far as they changed.

    Raises:
        DatasetError: nothing usable, or another process reads the same photographs now.
        MissingExtraError: pyarrow is not installed.
        StorageError: the cache folder cannot be written.
        ClusterError: those who look ``elsewhere`` were lost.
    """
    from leafsight import inspection

    return inspection.read_collection(
        sources,
        cache_dir=settings_for().cache_dir,
        limits=decode_limits(),
        workers=cores(),
        progress=progress(quiet),
        embedder=embedder,
        fresh=fresh,
        processes=True,
        elsewhere=elsewhere,
    )


def photo_workers(
    options: ClusterOptions | None,
    sources: tuple[Path, ...],
    *,
    quiet: bool,
    model: Path | None = None,
    embedder: Embedder | None = None,
) -> AbstractContextManager[Elsewhere | None]:
    """Who opens the photographs of SOURCES on a cluster; nobody where none is wanted.

    Raises:
        ClusterError: it does not answer or fit.
    """
    if options is None:
        return nullcontext()
    from leafsight.cluster import photo_workers
    from leafsight.errors import require

    require("pyarrow", "train")  # said before a cluster is started, not after
    return photo_workers(
        options,
        sources,
        store=settings_for().cache_dir,
        model=model,
        embedder=embedder,
        progress=progress(quiet),
        say=lambda line: talk(line, quiet),
    )


def bundle_embedder(model: Path | None) -> Embedder:
    """The network of a bundle as room ``dataset`` sees it.

    Raises:
        BundleError: the bundle cannot be opened.
    """
    from leafsight import inference

    return inference.bundle_embedder(model)
