"""Opens every photograph once: row of the index, sketch and embedding from one decode, chunk by chunk.

Enters: found files, and what an earlier look knew of them. Leaves: a table with a row a file. Memory holds
one chunk of photographs, not the collection. It does not know how files are found.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8

from leafsight.dataset.elsewhere import Elsewhere, Seen, Wanted
from leafsight.dataset.embeddings import Embedder, Embeddings
from leafsight.dataset.look import THUMBNAIL_SIDE_PX, look_hash, pixel_hash
from leafsight.dataset.photo_table import (
    MEASURED,
    FoundPhoto,
    PhotoRow,
    Table,
    arrow,
    row_of,
    rows_of,
    table_of,
)
from leafsight.dataset.record_file import RecordWriter
from leafsight.dataset.sketches import Sketches, as_records
from leafsight.errors import LeafsightError, StorageError
from leafsight.images import (
    DecodeLimits,
    Sketch,
    decode,
    draw_sketch,
    measure_appearance,
    read_header,
    read_photo,
)
from leafsight.progress import Progress
from leafsight.storage import available_cores

PHOTOS_PER_TASK = 32
PROCESSES_FROM = 3000
"""Starting processes takes about a second."""

PHOTOS_PER_CHUNK = 4096
"""After a chunk everything is on the disk; a killed run loses less than this."""
TASKS_PER_WORKER = 8
"""A chunk holds so many for each worker elsewhere: at its end all wait for the last."""


@dataclass(slots=True)
class Reading:
    """What a look at files needs beside the files.

    Attributes:
        limits: what is too large to be decoded.
        workers: threads; ``None`` takes one a core.
        progress: told about every photograph.
        sketches: where sketches go; ``None`` makes none.
        embeddings: where embeddings go; ``None`` makes none.
        earlier: tables of earlier looks, the later ones count more.
        keep: told each finished chunk, so that a killed run can go on from it.
        processes: whether many photographs may be read by processes instead of threads. Each imports the
            caller's main module again, so a script must guard its own with ``if __name__ == "__main__"``.
        photos_per_chunk: after so many everything is on the disk; ``None`` takes ``PHOTOS_PER_CHUNK``, and
            more where many look elsewhere.
        elsewhere: who opens the files; ``None`` does it here.
    """

    limits: DecodeLimits
    progress: Progress
    workers: int | None = None
    sketches: Sketches | None = None
    embeddings: Embeddings | None = None
    earlier: Sequence[Table] = ()
    keep: Callable[[Table], None] | None = None
    processes: bool = False
    photos_per_chunk: int | None = None
    elsewhere: Elsewhere | None = None

    def wanted(self) -> Wanted:
        """What is to be found out about each photograph."""
        network = None if self.embeddings is None else self.embeddings.embedder.tag
        return Wanted(self.limits, self.sketches is not None, network)

    def chunk(self) -> int:
        """After how many photographs everything is on the disk."""
        shared = 0 if self.elsewhere is None else self.elsewhere.workers * TASKS_PER_WORKER * PHOTOS_PER_TASK
        return self.photos_per_chunk or max(PHOTOS_PER_CHUNK, shared)


Looks: TypeAlias = Callable[[Sequence[list[PhotoRow]]], Iterator[Seen]]


def read_photos(photos: Sequence[FoundPhoto], name: str, reading: Reading) -> Table:
    """The table of ``photos``, sorted by source and path.

    Args:
        photos: files to open; those with a fault are not opened.
        name: of the collection, for the progress.
        reading: how.

    Raises:
        DatasetError: another process writes the same sketches.
        StorageError: sketches or embeddings cannot be written, or a reading process was killed.
        ClusterError: those who look elsewhere were lost.
    """
    known = _Known(reading.earlier)
    at_once = reading.chunk()
    faulty = 0
    tables = []
    reading.progress.start(f"reading {name}", len(photos))
    with ExitStack() as stack:
        writers = [
            stack.enter_context(part.file.writing()) if part is not None else None
            for part in (reading.sketches, reading.embeddings)
        ]
        looks = _looks(reading, len(photos), stack)
        for first in range(0, len(photos), at_once):
            chunk = photos[first : first + at_once]
            rows = _read_chunk(looks, chunk, known.rows(chunk), reading, writers)
            faulty += sum(row.fault is not None for row in rows)
            tables.append(table_of(rows))
            if reading.keep is not None and len(photos) > at_once:
                for writer in writers:
                    if writer is not None:
                        writer.sync()
                reading.keep(tables[-1])
    reading.progress.finish(f"{faulty} faulty")
    return arrow().concat_tables(tables) if tables else table_of([])


def _looks(reading: Reading, photographs: int, stack: ExitStack) -> Looks:
    """Here or elsewhere; what is started for it ends with ``stack``."""
    if reading.elsewhere is not None:
        return partial(reading.elsewhere.look, wanted=reading.wanted())
    return stack.enter_context(closing(_Pool(reading, photographs))).map


class _Pool:
    """Threads, or processes for many photographs where the caller allows them.

    What is done to a photograph is many short calls into C. Threads that pass Python's lock to and fro
    between them are no faster than one; two processes are. A network cannot be handed to another process,
    and computes long enough without the lock.
    """

    def __init__(self, reading: Reading, photographs: int) -> None:
        workers = reading.workers or available_cores()
        self.look: Callable[[list[PhotoRow]], Seen] = partial(
            look_at,
            wanted=reading.wanted(),
            embedder=None if reading.embeddings is None else reading.embeddings.embedder,
        )
        self._pool: Executor
        apart = reading.processes and reading.embeddings is None and workers > 1
        if apart and photographs >= PROCESSES_FROM:
            context = get_context("spawn")  # a fork would copy locks that other threads hold
            self._pool = ProcessPoolExecutor(workers, context, initializer=_leave_interrupts_to_the_parent)
        else:
            self._pool = ThreadPoolExecutor(workers, thread_name_prefix="index")

    def map(self, tasks: Sequence[list[PhotoRow]]) -> Iterator[Seen]:
        """The answer to each task, in their order."""
        try:
            yield from self._pool.map(self.look, tasks)
        except BrokenExecutor as error:
            raise StorageError(
                "a process that read photographs was killed; there may be too little memory",
                hint="run the command again: what was read is kept",
            ) from error

    def close(self) -> None:
        """Do not wait for tasks that nobody wants any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read_chunk(
    looks: Looks,
    chunk: Sequence[FoundPhoto],
    known: Sequence[PhotoRow | None],
    reading: Reading,
    writers: Sequence[RecordWriter | None],
) -> list[PhotoRow]:
    rows = [row_of(photo) for photo in chunk]
    unread = [
        place
        for place, (row, earlier) in enumerate(zip(rows, known, strict=True))
        if row.fault is None and not _is_known(row, earlier, reading)
    ]
    reading.progress.advance(len(rows) - len(unread))
    parts = [unread[start : start + PHOTOS_PER_TASK] for start in range(0, len(unread), PHOTOS_PER_TASK)]
    for part, seen in zip(parts, looks([[rows[place] for place in part] for part in parts]), strict=True):
        _store(seen, *writers)
        for place, row in zip(part, seen.rows, strict=True):
            rows[place] = row  # another object, where another process made it
        reading.progress.advance(len(part))
    return rows


