"""From unpacked files to the folder that people see: class folders, safe names, leaf map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from leafsight.dataset.fetching.cifar import write_pictures
from leafsight.dataset.fetching.collection_records import Collection
from leafsight.dataset.fetching.leaf_map import (
    ClassCoverage,
    LeafPhoto,
    read_plantvillage_map,
    write_leaf_groups,
)
from leafsight.dataset.fetching.papers import LEAVES, OURS, NamedFile, class_of
from leafsight.dataset.fetching.unpacking import Store, Unpacked
from leafsight.dataset.safe_names import safe_names, same_on_disk
from leafsight.progress import Progress
from leafsight.storage import os_errors_translated


def arrange(collection: Collection, store: Store, folder: Path, progress: Progress) -> list[NamedFile]:
    """Give the files of the store their places in ``folder``.

    Args:
        collection: says whether the files are photographs or records of them.
        store: is emptied.
        folder: of the collection, while it is made.
        progress: told of what takes long.

    Returns:
        Every file, sorted by its path.
    """
    if collection.layout == "cifar":
        return named(write_pictures(store.files, folder, progress))
    ours = {same_on_disk(name) for name in OURS}
    asked = {name: f"original-{name}" if same_on_disk(name) in ours else name for name in store.files}
    safe = safe_names(asked.values())
    moved = []
    with os_errors_translated(folder):
        for original, file in store.files.items():
            path = safe[asked[original]]
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            file.place.replace(place)
            moved.append((original, Unpacked(path, place, file.total_bytes, file.sha256)))
    return named(moved)


def named(files: Sequence[tuple[str, Unpacked]]) -> list[NamedFile]:
    """The lines of ``names.csv``."""
    lines = [NamedFile(original, file.name, file.total_bytes, file.sha256) for original, file in files]
    return sorted(lines, key=lambda line: line.path)


def map_leaves(leaf_map: Path, names: Sequence[NamedFile], folder: Path) -> tuple[ClassCoverage, ...]:
    """Write ``leaf_groups.csv`` by PlantVillage's leaf map; how far it reaches in each class."""
    photos = [
        LeafPhoto(
            class_name,
            PurePosixPath(one.path).name,
            class_of(one.original) or "",
            PurePosixPath(one.original).name,
        )
        for one in names
        if (class_name := class_of(one.path)) is not None
    ]
    return write_leaf_groups(read_plantvillage_map(leaf_map), photos, folder / LEAVES)
