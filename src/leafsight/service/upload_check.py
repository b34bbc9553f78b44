"""The process that opens what a stranger sent: ``python -m leafsight.service.upload_check FILE``.

Enters: one archive or photograph, and the model that serves. Leaves: what is in it, as JSON on stdout; what
was found out about each photograph, as files beside it. It writes into the folder of the file only, under
names made here, and knows neither database nor network.
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
from leafsight.feedback import Sent
from leafsight.images import DecodeLimits
from leafsight.service.upload_labels import CLASS_LIST
from leafsight.storage import ArchiveLimits, mind

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
    parser.add_argument("--bundle", type=Path, help="of the model that serves; without it nothing is judged")
    parser.add_argument(
        "--label-file", type=Path, help="holds the class of one photograph; without it the file is an archive"
    )
    given = parser.parse_args(words)
    limits = DecodeLimits(max_bytes=given.max_bytes, max_pixels=given.max_pixels)
    try:
        if given.label_file is None:
            found = look_into(
                given.file, max_bytes=given.max_bytes, max_pixels=given.max_pixels, bundle=given.bundle
            )
        else:
            sent = [Sent(given.file.name, given.label_file.read_text(encoding="utf-8"), given.file)]
            found = _examined(sent, given.bundle, given.file.parent, limits)
    except LeafsightError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return 1
    sys.stdout.write(json.dumps(found, allow_nan=False))
    return 0


def look_into(file: Path, *, max_bytes: int, max_pixels: int, bundle: Path | None = None) -> dict[str, Any]:
    """What is in an upload.

    Args:
        file: the upload; beside it, files may be made.
        max_bytes: of one photograph.
        max_pixels: of one photograph.
        bundle: of the model that serves; with it, each photograph is judged (``feedback.examine``).

    Raises:
        LeafsightError: it could not be looked into, and that is not its own fault.
    """
    limits = DecodeLimits(max_bytes=max_bytes, max_pixels=max_pixels)
    try:
        index = _index(file, limits, archive_limits(max_bytes))
    except (DatasetError, ImageError) as error:
        return {**nothing_found(), "refused": {"message": _short(error.message, file), "hint": error.hint}}
    found = {**nothing_found(), **_found(index, file)}
    return found if bundle is None else {**found, **_examined(_sent(index), bundle, file.parent, limits)}


def _index(file: Path, limits: DecodeLimits, unpacked: ArchiveLimits) -> PhotoIndex:
    """By the list in the archive, where there is one that names photographs in it; else by its folders."""
    from leafsight.dataset import index_photos
    from leafsight.progress import Lines
    from leafsight.service.upload_lists import index_listed, lists_in

    lists, talk = lists_in(file, unpacked), Lines(sys.stderr)
    if lists.named:
        return index_listed(file, lists, limits, unpacked, talk)
    if lists.classes:
        (file.parent / CLASS_LIST).write_bytes(lists.classes)  # the room looks for it beside the archive
    return index_photos(
        file, store=file.parent / "store", limits=limits, archive_limits=unpacked, progress=talk
    )


def _sent(index: PhotoIndex) -> list[Sent]:
    """The photographs that can be used, each with its class."""
    usable = index.usable()
    columns = (usable.column(name) for name in ("path", "class_name", "given_group"))
    rows = zip(*columns, usable.files(), strict=True)
    return [Sent(name, class_name, file, group) for name, class_name, group, file in rows]


def _examined(sent: list[Sent], bundle: Path, folder: Path, limits: DecodeLimits) -> dict[str, Any]:
    from leafsight.feedback import examine
    from leafsight.progress import Lines

    done = examine(sent, bundle, folder, limits=limits, progress=Lines(sys.stderr))
    faults = [{"photograph": name[:LONGEST], "fault": fault[:LONGEST]} for name, fault in done.faults[:SHOWN]]
    return {"examined": {"photographs": done.photographs, "faulty": faults, "left_out": done.left_out}}


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
