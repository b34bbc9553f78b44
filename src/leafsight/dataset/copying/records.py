"""The lists beside a copy: nothing about a photograph is lost, and the copy can be indexed from them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from leafsight.dataset.copying.planning import Planned
from leafsight.dataset.copying.report import LeftOut
from leafsight.dataset.copying.target import PHOTOS_FILE, RECORD_FILE, RECORD_FORMAT
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.shards import CLASS_LIST
from leafsight.storage import os_errors_translated, replacing, write_json, write_text

LEFT_OUT_FILE = "left_out.csv"
INDEX_FILE = "index.parquet"


def write_records(
    folder: Path, photos: Sequence[Planned], classes: Sequence[str], left_out: Sequence[LeftOut]
) -> dict[str, str]:
    """Write ``photos.csv``, ``left_out.csv`` and ``classes.txt``.

    Returns:
        Their names and SHA-256.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: they cannot be written.
    """
    _write_csv(
        folder / PHOTOS_FILE,
        ("path", "label", "group", "split", "source_path", "sha256"),
        ((p.path, p.label, p.group or "", p.split or "", p.source_path, p.sha256) for p in photos),
    )
    _write_csv(
        folder / LEFT_OUT_FILE,
        ("source_path", "label", "split", "kind", "reason"),
        ((o.source_path, o.label, o.split or "", o.kind, o.reason) for o in left_out),
    )
    # A line break in a name would shift all numbers after it.
    lines = (name.replace("\r", "\\r").replace("\n", "\\n") for name in classes)
    write_text(folder / CLASS_LIST, "".join(f"{line}\n" for line in lines))
    return {name: _sha256(folder / name) for name in (PHOTOS_FILE, LEFT_OUT_FILE, CLASS_LIST)}


def write_index(folder: Path, out: Path, index: PhotoIndex, photos: Sequence[Planned]) -> dict[str, str]:
    """Write the index of a copy in folders, as if it had been indexed where it will be.

    Args:
        folder: where it is written now.
        out: where it will be.
        index: the index that the copy was made from.
        photos: the photographs of the copy; ``row`` is their position in ``index``.

    Returns:
        The name of the file and its SHA-256.
    """
    photos = sorted(photos, key=lambda photo: photo.path)
    part = index.rows([photo.row for photo in photos])
    with os_errors_translated(folder):
        times = [(folder / photo.path).stat().st_mtime_ns for photo in photos]
    new: dict[str, list[Any]] = {
        "source": [out.name] * len(photos),
        "root": [str(out)] * len(photos),
        "path": [photo.path for photo in photos],
        "stored_as": [None] * len(photos),
        "mtime_ns": times,
        "sketch": [None] * len(photos),  # places in files that stay with the original
        "embedding": [None] * len(photos),
    }
    for name, values in new.items():
        part = part.with_column(name, values)
    # What is said of the splits counts photographs; it is true of the copy only when none is missing.
    record = index.split_record if len(photos) == len(index) else None
    PhotoIndex(part.table, (), record).save(folder / INDEX_FILE)
    return {INDEX_FILE: _sha256(folder / INDEX_FILE)}


def write_record(folder: Path, layout: str, classes: Sequence[str], files: dict[str, str]) -> None:
    """Write what makes the folder known as a copy, and by which ``--force`` knows what it may replace."""
    told = {"format": RECORD_FORMAT, "layout": layout, "classes": list(classes), "files": files}
    write_json(folder / RECORD_FILE, told)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with replacing(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _sha256(path: Path) -> str:
    with os_errors_translated(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
