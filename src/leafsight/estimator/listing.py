"""Photographs and class names as a list that ``leafsight train --data LIST.csv`` takes as well.

Enters: photographs in memory or as paths, a class name and perhaps a group for each. Leaves: a CSV and, for
those that lie in no file, files named by their content. So a fit goes the way of every other collection:
index, duplicates, groups, split. It does not know what is learned.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

import numpy as np

from leafsight.dataset import PhotoIndex
from leafsight.errors import ImageError, StorageError
from leafsight.estimator.photographs import InputError, Item, photo_of, places, png_of
from leafsight.images import DecodeLimits
from leafsight.storage import write_bytes, write_text

LIST_FILE = "photographs.csv"
PICTURES = "photographs"


@dataclass(frozen=True, slots=True)
class Line:
    """One photograph of a list.

    Attributes:
        place: of its file, absolute.
        stamp: changes with what is in the file; empty where the name of the file says it.
        class_name: as in the list.
        group: what must stay together, or empty.
    """

    place: str
    stamp: str
    class_name: str
    group: str


def lines_of(
    items: Sequence[Item], names: Sequence[str], groups: Sequence[str], store: Path, limits: DecodeLimits
) -> list[Line]:
    """A line for each photograph. Files stay where they are; what is in memory is written into ``store``.

    A file that is named twice, as in a bootstrap sample, or whose name no list can hold, is copied.

    Args:
        items: the photographs.
        names: class of each.
        groups: group of each; empty where there is none.
        store: folder for those without a file; made if absent. Files in it are named by their content, so
            that the folds of a cross-validation share them.
        limits: of the decoder.

    Raises:
        InputError: a file is missing, empty or no file at all.
        StorageError: the folder cannot be written.
    """
    taken: set[str] = set()
    copies: Counter[str] = Counter()
    lines = []
    for number, (item, name, group) in enumerate(zip(items, names, groups, strict=True)):
        place, stamp = _own_place(item), ""
        if place and place not in taken:
            stamp = _stamp(place, number)
        else:
            place = _stored(_suffixed(item, number, limits), store, copies)
        taken.add(place)
        lines.append(Line(place, stamp, name, group))
    return lines


def _own_place(item: Item) -> str:
    """Where the file is, if a list can name it."""
    if not isinstance(item, Path):
        return ""
    place = os.path.normpath(item.absolute())
    return place if place == place.strip() and place.isprintable() else ""


def _stamp(place: str, number: int) -> str:
    try:
        status = Path(place).stat()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"X[{number}]: {place}: {reason}", hint="check the path") from error
    if not S_ISREG(status.st_mode):
        raise InputError(f"X[{number}]: {place} is no file", hint="name the photographs themselves")
    return f"{status.st_size} {status.st_mtime_ns}"


def _suffixed(item: Item, number: int, limits: DecodeLimits) -> tuple[bytes, str]:
    """The bytes of a file for the photograph, and how its name ends."""
    if isinstance(item, np.ndarray):
        return png_of(item), ".png"
    try:
        photo = photo_of(item, limits)
    except (StorageError, ImageError) as error:
        raise InputError(f"X[{number}]: {error.message}", hint=error.hint) from error
    assert isinstance(photo, bytes)
    return photo, ".img"


def _stored(photo: tuple[bytes, str], store: Path, copies: Counter[str]) -> str:
    data, suffix = photo
    digest = hashlib.sha256(data).hexdigest()[:32]
    copies[digest] += 1
    # The name ends in a letter: a number there would be taken for the counter of a camera.
    path = store / f"{digest}-{copies[digest]}x{suffix}"
    if not path.exists():
        write_bytes(path, data)
    return os.path.normpath(path.absolute())


def write_list(lines: Sequence[Line], folder: Path) -> tuple[Path, list[str]]:
    """Write the list; its path, and what each photograph is called in an index of it.

    Raises:
        StorageError: the folder cannot be written.
    """
    root = folder.resolve()
    paths = [os.path.relpath(line.place, root).replace(os.sep, "/") for line in lines]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "label", "group"))
    writer.writerows((path, line.class_name, line.group) for path, line in zip(paths, lines, strict=True))
    write_text(folder / LIST_FILE, text.getvalue())
    return folder / LIST_FILE, paths


def refuse_faults(index: PhotoIndex, paths: Sequence[str]) -> None:
    """Refuse photographs that cannot be used, all at once and by their place in ``X``.

    Raises:
        InputError: there are some.
    """
    place_of = {path: number for number, path in enumerate(paths)}
    rows = zip(index.column("path"), index.column("fault"), strict=True)
    faults = {place_of[path]: fault for path, fault in rows if fault is not None}
    if faults:
        raise InputError(
            f"{len(faults)} of {len(paths)} photographs cannot be used: {places(faults)}",
            hint="leave them out",
        )
