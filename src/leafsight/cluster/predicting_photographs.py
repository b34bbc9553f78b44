"""The photographs of a chunk as bytes, one after another, wherever they lie.

Enters: a chunk, on the machine of a worker. Leaves: each photograph with its bytes or the error that keeps
them away. Held at once are the few that are read ahead. What is wrong with all photographs alike, such as a
bucket that lets nobody in, is raised.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from leafsight.cluster.predicting_chunks import UNREADABLE_FOLDER, Chunk, is_photograph
from leafsight.errors import (
    LeafsightError,
    NotFoundError,
    PermissionDeniedError,
    StateBusyError,
    StateError,
    StorageError,
)
from leafsight.images import DecodeLimits, read_photo
from leafsight.state import BucketFiles, open_bucket_files
from leafsight.storage import ArchiveLimits, members_of, os_errors_translated, readable

READ_AHEAD = 8
"""Photographs of a chunk that are asked for at once: a bucket answers after tens of milliseconds."""
BUSY_WAITS_S = (1.0, 4.0, 15.0)
"""Before a bucket that is busy is asked again; each of those asks repeats itself, too."""

Loaded = bytes | LeafsightError


@dataclass(frozen=True, slots=True)
class Found:
    """One photograph.

    Attributes:
        photo: how people know its file.
        member: its name in that file, when that is a tar.
        load: reads it. What it raises is wrong with more than this photograph.
    """

    photo: str
    member: str | None
    load: Callable[[], Loaded]


@contextmanager
def photographs_of(chunk: Chunk, limits: DecodeLimits) -> Iterator[Iterator[Found]]:
    """What a chunk holds, in order; a tar is open until the block ends.

    Args:
        chunk: names.
        limits: of a photograph; of a longer one no more than one byte too many is read.

    Raises:
        StateError: a bucket cannot be read.
        DiskFullError, StorageError: a tar of a bucket finds no room on this machine.
    """
    if not chunk.is_shard:
        yield (Found(chunk.photo(name), None, partial(_read, chunk, name, limits)) for name in chunk.names)
        return
    name = chunk.names[0]
    if not chunk.in_bucket:
        yield _members(Path(chunk.place(name)), chunk.photo(name), limits)
        return
    with tempfile.TemporaryDirectory(prefix="leafsight-") as folder:
        copy = Path(folder) / "tar"
        refused = _of_bucket(chunk.root, name, partial(_fetched, name, copy))
        if isinstance(refused, LeafsightError):
            yield iter([_refused(chunk.photo(name), refused)])
        else:
            yield _members(copy, chunk.photo(name), limits)


def loaded(found: Iterable[Found]) -> Iterator[tuple[Found, Loaded]]:
    """Each with its bytes, read one at a time: for a tar, which goes from its first byte to its last."""
    return ((one, one.load()) for one in found)


def loaded_ahead(found: Iterable[Found]) -> Iterator[tuple[Found, Loaded]]:
    """Each with its bytes, some read while others are worked on."""
    with ThreadPoolExecutor(READ_AHEAD, thread_name_prefix="photographs") as pool:
        waiting: deque[tuple[Found, Future[Loaded]]] = deque()
        for one in found:
            waiting.append((one, pool.submit(one.load)))
            if len(waiting) >= READ_AHEAD:
                first, coming = waiting.popleft()
                yield first, coming.result()
        for first, coming in waiting:
            yield first, coming.result()


def _read(chunk: Chunk, name: str, limits: DecodeLimits) -> Loaded:
    if chunk.in_bucket:
        return _of_bucket(chunk.root, name, lambda files: files.get(name, max_bytes=limits.max_bytes))
    path = Path(chunk.place(name))
    try:
        if name.endswith(UNREADABLE_FOLDER):
            return _folder_refused(path)
        return read_photo(path, limits)
    except LeafsightError as error:
        return error


def _folder_refused(path: Path) -> LeafsightError:
    """Why a folder could not be looked into, asked again."""
    try:
        with os_errors_translated(path):
            os.listdir(path)  # noqa: PTH208 (nothing is done with the names)
    except LeafsightError as error:
        return error
    return StorageError(
        f"{path} could not be looked into when photographs were listed", hint="diagnose it by itself"
    )


def _members(path: Path, photo: str, limits: DecodeLimits) -> Iterator[Found]:
    """The photographs of a tar; what ends it early comes last, as an error of the tar itself."""
    try:
        with os_errors_translated(path):
            for member in members_of(path, ArchiveLimits()):
                if is_photograph(member.name):
                    data = _whole(member.file.read, limits.max_bytes + 1)
                    yield Found(photo, member.name, lambda data=data: data)  # type: ignore[misc]
    except LeafsightError as error:
        told = error.message.replace(str(path), photo)
        error.message = told
        yield _refused(photo, error)


def _whole(read: Callable[[int], bytes], most_bytes: int) -> bytes:
    pieces, left = [], most_bytes
    while left > 0 and (piece := read(min(left, 1024**2))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _refused(photo: str, error: LeafsightError) -> Found:
    return Found(photo, None, lambda: error)


def _fetched(name: str, copy: Path, files: BucketFiles) -> bytes:
    with os_errors_translated(copy):
        files.fetch(name, copy)
    return b""


def _of_bucket(address: str, name: str, ask: Callable[[BucketFiles], bytes]) -> Loaded:
    """What a bucket gives, or the error of this one file.

    Raises:
        StateError: the bucket answers nothing of the kind for any file.
    """
    files = _opened(address)
    for wait_s in (*BUSY_WAITS_S, None):
        try:
            return ask(files)
        except NotFoundError as error:
            return error
        except StateBusyError:
            if wait_s is None:
                raise
            time.sleep(wait_s)
        except StateError:
            files.check()  # raises where it is not about this file
            return PermissionDeniedError(
                f"the bucket does not give {readable(name)}", hint="check who may read it"
            )
    raise AssertionError("the last try returns or raises")


@cache
def _opened(address: str) -> BucketFiles:
    """One client for a bucket and process; it may be used by several threads."""
    return open_bucket_files(address)
