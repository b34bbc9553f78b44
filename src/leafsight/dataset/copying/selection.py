"""Which photographs of an index go into a copy, and why the others do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leafsight.dataset.copying.report import LeftOut
from leafsight.dataset.listing_faults import ListingFaults
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.storage import os_errors_translated

# Of equal photographs the one in the earliest of these stays: a test that shrinks can no longer be compared.
KEPT_FIRST = ("test", "calibration", "valid")
MAX_LIST_BYTES = 256 * 1024**2


@dataclass(slots=True)
class Selection:
    """Positions in the index, in its order, and what is not among them."""

    row_ids: list[int] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def select(index: PhotoIndex, *, clean: bool, listed: Path | None) -> Selection:
    """Choose the rows to copy.

    Rows that were never read completely (no hash) are always left out: nobody could say whether the copy is
    right. ``clean`` leaves out every row with a fault, and exact duplicates: all of them where they stand
    under different labels, otherwise all but one, preferably in the test.

    Args:
        index: the collection.
        clean: see above.
        listed: a file with one source path a line: a ``path``, ``source/path`` or absolute path of the index.

    Raises:
        DatasetError: a line of the list that is no photograph, or could be several; all of them are told.
        StorageError: the list cannot be read.
    """
    names = source_paths(index)
    reasons: dict[int, tuple[str, str]] = {}
    hashes = index.column("content_hash")
    for row, fault in enumerate(index.column("fault")):
        if hashes[row] is None or (clean and fault is not None):
            reasons[row] = ("faulty", fault or "it was never read")
    if listed is not None:
        for row, line in _listed_rows(index, listed).items():
            reasons.setdefault(row, ("listed", f"{listed.name} line {line}"))
    if clean:
        _leave_out_duplicates(index, names, reasons)
    selection = Selection()
    columns = zip(names, index.column("class_name"), index.column("split"), strict=True)
    for row, (name, label, split) in enumerate(columns):
        if row in reasons:
            selection.left_out.append(LeftOut(name, label, split, *reasons[row]))
        else:
            selection.row_ids.append(row)
    return selection


def source_paths(index: PhotoIndex) -> list[str]:
    """Collection and name in it of every row, which is what people and lists call a photograph."""
    columns = zip(index.column("source"), index.column("path"), strict=True)
    return [f"{source}/{path}" for source, path in columns]


def _leave_out_duplicates(
    index: PhotoIndex, names: Sequence[str], reasons: dict[int, tuple[str, str]]
) -> None:
    alike: dict[str, list[int]] = defaultdict(list)
    columns = zip(index.column("pixel_hash"), index.column("content_hash"), strict=True)
    for row, (pixels, content) in enumerate(columns):
        if row not in reasons:
            alike[pixels or content].append(row)
    labels, splits = index.column("class_name"), index.column("split")
    for rows in alike.values():
        if len(rows) < 2:
            continue
        classes = sorted({labels[row] for row in rows})
        if len(classes) > 1:
            for row in rows:
                reasons[row] = ("two-labels", f"the same picture is labelled {', '.join(classes)}")
            continue
        kept = min(rows, key=lambda row: (_rank(splits[row]), row))
        for row in rows:
            if row != kept:
                reasons[row] = ("duplicate", f"the same picture as {names[kept]}")


def _rank(split: str | None) -> int:
    return KEPT_FIRST.index(split) if split in KEPT_FIRST else len(KEPT_FIRST)


def _listed_rows(index: PhotoIndex, listed: Path) -> dict[int, int]:
    """Row to line of the list."""
    with os_errors_translated(listed):
        size_bytes = listed.stat().st_size
        text = (
            listed.read_bytes().decode("utf-8-sig", errors="replace") if size_bytes < MAX_LIST_BYTES else ""
        )
    faults = ListingFaults()
    if size_bytes >= MAX_LIST_BYTES:
        faults.add("file", f"{size_bytes} bytes; at most {MAX_LIST_BYTES} are read")
    # Not splitlines: it also breaks at characters that a file name may hold.
    lines = {line.rstrip("\r"): number for number, line in enumerate(text.split("\n"), 1) if line.strip()}
    rows: dict[str, list[int]] = defaultdict(list)
    columns = zip(index.column("path"), source_paths(index), map(str, index.files()), strict=True)
    for row, spellings in enumerate(columns):
        for name in set(spellings) & lines.keys():
            rows[name].append(row)
    for name, number in lines.items():
        if len(rows[name]) != 1:
            what = (
                "no photograph is called" if not rows[name] else f"{len(rows[name])} photographs are called"
            )
            hint = "; write source/path" if rows[name] else ""
            faults.add(f"line {number}", f"{what} {name!r}{hint}")
    faults.raise_if_any(listed, "write one path of the index a line; nothing was copied")
    return {rows[name][0]: number for name, number in lines.items()}
