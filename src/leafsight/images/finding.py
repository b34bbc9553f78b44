"""Photographs among the files of a folder, by their names; no file is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".mpo", ".bmp", ".tif", ".tiff"})
"""How files of the formats that ``decode`` reads are called, in lower case."""


def photographs_below(
    folder: Path,
    unreadable: Callable[[OSError], object] = lambda error: None,
    *,
    suffixes: Container[str] = PHOTO_SUFFIXES,
) -> Iterator[Path]:
    """Every photograph in the folder and in those below it, folder by folder, in the order of their names.

    Hidden files are left out.

    Args:
        folder: to begin with.
        unreadable: told of a folder that cannot be read, or vanished; it then holds nothing. What it raises
            ends the search.
        suffixes: what is looked for, in lower case.
    """
    # os.walk does not follow links to folders, so a loop of links cannot trap it.
    for here, folders, files in os.walk(folder, onerror=unreadable):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in suffixes and not name.startswith("."):
                yield Path(here) / name