def _store(seen: Seen, sketches: RecordWriter | None, embeddings: RecordWriter | None) -> None:
    """Write what was made of a task's photographs, and its numbers into their rows."""
    opened = seen.opened()
    if not opened:
        return
    hashes = [row.content_hash or "" for row in opened]
    if sketches is not None and seen.sketched is not None:
        for row, number in zip(opened, sketches.append(seen.sketched, hashes), strict=True):
            row.sketch = number
    if embeddings is not None and seen.embedded is not None:
        for row, number in zip(opened, embeddings.append(seen.embedded, hashes), strict=True):
            row.embedding = number


def _is_known(row: PhotoRow, known: PhotoRow | None, reading: Reading) -> bool:
    """Whether the file need not be opened: it is as it was, or cannot be; its row is filled then."""
    try:
        status = os.stat(f"{row.root}/{row.stored_as or row.path}")  # noqa: PTH116 (a Path takes three times as long)
    except OSError as error:
        row.fault = one_line(f"unreadable: {error.strerror or error}")
        return True
    row.bytes, row.mtime_ns = status.st_size, status.st_mtime_ns
    if known is not None and _is_unchanged(row, known, reading):
        for name in MEASURED:
            setattr(row, name, getattr(known, name))
        return True
    if row.bytes == 0:
        row.fault = "empty-file: the file has no bytes"
    return row.fault is not None


