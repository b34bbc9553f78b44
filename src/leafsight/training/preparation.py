"""From folders of photographs to what the loop trains on: index, split, pixel cache, background bank.

Enters: a recipe, sources and a folder to work in. Leaves: the index as it was split and the arrays of a
``TrainingData``. Every step keeps what it made, so a second call is quick and an interrupted one goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from leafsight.dataset import PhotoIndex, PixelCache, read_leaf_map, split_photos
from leafsight.errors import DatasetError
from leafsight.images import DecodeLimits, Preprocessing
from leafsight.progress import Progress, Silent
from leafsight.taxonomy import NOT_A_LEAF, find_class
from leafsight.training.background_bank import BackgroundBank, build_bank
from leafsight.training.collection import labelled, read_photographs, split_options
from leafsight.training.data import TRAIN, TrainingData
from leafsight.training.fraction import class_shares, share_of_rows
from leafsight.training.options import DataOptions
from leafsight.training.recipe import Recipe

INDEX_FILE = "index.parquet"
CACHE_FOLDER = "cache"
LEAF_MAP_FILE = "leaf_groups.csv"
CACHE_MARGIN = 1.15


@dataclass(frozen=True)
class PreparedData:
    """A collection ready for training.

    Attributes:
        index: every photograph with its group and split.
        cache: the packed pixels at the cache's side.
        data: what the loop takes.
        index_path: where the index is kept.
    """

    index: PhotoIndex
    cache: PixelCache
    data: TrainingData
    index_path: Path


def index_and_split(
    recipe: Recipe,
    sources: Sequence[Path],
    folder: Path,
    *,
    limits: DecodeLimits | None = None,
    progress: Progress | None = None,
) -> PhotoIndex:
    """The index of ``sources``, split as the recipe says, kept in ``folder``.

    A source that is a saved index (``.parquet``) is taken as it is when it is the only one and has splits.

    Raises:
        DatasetError: nothing to index, or it cannot be split as asked.
    """
    path = folder / INDEX_FILE
    if len(sources) == 1 and sources[0].suffix == ".parquet":
        index = PhotoIndex.load(sources[0])
        if not index.split_counts():
            raise DatasetError(f"{sources[0]} has no splits", hint="leafsight split makes them")
        index = labelled(index, recipe.data)
        index.save(path)
        return index
    earlier = PhotoIndex.load(path) if path.exists() else None
    index, found = read_photographs(
        recipe.data, sources, folder, earlier, limits=limits, progress=progress or Silent()
    )
    index = split_photos(index, split_options(recipe.data), leaf_map=_leaf_maps(recipe, sources), found=found)
    index.save(path)
    return index


def prepare_data(
    recipe: Recipe,
    sources: Sequence[Path],
    folder: Path,
    *,
    limits: DecodeLimits | None = None,
    max_cache_bytes: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    index: PhotoIndex | None = None,
) -> PreparedData:
    """Index, split, decode and cut out, each once.

    Args:
        recipe: its tables ``data``, ``preprocessing`` and ``backgrounds`` count.
        sources: folders, CSVs, archives, or one saved index.
        folder: where the index and the cache are kept.
        limits: what is too large to be decoded.
        max_cache_bytes: the packed pixels never become larger than this, nor than the recipe says.
        workers: threads that decode and cut out.
        progress: is told of every step.
        index: what ``index_and_split`` gave for the same recipe, sources and folder, where it is at hand.

    Raises:
        DatasetError: no usable photographs, or no room for the cache under its limit.
        StorageError: the folder cannot be written.
    """
    progress = progress or Silent()
    if index is None:
        index = index_and_split(recipe, sources, folder, limits=limits, progress=progress)
    own = recipe.data.max_cache_bytes
    cache = PixelCache.build(
        index,
        folder / CACHE_FOLDER,
        cache_contract(recipe),
        max_bytes=own if max_cache_bytes is None else min(own, max_cache_bytes),
        limits=limits,
        workers=workers,
        progress=progress,
    )
    data = training_data(index, cache, options=recipe.data)
    if recipe.backgrounds.probability > 0:
        bank = _bank(cache, data, folder / CACHE_FOLDER, workers, recipe.seed, progress)
        data = replace(data, backgrounds=bank)
    return PreparedData(index, cache, data, folder / INDEX_FILE)


def open_prepared(recipe: Recipe, folder: Path, *, cache: Path | None = None) -> TrainingData:
    """What ``prepare_data`` made in ``folder``, read back; nothing is written and no photograph is needed.

    Args:
        recipe: the one it was made for.
        folder: the one it was made in.
        cache: a copy of the folder ``cache`` in it, such as on a disk of this machine.

    Raises:
        DatasetError: it was not made there, or for another recipe.
        StorageError: a file cannot be read.
    """
    index = PhotoIndex.load(folder / INDEX_FILE)
    place = cache or folder / CACHE_FOLDER
    pixels = PixelCache.open(index, place, cache_contract(recipe))
    data = training_data(index, pixels, options=recipe.data)
    if recipe.backgrounds.probability > 0:
        data = replace(data, backgrounds=_bank(pixels, data, place, 1, recipe.seed, Silent()))
    return data


def cache_contract(recipe: Recipe) -> Preprocessing:
    """The recipe's preprocessing at the side of the cache: the largest side trained on plus margin."""
    contract = recipe.preprocessing.contract()
    side_px = recipe.data.cache_side_px or int(np.ceil(recipe.largest_side_px * CACHE_MARGIN / 8)) * 8
    return Preprocessing.from_dict({**contract.to_dict(), "side_px": side_px})


