"""Leaf maps: tables that say which photographs show the same leaf.

Enters: a CSV ``class,file,leaf``. Leaves: the leaf of each photograph, where it is known. It does not know
how photographs are grouped or split.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from leafsight.errors import DatasetError
from leafsight.storage import os_errors_translated

LEAF_MAP_FILE = "leaf_groups.csv"


def read_leaf_map(path: Path) -> dict[tuple[str, str], str]:
    """A CSV with the columns ``class,file,leaf`` as (class, file name) to leaf.

    Raises:
        DatasetError: a column is missing or the text is no CSV.
        StorageError: the file cannot be read.
    """
    leaves: dict[tuple[str, str], str] = {}
    with os_errors_translated(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            missing = {"class", "file", "leaf"} - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(
                    f"{path} lacks the columns {', '.join(sorted(missing))}",
                    hint="it must start with class,file,leaf",
                )
            for row in reader:
                if row["leaf"]:
                    leaves[row["class"], row["file"]] = f"{row['class']}/{row['leaf']}"
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path}, line {reader.line_num}: {error}", hint="save it as UTF-8 CSV"
            ) from error
    return leaves


def leaf_maps_inside(sources: Sequence[Path]) -> dict[tuple[str, str], str]:
    """All leaf maps that lie inside the sources, under their usual name, as one.

    Raises:
        DatasetError: one of them is no leaf map.
        StorageError: one of them cannot be read.
    """
    leaves: dict[tuple[str, str], str] = {}
    for path in (source / LEAF_MAP_FILE for source in sources):
        if path.is_file():
            leaves.update(read_leaf_map(path))
    return leaves


def leaves_of(
    paths: Sequence[str], classes: Sequence[str], leaf_map: Mapping[tuple[str, str], str]
) -> list[str | None]:
    """The leaf of each photograph, looked up by its class and, as classes get renamed, by its folder."""
    leaves = []
    for path, class_name in zip(paths, classes, strict=True):
        folders, _, name = path.rpartition("/")
        folder = folders.rpartition("/")[2]
        leaves.append(leaf_map.get((folder, name)) or leaf_map.get((class_name, name)))
    return leaves
