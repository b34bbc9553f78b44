"""Photographs named row by row: a CSV with the columns path, label and optionally group and split."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from leafsight.dataset.folders import SPLIT_FOLDERS, Finding, found
from leafsight.dataset.listing_faults import ListingFaults
from leafsight.dataset.photo_table import FoundPhoto
from leafsight.errors import DatasetError, nearest
from leafsight.storage import os_errors_translated

# Other spellings seen in published collections.
COLUMN_NAMES = {
    "path": ("path", "file", "filename", "file_name", "image", "image_path", "filepath"),
    "label": ("label", "class", "class_name", "category"),
    "group": ("group", "leaf", "plant"),
    "split": ("split", "subset", "fold"),
}


def find_in_csv(listing: Path, source: str, classes: Sequence[str] | None = None) -> Finding:
    """Every photograph that a CSV names; relative paths start at the folder of the CSV.

    Args:
        listing: UTF-8 text with a header line.
        source: name of the collection.
        classes: the labels that are allowed; ``None`` allows every label.

    Raises:
        DatasetError: no header, no rows, or any line with a missing file, an unknown or empty label or a file
            named twice. Every such line is in the message, with its number.
        StorageError: the CSV cannot be read.
    """
    root = listing.resolve().parent
    faults = ListingFaults()
    with os_errors_translated(listing), listing.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            columns = _columns(reader.fieldnames or (), listing)
            values = (
                (reader.line_num, {part: row.get(name) or "" for part, name in columns.items()})
                for row in reader
            )
            photos = list(_photos(values, root, source, classes, faults))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{listing}, line {reader.line_num}: {error}", hint="save it as UTF-8 CSV"
            ) from error
    faults.raise_if_any(listing, "correct these lines; nothing was indexed")
    if not photos:
        raise DatasetError(
            f"{listing} names no photograph", hint="add a line 'path,label' for each photograph"
        )
    return Finding(photos)


def _columns(names: Sequence[str], listing: Path) -> dict[str, str]:
    """Which of the file's columns plays which part."""
    given = {name.strip().lower(): name for name in names if name}
    columns = {
        part: given[spelling]
        for part, spellings in COLUMN_NAMES.items()
        for spelling in reversed(spellings)
        if spelling in given
    }
    if missing := [part for part in ("path", "label") if part not in columns]:
        has = ", ".join(names) or "nothing"
        raise DatasetError(
            f"{listing} has no column {' and no column '.join(missing)}; its first line has: {has}",
            hint="the first line must be: path,label[,group][,split]",
        )
    return columns


def _photos(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    root: Path,
    source: str,
    classes: Sequence[str] | None,
    faults: ListingFaults,
) -> Iterator[FoundPhoto]:
    first_line: dict[str, int] = {}
    for line, values in rows:
        photo, complaints = _photo(values, str(root), source, classes)
        earlier = first_line.setdefault(photo.path, line)
        if earlier != line and photo.path:
            complaints.append(f"{photo.path!r} is named in line {earlier} already")
        for complaint in complaints:
            faults.add(f"line {line}", complaint)
        if not len(faults):  # once one is found nothing is indexed, and a million rows need not be kept
            yield photo


def _photo(
    row: Mapping[str, str], root: str, source: str, classes: Sequence[str] | None
) -> tuple[FoundPhoto, list[str]]:
    values = {part: value.strip() for part, value in row.items()}
    complaints = []
    path, label = values["path"], values["label"]
    name = os.path.relpath(os.path.join(root, path), root).replace(os.sep, "/") if path else ""  # noqa: PTH118
    if not path:
        complaints.append("no path")
    elif not os.path.isfile(os.path.join(root, path)):  # noqa: PTH113, PTH118 (never raises, twice as fast)
        complaints.append(f"no such file: {path!r}")
    if not label:
        complaints.append("no label")
    elif classes is not None and label not in classes:
        close = nearest(label, classes)
        complaints.append(f"unknown class {label!r}" + (f", did you mean {close!r}?" if close else ""))
    split = values.get("split", "")
    split = SPLIT_FOLDERS.get(split.lower(), split)
    # The same few words stand in every line of a long list: one copy of each is enough.
    photo = found(source, root, name, sys.intern(label), sys.intern(split) or None)
    group = values.get("group") or None
    if group is not None:
        photo = replace(photo, given_group=group)
    return photo, complaints