def training_data(
    index: PhotoIndex,
    cache: PixelCache,
    classes: Sequence[str] | None = None,
    *,
    options: DataOptions | None = None,
) -> TrainingData:
    """The cache's pictures with labels, splits and sources; of the training split the share asked for."""
    names = tuple(classes or index.classes)
    kept = index.rows(cache.row_ids)
    splits, sources = kept.column("split"), kept.column("source")
    rows = {
        split: np.flatnonzero([one == split for one in splits]).astype(np.int64)
        for split in sorted({one for one in splits if one})
    }
    labels = kept.labels_for(names)
    if options is not None and TRAIN in rows:
        groups, train = kept.column("group"), rows[TRAIN]
        shares = class_shares(labels[train], len(names), options.train_fraction, options.long_tail)
        rows[TRAIN] = share_of_rows(train, labels[train], [groups[row] or "" for row in train], shares)
    domain_names = tuple(sorted(set(sources)))
    return TrainingData(
        images=cache.images,
        labels=labels,
        rows=rows,
        classes=names,
        domains=np.asarray([domain_names.index(one) for one in sources], np.int64),
        domain_names=domain_names,
        names=kept.column("path"),
        given_fingerprint=index.fingerprint(),
    )


def _bank(
    cache: PixelCache, data: TrainingData, folder: Path, workers: int, seed: int, progress: Progress
) -> BackgroundBank:
    not_a_leaf = [number for number, name in enumerate(data.classes) if find_class(name).key == NOT_A_LEAF]
    return build_bank(
        cache.images,
        data.labels,
        data.rows[TRAIN],
        folder=folder,
        fingerprint=data.given_fingerprint,
        not_a_leaf=not_a_leaf,
        workers=workers,
        seed=seed,
        progress=progress,
    )


def _leaf_maps(recipe: Recipe, sources: Sequence[Path]) -> Mapping[tuple[str, str], str]:
    """The leaf maps that the recipe names and those that lie inside the sources."""
    named = [Path(name) for name in recipe.data.groups]
    found = [source / LEAF_MAP_FILE for source in sources if (source / LEAF_MAP_FILE).is_file()]
    leaves: dict[tuple[str, str], str] = {}
    for path in [*named, *found]:
        leaves.update(read_leaf_map(path))
    return leaves
