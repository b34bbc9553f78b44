"""Whether there is room where leafsight writes, and whether what is written stays."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from leafsight.doctor.findings import Finding, of_error
from leafsight.errors import DiskFullError, LeafsightError
from leafsight.storage import (
    bytes_in_words,
    is_there,
    may_be_made,
    nearest_there,
    os_errors_translated,
    sync_folder,
)

MIB, GIB = 1024**2, 1024**3
LEAST_INODES, FEW_INODES = 100, 10_000
TRIED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that leafsight writes to.

    Attributes:
        name: for the finding.
        folder: which.
        least_bytes: with less room, something does not work.
        few_bytes: with less room, it soon will not.
    """

    name: str
    folder: Path
    least_bytes: int
    few_bytes: int


def places_of(state_dir: Path, cache_dir: Path, max_request_bytes: int) -> tuple[Place, ...]:
    """The three places, with what each of them wants.

    Args:
        state_dir: grows with photographs and models.
        cache_dir: matters to those who fetch and train only, so that nothing fails for it.
        max_request_bytes: what one request may leave in the temporary folder while it is read.
    """
    return (
        Place("state", state_dir, 256 * MIB, 2 * GIB),
        Place("cache", cache_dir, 0, GIB),
        Place("temporary", _temporary(), 16 * MIB, max_request_bytes),
    )


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:  # none can be written: which is what is to be found out
        return Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108


def check_disk(places: tuple[Place, ...]) -> Iterator[Finding]:
    """Room, inodes, and a small file written, synced, renamed and removed."""
    for place in places:
        folder = place.folder.expanduser().absolute()
        try:
            yield _room(place, folder)
            yield from _inodes(place, folder)
        except OSError as error:
            yield Finding(
                f"disk.{place.name}", "fail", f"{folder} cannot be looked at: {error.strerror}",
                "check the mount and its owner",
            )  # fmt: skip
            continue
        yield _writes(place, folder)


def _room(place: Place, folder: Path) -> Finding:
    free = shutil.disk_usage(nearest_there(folder)).free
    name, said = f"disk.{place.name}", f"{bytes_in_words(free)} free at {folder}"
    todo = "free some space, or name a larger disk"
    if free < place.least_bytes:
        return Finding(name, "fail", f"{said}, {bytes_in_words(place.least_bytes)} are wanted at least", todo)
    if free < place.few_bytes:
        return Finding(name, "warn", f"{said}, less than {bytes_in_words(place.few_bytes)}", todo)
    return Finding(name, "ok", said)


def _inodes(place: Place, folder: Path) -> Iterator[Finding]:
    if not hasattr(os, "statvfs"):
        return
    found = os.statvfs(nearest_there(folder))
    if not found.f_files or found.f_favail >= FEW_INODES:  # some file systems have no such number
        return
    yield Finding(
        f"disk.{place.name}_files",
        "fail" if found.f_favail < LEAST_INODES else "warn",
        f"{found.f_favail} more files fit at {folder}",
        "remove many small files, or make a file system with more inodes",
    )


def _writes(place: Place, folder: Path) -> Finding:
    name = f"disk.{place.name}_writes"
    if not is_there(folder):
        if may_be_made(folder):
            return Finding(name, "ok", f"{folder} is not there yet; it can be made")
        said = f"{folder} is not there, and {nearest_there(folder)} cannot be written"
        return Finding(name, "warn" if place.name == "cache" else "fail", said, _todo(place))
    try:
        with os_errors_translated(folder):
            _try(folder)
    except LeafsightError as error:
        found = of_error(name, error)
        todo = found.todo if isinstance(error, DiskFullError) else _todo(place)
        return Finding(name, "warn" if place.name == "cache" else "fail", found.said, todo)
    return Finding(name, "ok", f"a file was written, synced, renamed and removed at {folder}")


def _try(folder: Path) -> None:
    handle, made = tempfile.mkstemp(prefix=".leafsight-doctor-", dir=folder)
    path, moved = Path(made), Path(f"{made}.moved")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(TRIED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.replace(moved)
        sync_folder(folder)
    finally:
        for one in (path, moved):
            with suppress(OSError):
                one.unlink()


def _todo(place: Place) -> str:
    option = {"state": "--state-dir or LEAFSIGHT_STATE_DIR", "cache": "LEAFSIGHT_CACHE_DIR"}
    return f"mount a folder that can be written there, or name one with {option.get(place.name, 'TMPDIR')}"
