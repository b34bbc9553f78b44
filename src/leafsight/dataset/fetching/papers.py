"""What lies beside the photographs of a fetched collection: source, licence, and each file's name and hash.

Enters: what was fetched. Leaves: four files that people and programs read, and from them later the answer
whether everything is still as it came. It does not know the web.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from leafsight.dataset.fetching.collection_records import Collection
from leafsight.dataset.fetching.leaf_map import ClassCoverage
from leafsight.errors import DatasetError, StorageError
from leafsight.progress import Progress
from leafsight.storage import file_sha256, os_errors_translated, read_json, write_json, write_text

RECORD, NAMES, SOURCE, LICENCE, LEAVES = (
    "fetched.json",
    "names.csv",
    "SOURCE.md",
    "LICENCE.txt",
    "leaf_groups.csv",
)
OURS = (RECORD, NAMES, SOURCE, LICENCE, LEAVES)
FORMAT = 1
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One line of ``names.csv``: what the source calls a file, what it is called here, size and hash."""

    original: str
    path: str
    total_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A downloaded file; ``known_from`` says who stated its hash, and is empty for trust on first use."""

    name: str
    url: str
    sha256: str
    total_bytes: int
    known_from: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A collection on the disk.

    Attributes:
        collection: its name.
        folder: where it is.
        is_new: ``False`` when it was there before and everything in it was as it should be.
        photographs: files in class folders.
        classes: class to number of photographs.
        renamed: files that could not keep their names; ``names.csv`` has both.
        left_out: files of the archives that are no part of the collection, or came twice.
        files: what was downloaded.
        coverage: of the leaf map, a class each; empty without one.
    """

    collection: str
    folder: Path
    is_new: bool
    photographs: int
    classes: dict[str, int]
    renamed: int
    left_out: int
    files: tuple[CheckedFile, ...]
    coverage: tuple[ClassCoverage, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "folder": str(self.folder)}


def class_of(path: str) -> str | None:
    """The class of a file by its folder; ``None`` for a file beside the class folders."""
    parts = path.split("/")
    return parts[-2] if len(parts) > 1 else None


def write_papers(
    fetched: Fetched, names: Sequence[NamedFile], collection: Collection, folder: Path, day: str, version: str
) -> None:
    """Write them into ``folder``; ``fetched.json`` last, as it says that all is there.

    Args:
        fetched: what came.
        names: every file.
        collection: what was asked for.
        folder: of the collection, while it is made.
        day: today, ``YYYY-MM-DD``.
        version: of leafsight.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("original", "path", "bytes", "sha256"))
    writer.writerows((one.original, one.path, one.total_bytes, one.sha256) for one in names)
    write_text(folder / NAMES, text.getvalue())
    write_text(folder / LICENCE, _licence(collection))
    write_text(folder / SOURCE, _source(fetched, collection, day))
    plain = fetched.to_dict()
    for key in ("folder", "is_new"):
        del plain[key]
    plain |= {"format": FORMAT, "day": day, "leafsight": version, "names_sha256": file_sha256(folder / NAMES)}
    write_json(folder / RECORD, plain)


def _licence(collection: Collection) -> str:
    licence = collection.licence
    lines = [
        f"{collection.title}: {licence.name}",
        licence.address,
        "",
        licence.notice,
        "",
        "This is what the source is known to state, not advice. A licence text that came with the",
        "collection, such as LICENSE.txt, counts more.",
    ]
    return "\n".join(lines) + "\n"


def _source(fetched: Fetched, collection: Collection, day: str) -> str:
    lines = [f"# {collection.title}", ""]
    lines += [line for line in (collection.what, collection.homepage, collection.citation) if line]
    lines += [f"Licence: {collection.licence.name}, {collection.licence.address}", ""]
    lines += [f"Fetched on {day} by leafsight.", ""]
    for file in fetched.files:
        told = (
            f"known from: {file.known_from}" if file.known_from else "nobody stated it: trusted on first use"
        )
        lines.append(
            f"- {file.name}: {file.total_bytes} bytes, SHA-256 {file.sha256} ({told}), from {file.url}"
        )
    if collection.hub:
        lines.append(f"- {collection.hub}, read through deeplake; nothing states a hash of the whole")
    lines += ["", f"{fetched.photographs} photographs in {len(fetched.classes)} classes."]
    lines.append(f"{fetched.renamed} files could not keep their names; {NAMES} has both.")
    lines.append(f"{fetched.left_out} files of the archives are no part of the collection or came twice.")
    if fetched.coverage:
        lines += ["", "| class | photographs | of a known leaf | leaves |", "|---|---|---|---|"]
        lines += [
            f"| {one.class_name} | {one.photographs} | {one.mapped} | {one.leaves} |"
            for one in fetched.coverage
        ]
    return "\n".join(lines) + "\n"


def is_fetched(folder: Path) -> bool:
    """Whether a collection was finished there."""
    return (folder / RECORD).is_file()


def verify(folder: Path, collection: Collection, progress: Progress) -> Fetched:
    """Look at every file of a finished collection, and change nothing.

    Raises:
        DatasetError: another collection is there, or files are missing or changed; some are named.
        StorageError: its record cannot be read.
    """
    record = _record(folder)
    if record["collection"] != collection.name:
        raise DatasetError(
            f"{folder} holds the collection '{record['collection']}'", hint="give another folder with --out"
        )
    names = folder / NAMES
    if not names.is_file() or file_sha256(names) != record["names_sha256"]:
        raise DatasetError(
            f"{names} is missing or was changed", hint=f"move {folder} away and fetch it again"
        )
    wrong = []
    with os_errors_translated(names), names.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    progress.start(f"verifying {collection.name}", len(rows))
    for row in rows:
        place = folder / row["path"]
        if (
            not place.is_file()
            or place.stat().st_size != int(row["bytes"])
            or file_sha256(place) != row["sha256"]
        ):
            wrong.append(row["path"])
        progress.advance()
    progress.finish(f"{len(rows) - len(wrong)} files are as they came")
    if wrong:
        shown = ", ".join(wrong[:MOST_SHOWN]) + (", ..." if len(wrong) > MOST_SHOWN else "")
        raise DatasetError(
            f"{folder}: {len(wrong)} of {len(rows)} files are missing or were changed: {shown}",
            hint="nothing was touched; move the folder away and fetch the collection again",
        )
    return _from_record(record, folder)


def _record(folder: Path) -> dict[str, Any]:
    record = read_json(folder / RECORD)
    if (
        not isinstance(record, dict)
        or record.get("format") != FORMAT
        or not isinstance(record.get("collection"), str)
    ):
        raise StorageError(
            f"{folder / RECORD} is damaged or was written by another leafsight",
            hint=f"move {folder} away and fetch it again",
        )
    return record


def _from_record(record: dict[str, Any], folder: Path) -> Fetched:
    try:
        return Fetched(
            record["collection"],
            folder,
            is_new=False,
            photographs=record["photographs"],
            classes=record["classes"],
            renamed=record["renamed"],
            left_out=record["left_out"],
            files=tuple(CheckedFile(**file) for file in record["files"]),
            coverage=tuple(ClassCoverage(**one) for one in record["coverage"]),
        )
    except (KeyError, TypeError) as error:
        raise StorageError(
            f"{folder / RECORD} is damaged: {error}", hint="fetch the collection again"
        ) from error


def counted_classes(names: Sequence[NamedFile]) -> dict[str, int]:
    """Photographs a class, sorted by name."""
    return dict(sorted(Counter(name for one in names if (name := class_of(one.path)) is not None).items()))
