"""A Deep Lake set on Activeloop as class folders, through the optional library deeplake.

Deep Lake 4 cannot *open* a set of the version-3 format, which Activeloop's public sets are in, but it can
*query* one (its ``open_read_only`` says "does not exist"; issue 3076 of activeloopai/deeplake). So every
photograph is read through a query, as the bytes that were once put in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leafsight.dataset.fetching.unpacking import Unpacked
from leafsight.dataset.safe_names import safe_siblings
from leafsight.errors import DatasetError, MissingExtraError, StorageError, require
from leafsight.progress import Progress
from leafsight.storage import os_errors_translated, write_bytes

# 4.x is needed for Python 3.13; 3.9 is MPL-2.0, the wheels of 4.x state no licence.
PIP_LINE = "pip install 'deeplake>=4.1'"
ENDINGS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png"}
MAX_FILE_BYTES = 64 * 1024 * 1024
MOST_REASON_CHARACTERS = 400


def fetch_hub_set(address: str, folder: Path, progress: Progress) -> list[tuple[str, Unpacked]]:
    """Write every photograph of the set to ``folder/CLASS/NUMBER.jpg``; those that are there stay.

    Args:
        address: ``hub://organisation/set``, or a folder that holds a set.
        folder: of the collection; a killed run goes on after the last photograph written.
        progress: told of every photograph.

    Returns:
        For each photograph: its row, and the file, its name relative to ``folder``.

    Raises:
        MissingExtraError: deeplake is not installed; the hint is the pip line.
        StorageError: Activeloop cannot be reached or does not give the set.
        DatasetError: the set has no photographs with labels.
    """
    rows = _rows(address)
    images, labels, names = _columns(rows, address)
    safe = safe_siblings(names, are_folders=True)
    written: list[tuple[str, Unpacked]] = []
    progress.start(f"reading {address}", len(rows))
    for number in range(len(rows)):
        label = _asked(address, lambda number=number: int(rows[number][labels].reshape(-1)[0]))
        if not 0 <= label < len(names):
            raise DatasetError(f"{address}: row {number} has the label {label} of {len(names)} classes")
        stem = f"{safe[names[label]]}/{number:06d}"
        written.append((f"row {number}", _photograph(rows, images, number, folder, stem, address)))
        progress.advance()
    progress.finish(f"{len(written)} photographs")
    return written


def _rows(address: str) -> Any:
    try:
        deeplake = require("deeplake", "activeloop")
    except MissingExtraError as error:
        error.hint = f"{PIP_LINE}; or fetch 'plantvillage-augmented', which needs no library"
        raise
    if not hasattr(deeplake, "query"):
        raise StorageError("this deeplake is too old: it has no 'query'", hint=PIP_LINE)
    return _asked(address, lambda: deeplake.query(f'SELECT * FROM "{address}"'))  # noqa: S608 (the record allows no quotes)


def _asked(address: str, ask: Any) -> Any:
    """What deeplake answers; whatever it raises (its errors share no base class) names the set."""
    try:
        return ask()
    except Exception as error:
        reason = " ".join(str(error).split())[:MOST_REASON_CHARACTERS] or type(error).__name__
        raise StorageError(
            f"{address}: {reason}",
            hint="check the connection, set ACTIVELOOP_TOKEN if it wants one, run it again; what came stays",
        ) from error


def _columns(rows: Any, address: str) -> tuple[str, str, Sequence[str]]:
    """The columns of pictures and labels, and the names of the classes."""
    columns = [column.name for column in rows.schema.columns]
    images = next((name for name in ("images", "image") if name in columns), None)
    labels = next((name for name in ("labels", "label") if name in columns), None)
    if images is None or labels is None or len(rows) == 0:
        raise DatasetError(f"{address} has no photographs with labels; its columns: {', '.join(columns)}")
    names = dict(rows[labels].metadata).get("class_names") or ()
    if not names or not all(isinstance(name, str) and name for name in names):
        raise DatasetError(f"{address} does not name its classes")
    return images, labels, list(names)


def _photograph(rows: Any, images: str, number: int, folder: Path, stem: str, address: str) -> Unpacked:
    for ending in ENDINGS.values():
        place = folder / (stem + ending)
        if place.is_file():
            data = place.read_bytes()
            return Unpacked(stem + ending, place, len(data), hashlib.sha256(data).hexdigest())
    data = bytes(_asked(address, lambda: rows[images].get_bytes(number)))
    ending = next((ending for magic, ending in ENDINGS.items() if data.startswith(magic)), "")
    if not ending or len(data) > MAX_FILE_BYTES:
        raise DatasetError(
            f"{address}: row {number} is neither JPEG nor PNG, or is too large ({len(data)} bytes)"
        )
    place = folder / (stem + ending)
    with os_errors_translated(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(place, data)
    return Unpacked(stem + ending, place, len(data), hashlib.sha256(data).hexdigest())
