"""Photographs among what a person dropped: files as they are, folders searched through."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".mpo", ".bmp", ".tif", ".tiff"})
MODEL_SUFFIX = ".leafsight"


def told_apart(places: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Photographs and folders, and the models among them, which are known by their ending."""
    photos: list[Path] = []
    models: list[Path] = []
    for place in places:
        (models if place.suffix.lower() == MODEL_SUFFIX else photos).append(place)
    return photos, models


def photographs_among(places: Sequence[Path]) -> Iterator[Path]:
    """Every file that was named, and every photograph below the folders, in the order of their names.

    A file that was named is given whatever it is called: its row says what is wrong with it. Folders are
    searched by their endings, without hidden files. A folder that cannot be read, or vanished, holds
    nothing.
    """
    for place in places:
        if place.is_dir():
            yield from _below(place)
        else:
            yield place


def _below(folder: Path) -> Iterator[Path]:
    # os.walk does not follow links to folders, so a loop of links cannot trap it.
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(here) / name
