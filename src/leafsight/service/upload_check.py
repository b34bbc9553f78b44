"""The process that opens what a stranger sent: ``python -m leafsight.service.upload_check FILE``.

Enters: one archive of class folders. Leaves: what is in it, as JSON on stdout. It
writes into the folder of the file only, under names made here, and knows neither database nor network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import DatasetError, ImageError, LeafsightError
from leafsight.service.minded import mind
from leafsight.storage import ArchiveLimits

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex

MOST_ENTRIES = 100_000
MOST_UNPACKED_BYTES = 4 * 1024**3
MOST_RATIO = 20.0
"""Photographs hardly shrink: 1.0 to 1.2 for JPEG, up to 10 for drawn PNG or BMP."""
SHOWN, CLASSES, LONGEST = 20, 500, 300


def main(words: Sequence[str] | None = None) -> int:
    """Look into one file and print what was found; 0 also when it is refused, for that is a finding."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--max-bytes", type=int, required=True)
    parser.add_argument("--max-pixels", type=int, required=True)
    given = parser.parse_args(words)
    try:
        found = look_into(given.file, max_bytes=given.max_bytes, max_pixels=given.max_pixels)
    except LeafsightError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return 1
    sys.stdout.write(json.dumps(found, allow_nan=False))
    return 0


def look_into(file: Path, *, max_bytes: int, max_pixels: int) -> dict[str, Any]:
    """What is in an upload.

    Args:
        file: the upload; beside it, files may be made.
        max_bytes: of one photograph.
        max_pixels: of one photograph.

    Raises:
        LeafsightError: it could not be looked into, and that is not its own fault.
    """
    from leafsight.dataset import index_photos
    from leafsight.images import DecodeLimits
    from leafsight.progress import Lines

    try:
        index = index_photos(
            file,
            store=file.parent / "store",
            limits=DecodeLimits(max_bytes=max_bytes, max_pixels=max_pixels),
            archive_limits=archive_limits(max_bytes),
            progress=Lines(sys.stderr),
        )
    except (DatasetError, ImageError) as error:
        return {**nothing_found(), "refused": {"message": _short(error.message, file), "hint": error.hint}}
    return {**nothing_found(), **_found(index, file)}


def archive_limits(max_file_bytes: int) -> ArchiveLimits:
    """What an upload may hold, here and where it is taken in."""
    return ArchiveLimits(
        max_entries=MOST_ENTRIES,
        max_total_bytes=MOST_UNPACKED_BYTES,
        max_file_bytes=max_file_bytes,
        max_ratio=MOST_RATIO,
    )


def nothing_found() -> dict[str, Any]:
    """What is told of every upload, before anything was found."""
    return {
        "refused": None, "photographs": 0, "usable": 0, "classes": 0, "class_counts": {}, "faults": {},
        "faulty": [], "twice": {"photographs": 0, "examples": []}, "notes": [],
    }  # fmt: skip


def _found(index: PhotoIndex, file: Path) -> dict[str, Any]:
    counts = sorted(index.class_counts().items(), key=lambda item: (-item[1], item[0]))
    faults = [(name.partition("/")[2] or name, fault) for name, fault in index.faults()]
    kinds = Counter(fault.partition(":")[0] for _, fault in faults)
    return {
        "photographs": len(index),
        "usable": sum(count for _, count in counts),
        "classes": len(counts),
        "class_counts": {name[:LONGEST]: count for name, count in counts[:CLASSES]},
        "faults": dict(kinds.most_common()),
        "faulty": [
            {"photograph": name[:LONGEST], "fault": _short(fault, file)} for name, fault in faults[:SHOWN]
        ],
        "twice": _twice(index),
        "notes": [_short(note, file) for note in index.notes[:SHOWN]],
    }


def _twice(index: PhotoIndex) -> dict[str, Any]:
    """Photographs with the same pixels: how many are too many, and some of them."""
    same: dict[str, list[str]] = defaultdict(list)
    for digest, path, fault in zip(
        index.column("pixel_hash"), index.column("path"), index.column("fault"), strict=True
    ):
        if fault is None and digest is not None:
            same[digest].append(path[:LONGEST])
    sets = sorted((one for one in same.values() if len(one) > 1), key=len, reverse=True)
    return {
        "photographs": sum(len(one) - 1 for one in sets),
        "examples": [one[:4] for one in sets[:SHOWN]],
    }


def _short(text: str, file: Path) -> str:
    return text.replace(f"{file.parent}/", "").replace(str(file.parent), "the upload")[:1000]


if __name__ == "__main__":
    mind()
    sys.exit(main())
