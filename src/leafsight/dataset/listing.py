"""Photographs named by a CSV file with the columns path, label and optionally group and split."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from leafsight.dataset.folders import SPLIT_FOLDERS, Finding, found
from leafsight.dataset.photo_table import FoundPhoto
from leafsight.errors import DatasetError, nearest
from leafsight.storage import os_errors_translated

# Other spellings seen in published collections.
COLUMN_NAMES = {
    "path": ("path", "file", "filename", "image", "image_path", "filepath"),
    "label": ("label", "class", "class_name", "category"),
    "group": ("group", "leaf", "plant"),
    "split": ("split", "subset", "fold"),
}
MOST_FAULTS_SHOWN = 40


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
    faults: list[str] = []
    finding = Finding()
    first_line: dict[str, int] = {}
    with os_errors_translated(listing), listing.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            columns = _columns(reader.fieldnames or (), listing)
            for row in reader:
                line = reader.line_num
                photo, complaints = _photo(row, columns, root, source, classes)
                complaints += _named_twice(photo, first_line, line)
                faults += [f"line {line}: {complaint}" for complaint in complaints]
                finding.photos.append(photo)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{listing}, line {reader.line_num}: {error}", hint="save it as UTF-8 CSV"
            ) from error
    if faults:
        shown = faults[:MOST_FAULTS_SHOWN]
        more = [f"and {len(faults) - len(shown)} more"] if len(faults) > len(shown) else []
        lines = "\n".join(f"  {fault}" for fault in shown + more)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DatasetError(f"{listing}: {count}\n{lines}", hint="correct these lines; nothing was indexed")
    if not finding.photos:
        raise DatasetError(
            f"{listing} names no photograph", hint="add a line 'path,label' for each photograph"
        )
    return finding


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


def _photo(
    row: dict[str, str | None],
    columns: dict[str, str],
    root: Path,
    source: str,
    classes: Sequence[str] | None,
) -> tuple[FoundPhoto, list[str]]:
    values = {part: (row.get(name) or "").strip() for part, name in columns.items()}
    complaints = []
    path, label = values["path"], values["label"]
    name = os.path.relpath(root / path, root).replace(os.sep, "/") if path else ""
    if not path:
        complaints.append("no path")
    elif not (root / path).is_file():
        complaints.append(f"no such file: {path!r}")
    if not label:
        complaints.append("no label")
    elif classes is not None and label not in classes:
        close = nearest(label, classes)
        complaints.append(f"unknown class {label!r}" + (f", did you mean {close!r}?" if close else ""))
    split = values.get("split", "")
    split = SPLIT_FOLDERS.get(split.lower(), split)
    photo = found(source, str(root), name, label, split or None)
    group = values.get("group") or None
    if group is not None:
        photo = replace(photo, given_group=group)
    return photo, complaints


def _named_twice(photo: FoundPhoto, first_line: dict[str, int], line: int) -> list[str]:
    earlier = first_line.setdefault(photo.path, line)
    return [f"{photo.path!r} is named in line {earlier} already"] if earlier != line and photo.path else []
