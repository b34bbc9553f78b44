"""A bundle on its way onto the shelf: a hidden part that is filled, synced and checked before it has a name.

Enters: an open bundle. Leaves: a file with the same contents that nobody else can see yet. It does not know
the registry's records. A part is locked by the one who fills it, so that those of the dead can be told.
"""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import BundleCorruptError, BundleError, RequestTooLargeError, StateBusyError
from leafsight.storage import holding, os_errors_translated

PART = ".part"
MANIFEST = "manifest.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
CHUNK_BYTES = 1024 * 1024
ROOM_FOR_HEADERS_BYTES = CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A part: where it lies and the open file to fill it."""

    path: Path
    file: IO[bytes]


@contextmanager
def new_part(folder: Path) -> Iterator[StagedFile]:
    """An empty part in ``folder`` that is gone when the block ends, unless it was renamed before.

    Call it while alone in the registry: only then nobody takes the part for one of the dead.
    """
    path = folder / f".{secrets.token_hex(8)}{PART}"
    with os_errors_translated(path):
        folder.mkdir(parents=True, exist_ok=True)
        # Not mkstemp: its files are private, and the server may be another user.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "w+b") as file, holding(file.fileno(), _taken(path)):
            yield StagedFile(path, file)
    finally:
        with suppress(OSError):
            path.unlink()


def check_size(size_bytes: int, source: Path, most_bytes: int) -> None:
    """Refuse what is too large for the registry, before it is read.

    Raises:
        RequestTooLargeError: more than ``most_bytes``.
    """
    if size_bytes > most_bytes:
        raise RequestTooLargeError(
            f"{source} has {size_bytes} bytes; the registry takes bundles of up to {most_bytes}",
            hint="leave the torch weights out when you export",
        )


def fill(part: StagedFile, bundle: Bundle, most_bytes: int) -> int:
    """Copy a bundle into a part, sync it, and verify what was written.

    Args:
        part: from ``new_part``.
        bundle: open; a folder is packed into one file.
        most_bytes: of the file.

    Returns:
        Bytes of the file.

    Raises:
        BundleCorruptError: the source changed meanwhile.
        RequestTooLargeError: it is too large.
        DiskFullError, PermissionDeniedError, StorageError: from the file system.
    """
    with os_errors_translated(part.path):
        if bundle.path.is_dir():
            check_size(bundle.size_bytes + ROOM_FOR_HEADERS_BYTES, bundle.path, most_bytes)
            _pack(bundle, part.file)
        else:
            _copy(bundle.path, part.file, most_bytes)
        part.file.flush()
        os.fsync(part.file.fileno())
    _compare(part.path, bundle)
    return part.path.stat().st_size


def _copy(source: Path, file: IO[bytes], most_bytes: int) -> None:
    with os_errors_translated(source):
        origin = source.open("rb")
    with origin:
        check_size(os.fstat(origin.fileno()).st_size, source, most_bytes)
        shutil.copyfileobj(origin, file, CHUNK_BYTES)


def _pack(bundle: Bundle, file: IO[bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in (MANIFEST, *bundle.manifest.parts):
            data = bundle.manifest.to_bytes() if name == MANIFEST else bundle.read(name)
            archive.writestr(zipfile.ZipInfo(name, date_time=EPOCH), data)


def _compare(copy: Path, bundle: Bundle) -> None:
    try:
        same = open_bundle(copy).content_hash == bundle.content_hash
    except BundleError:
        same = False
    if not same:
        raise BundleCorruptError(
            f"{bundle.path} changed while it was copied", hint="add it again when nobody writes to it"
        )


def sweep_parts(folder: Path) -> None:
    """Delete the parts that dead processes left in ``folder``; call it while alone in the registry."""
    for path in folder.glob(f".*{PART}"):
        with suppress(OSError, StateBusyError), path.open("rb") as file, holding(file.fileno(), _taken(path)):
            path.unlink()


def _taken(path: Path) -> StateBusyError:
    return StateBusyError(f"another process fills {path}", hint="try again in a moment")
