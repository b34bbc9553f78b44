"""The wanted files of archives, streamed into a store under running numbers, each with its hash.

Enters: an archive of unknown goodwill. Leaves: numbered files and what each was called. Nothing in the
archive chooses where we write; links, ``..`` and bombs are refused as everywhere (room ``storage``).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from leafsight.errors import DatasetError
from leafsight.progress import Progress
from leafsight.storage import ArchiveLimits, Readable, is_litter, members_of, os_errors_translated

COPY_BYTES = 1 << 20
FILES_A_FOLDER = 1000
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file of an archive: its name inside the collection and where its bytes lie now."""

    name: str
    place: Path
    total_bytes: int
    sha256: str


@dataclass(slots=True)
class Store:
    """All that was unpacked so far, by name, and how many files were not wanted or came twice."""

    folder: Path
    files: dict[str, Unpacked] = field(default_factory=dict)
    left_out: int = 0
    twice: int = 0


def unpack(archive: Path, keep: str, store: Store, limits: ArchiveLimits, progress: Progress) -> None:
    """Put the files of ``archive`` whose names match into ``store``.

    A file that comes twice under one name is kept once if both are equal, else under ``name~2``.

    Args:
        archive: tar (also compressed) or zip.
        keep: regular expression; its group is the name inside the collection.
        store: grows.
        limits: when to stop.
        progress: told of every file.

    Raises:
        DatasetError: damaged, encrypted, over a limit, with a link or a path that leads outside, or nothing
            in it matches.
        DiskFullError, PermissionDeniedError: the store cannot be written.
    """
    wanted = re.compile(keep)
    before = len(store.files) + store.twice
    seen: list[str] = []
    progress.start(f"unpacking {archive.name}")
    with os_errors_translated(store.folder):
        for member in members_of(archive, limits):
            seen = seen if len(seen) >= EXAMPLES else [*seen, member.name]
            match = wanted.fullmatch(member.name)
            if match is None or is_litter(match[1]):
                store.left_out += 1
                continue
            _add(_copy(member.file, match[1], store, limits.max_file_bytes, archive), store)
            progress.advance()
    if len(store.files) + store.twice == before:
        raise DatasetError(
            f"{archive} holds none of the photographs that were expected; it begins with: {', '.join(seen)}",
            hint="it may be another archive than the one meant",
        )
    progress.finish(f"{len(store.files)} files")


def _copy(file: Readable, name: str, store: Store, most_bytes: int, archive: Path) -> Unpacked:
    number = len(store.files) + store.twice
    place = store.folder / f"{number // FILES_A_FOLDER:05d}" / f"{number:08d}"
    place.parent.mkdir(parents=True, exist_ok=True)
    digest, written = hashlib.sha256(), 0
    with place.open("wb") as out:
        while block := file.read(COPY_BYTES):
            written += len(block)
            if written > most_bytes:
                raise DatasetError(
                    f"{archive}: entry {name!r} unpacks to more than is allowed ({most_bytes} bytes)",
                    hint="this looks like a bomb; if you trust it, unpack it by hand",
                )
            digest.update(block)
            out.write(block)
    return Unpacked(name, place, written, digest.hexdigest())


def _add(unpacked: Unpacked, store: Store) -> None:
    earlier = store.files.get(unpacked.name)
    if earlier is not None and earlier.sha256 == unpacked.sha256:
        unpacked.place.unlink()
        store.twice += 1
        return
    pure, name, number = PurePosixPath(unpacked.name), unpacked.name, 1
    while name in store.files:
        number += 1
        name = str(pure.with_name(f"{pure.stem}~{number}{pure.suffix}"))
    store.files[name] = Unpacked(name, unpacked.place, unpacked.total_bytes, unpacked.sha256)
