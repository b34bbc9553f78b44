"""Folders of labelled photographs as archives that a server takes: a class is a folder in them.

Enters: folders and photographs. Leaves: zip files of a size that is sent in a reasonable time. Pixels stay as
they are, and so do the files; what a camera wrote into them is taken out by whoever keeps them. It sends
nothing.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leafsight.errors import UsageError
from leafsight.images import photographs_below
from leafsight.storage import os_errors_translated

MOST_BYTES = 100 * 1024**2
"""Of the photographs of one archive: what breaks is sent again, and servers have a limit."""
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
BLOCK_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Member:
    """A photograph and its place in the archive, ``CLASS/name.jpg``."""

    path: Path
    name: str
    size_bytes: int


def is_archive(path: Path) -> bool:
    """Whether a file goes as it is."""
    return path.name.lower().endswith(ARCHIVES)


def members_of_folder(folder: Path) -> Iterator[Member]:
    """The photographs of a folder, in the order of their names.

    A folder with photographs in it is a class; one with folders only holds classes, however deep they lie.

    Raises:
        StorageError: it is gone, or cannot be read.
    """
    with os_errors_translated(folder):
        for path in photographs_below(folder, _raised):
            yield Member(path, f"{_class_of(path.parent, folder)}/{path.name}", path.stat().st_size)


def shares(members: Sequence[Member], most_bytes: int = MOST_BYTES) -> list[list[Member]]:
    """The members of each archive: as many as fit, at least one."""
    found: list[list[Member]] = []
    held = most_bytes + 1
    for one in members:
        if held + one.size_bytes > most_bytes:
            found.append([])
            held = 0
        found[-1].append(one)
        held += one.size_bytes
    return found


def pack(members: Sequence[Member], path: Path, told: Callable[[int, int], None]) -> None:
    """Write one archive, whole or not at all; the same photographs give the same bytes.

    Args:
        members: of it, at least one.
        path: to write to; it must not be there, or is replaced.
        told: bytes that are packed and bytes of all, after every photograph; what it raises ends the packing.

    Raises:
        UsageError: there are no photographs.
        DiskFullError, PermissionDeniedError, StorageError: a photograph cannot be read or the archive not
            written.
    """
    if not members:
        raise UsageError("there are no photographs in it", hint="give a folder of class folders")
    part = path.with_name(f"{path.name}.part")
    total, done = sum(one.size_bytes for one in members), 0
    with os_errors_translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                    for one in members:
                        with os_errors_translated(one.path):
                            _add(archive, one)
                        done += one.size_bytes
                        told(done, total)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, one: Member) -> None:
    # No time of the file and no rights: the archive says nothing that the photographs do not.
    with one.path.open("rb") as source, archive.open(zipfile.ZipInfo(one.name), "w") as target:
        while block := source.read(BLOCK_BYTES):
            target.write(block)


def _class_of(place: Path, root: Path) -> str:
    return root.name if place == root else place.relative_to(root).as_posix()


def _raised(error: OSError) -> None:
    raise error
