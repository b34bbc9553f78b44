"""Labels that lie beside photographs in an archive: ``.cls`` files of shards, ``classes.txt``, a CSV.

Enters: a file of an archive. Leaves: the part of it that says which class a photograph is of, written anew,
or nothing. What else stands in it (places, names, times) is left out. It does not know the photographs.
"""

from __future__ import annotations

import csv
import io
import posixpath
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CLASS_LIST = "classes.txt"
MOST_ROWS, MOST_CLASSES = 100_000, 5000
LONGEST_LABEL, LONGEST_PATH = 200, 1000
MAX_CSV_BYTES, MAX_CLS_BYTES, MAX_CLASS_LIST_BYTES = 32 * 1024**2, 4096, 1024**2
# As room ``dataset`` reads lists, so that one list works here and there.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "image", "image_path", "filepath"),
    "label": ("label", "class", "class_name", "category"),
    "group": ("group", "leaf", "plant"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list: a photograph, relative to the top of the archive, its class, what it belongs to."""

    path: str
    label: str
    group: str


def label_file(name: str, data: bytes) -> bytes | None:
    """What is kept of a file that is no photograph; None when nothing is.

    Args:
        name: in the archive.
        data: what is in it.
    """
    last = name.rpartition("/")[2].lower()
    if last.endswith(".cls") and len(data) <= MAX_CLS_BYTES:
        return _words(_text(data)).encode() or None
    if last == CLASS_LIST and len(data) <= MAX_CLASS_LIST_BYTES:
        lines = [_words(line) for line in _text(data).splitlines()[:MOST_CLASSES]]
        return "\n".join(lines).encode() if any(lines) else None
    if last.endswith(".csv") and len(data) <= MAX_CSV_BYTES:
        return _written(name, data)
    return None


def rows_of(name: str, data: bytes) -> list[Row]:
    """The lines of a list, those without path or label left out; none where it is no such list.

    Args:
        name: of the CSV in the archive; paths start at its folder.
        data: what is in it.
    """
    try:
        return list(_rows(name, data))
    except csv.Error:
        return []


def _rows(name: str, data: bytes) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(_text(data).removeprefix("\ufeff"), newline=""))
    given = {one.strip().lower(): one for one in reader.fieldnames or () if one}
    columns = {
        part: next((given[one] for one in names if one in given), "") for part, names in COLUMNS.items()
    }
    if not columns["path"] or not columns["label"]:
        return
    home = name.rpartition("/")[0]
    for number, line in enumerate(reader):
        if number >= MOST_ROWS:
            return
        path, label, group = (_words(line.get(column) or "", LONGEST_PATH) for column in columns.values())
        if path and label:
            yield Row(_at(home, path), label[:LONGEST_LABEL], group[:LONGEST_LABEL])


def _written(name: str, data: bytes) -> bytes | None:
    """The same list with the columns that are needed, and no others."""
    rows = rows_of(name, data)
    if not rows:
        return None
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "label", "group"])
    home = name.rpartition("/")[0]
    for row in rows:
        writer.writerow([posixpath.relpath(row.path, home or "."), row.label, row.group])
    return out.getvalue().encode()


def _at(home: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(home, path.replace("\\", "/")))


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _words(text: str, longest: int = LONGEST_LABEL) -> str:
    """One line without control characters."""
    spaced = "".join(
        " " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text[: 4 * longest]
    )
    return " ".join(spaced.split())[:longest]