def _is_unchanged(row: PhotoRow, known: PhotoRow, reading: Reading) -> bool:
    """Whether everything that is wanted of the file is known; indexes of format 1 knew less."""
    if (known.bytes, known.mtime_ns) != (row.bytes, row.mtime_ns):
        return False
    if known.fault is not None:
        return True
    return known.brightness is not None and all(
        part is None or part.file.holds(number, known.content_hash)
        for part, number in ((reading.sketches, known.sketch), (reading.embeddings, known.embedding))
    )


def look_at(rows: list[PhotoRow], wanted: Wanted, embedder: Embedder | None) -> Seen:
    """Open the files of ``rows`` and fill the rows; a fault is written into its row.

    Args:
        rows: with size and time of change.
        wanted: what is to be found out.
        embedder: makes embeddings, if wanted.
    """
    seen = Seen(rows)
    sketches: list[Sketch] = []
    squares: list[np.ndarray] = []
    for row in rows:
        try:
            data = read_photo(Path(row.root) / (row.stored_as or row.path), wanted.limits)
            small, sketch = _look_into(row, data, wanted.limits)
            if embedder is not None:
                squares.append(embedder.square(small))
            sketches.append(sketch)
        except LeafsightError as error:
            row.fault = one_line(f"{error.slug}: {error}")
        except OSError as error:
            row.fault = one_line(f"unreadable: {error.strerror or error}")
    if sketches:
        grey, rgb = np.stack([one.grey for one in sketches]), np.stack([one.rgb for one in sketches])
        opened = seen.opened()
        for name, values in measure_appearance(grey, rgb).items():
            for row, value in zip(opened, values.tolist(), strict=True):
                setattr(row, name, value)
        seen.sketched = as_records(sketches) if wanted.sketched else None
        seen.embedded = embedder.halves(np.stack(squares)) if embedder is not None else None
    return seen


def _look_into(
    row: PhotoRow, data: bytes, limits: DecodeLimits
) -> tuple[UInt8[np.ndarray, "height width 3"], Sketch]:
    """Everything from the bytes of the file; the pixels are decoded reduced, which also finds damage."""
    row.bytes = len(data)
    content_hash = hashlib.sha256(data).hexdigest()
    header = read_header(data, limits)
    row.format, row.mode = header.format.value, header.mode
    row.width_px, row.height_px = header.width_px, header.height_px
    row.orientation, row.frames, row.has_gps = header.orientation, header.frames, header.has_gps
    row.camera, row.taken, row.content_hash = header.camera, header.taken, content_hash
    small = decode(data, limits=limits, wanted_side_px=THUMBNAIL_SIDE_PX, header=header)
    row.pixel_hash = pixel_hash(small, header.width_px, header.height_px)
    sketch = draw_sketch(small)
    row.look_hash = look_hash(sketch.cells)
    row.sharpness, row.margin_share = sketch.sharpness, sketch.margin_share
    return small, sketch


class _Known:
    """Rows of earlier looks by where the file is; rows become objects a chunk at a time."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._table = arrow().concat_tables(tables) if tables else None
        self._places: dict[tuple[str, str], int] = {}
        if self._table is not None:
            columns = (self._table.column(name).to_pylist() for name in ("root", "path", "stored_as"))
            for number, (root, path, stored_as) in enumerate(zip(*columns, strict=True)):
                self._places[root, stored_as or path] = number

    def rows(self, photos: Sequence[FoundPhoto]) -> list[PhotoRow | None]:
        """What is known of each, ``None`` where nothing is."""
        places = [self._places.get((photo.root, photo.stored_as or photo.path)) for photo in photos]
        wanted = [place for place in places if place is not None]
        if not wanted or self._table is None:
            return [None] * len(photos)
        found = iter(rows_of(self._table.take(wanted)))
        return [None if place is None else next(found) for place in places]


def one_line(text: str) -> str:
    """``text`` without line breaks, because a fault is one cell of a table."""
    return " ".join(text.split())
