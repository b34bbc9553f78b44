"""Opens every photograph once: row of the index, sketch and embedding from one decode, chunk by chunk.

Enters: found files, and what an earlier look knew of them. Leaves: a table with a row a file. Memory holds
one chunk of photographs, not the collection. It does not know how files are found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from leafsight.dataset.cores import available_cores
from leafsight.dataset.embeddings import Embeddings
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
from leafsight.errors import LeafsightError
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

PHOTOS_PER_TASK = 32
PHOTOS_PER_CHUNK = 4096
"""After a chunk everything is on the disk; a killed run loses less than this."""


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
    """

    limits: DecodeLimits
    progress: Progress
    workers: int | None = None
    sketches: Sketches | None = None
    embeddings: Embeddings | None = None
    earlier: Sequence[Table] = ()
    keep: Callable[[Table], None] | None = None


@dataclass(slots=True)
class _Seen:
    """One task's photographs; sketches and squares belong to the rows of the same position in ``opened``."""

    rows: list[PhotoRow] = field(default_factory=list)
    opened: list[PhotoRow] = field(default_factory=list)
    sketches: list[Sketch] = field(default_factory=list)
    squares: list[np.ndarray] = field(default_factory=list)
    embedded: np.ndarray | None = None


def read_photos(photos: Sequence[FoundPhoto], name: str, reading: Reading) -> Table:
    """The table of ``photos``, sorted by source and path.

    Args:
        photos: files to open; those with a fault are not opened.
        name: of the collection, for the progress.
        reading: how.

    Raises:
        DatasetError: another process writes the same sketches.
        StorageError: sketches or embeddings cannot be written.
    """
    known = _Known(reading.earlier)
    faulty = 0
    tables = []
    reading.progress.start(f"reading {name}", len(photos))
    with ExitStack() as stack:
        pool = stack.enter_context(
            ThreadPoolExecutor(reading.workers or available_cores(), thread_name_prefix="index")
        )
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        writers = [
            stack.enter_context(part.file.writing()) if part is not None else None
            for part in (reading.sketches, reading.embeddings)
        ]
        for first in range(0, len(photos), PHOTOS_PER_CHUNK):
            chunk = photos[first : first + PHOTOS_PER_CHUNK]
            rows = _read_chunk(pool, chunk, known.rows(chunk), reading, writers)
            faulty += sum(row.fault is not None for row in rows)
            tables.append(table_of(rows))
            if reading.keep is not None and len(photos) > PHOTOS_PER_CHUNK:
                for writer in writers:
                    if writer is not None:
                        writer.sync()
                reading.keep(tables[-1])
    reading.progress.finish(f"{faulty} faulty")
    return arrow().concat_tables(tables) if tables else table_of([])


def _read_chunk(
    pool: ThreadPoolExecutor,
    chunk: Sequence[FoundPhoto],
    known: Sequence[PhotoRow | None],
    reading: Reading,
    writers: Sequence[RecordWriter | None],
) -> list[PhotoRow]:
    tasks = [
        (chunk[start : start + PHOTOS_PER_TASK], known[start : start + PHOTOS_PER_TASK])
        for start in range(0, len(chunk), PHOTOS_PER_TASK)
    ]
    rows: list[PhotoRow] = []
    for seen in pool.map(lambda task: _look_at(task[0], task[1], reading), tasks):
        _store(seen, *writers)
        rows.extend(seen.rows)
        reading.progress.advance(len(seen.rows))
    return rows


def _store(seen: _Seen, sketches: RecordWriter | None, embeddings: RecordWriter | None) -> None:
    """Write what was made of a task's photographs, and its numbers into their rows."""
    if not seen.opened:
        return
    hashes = [row.content_hash or "" for row in seen.opened]
    if sketches is not None:
        numbers = sketches.append(as_records(seen.sketches), hashes)
        for row, number in zip(seen.opened, numbers, strict=True):
            row.sketch = number
    if embeddings is not None and seen.embedded is not None:
        numbers = embeddings.append(seen.embedded, hashes)
        for row, number in zip(seen.opened, numbers, strict=True):
            row.embedding = number


def _look_at(photos: Sequence[FoundPhoto], known: Sequence[PhotoRow | None], reading: Reading) -> _Seen:
    seen = _Seen()
    for photo, earlier in zip(photos, known, strict=True):
        row = row_of(photo)
        seen.rows.append(row)
        if row.fault is None:
            _open(row, earlier, reading, seen)
    if seen.sketches:
        grey, rgb = (
            np.stack([getattr(sketch, name) for sketch in seen.sketches]) for name in ("grey", "rgb")
        )
        for name, values in measure_appearance(grey, rgb).items():
            for row, value in zip(seen.opened, values.tolist(), strict=True):
                setattr(row, name, value)
    if seen.squares and reading.embeddings is not None:
        seen.embedded = reading.embeddings.of(np.stack(seen.squares))
    seen.squares.clear()
    return seen


def _open(row: PhotoRow, known: PhotoRow | None, reading: Reading, seen: _Seen) -> None:
    """Fill a row from its file, or from what is known of the same file; a fault is written into the row."""
    file = Path(row.root) / (row.stored_as or row.path)
    try:
        status = file.stat()
        row.bytes, row.mtime_ns = status.st_size, status.st_mtime_ns
        if known is not None and _is_unchanged(row, known, reading):
            for name in MEASURED:
                setattr(row, name, getattr(known, name))
            return
        if row.bytes == 0:
            row.fault = "empty-file: the file has no bytes"
            return
        _look_into(row, read_photo(file, reading.limits), reading, seen)
    except LeafsightError as error:
        row.fault = one_line(f"{error.slug}: {error}")
    except OSError as error:
        row.fault = one_line(f"unreadable: {error.strerror or error}")


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


def _look_into(row: PhotoRow, data: bytes, reading: Reading, seen: _Seen) -> None:
    """Everything from the bytes of the file; the pixels are decoded reduced, which also finds damage."""
    row.bytes = len(data)
    row.content_hash = hashlib.sha256(data).hexdigest()
    header = read_header(data, reading.limits)
    row.format, row.mode = header.format.value, header.mode
    row.width_px, row.height_px = header.width_px, header.height_px
    row.orientation, row.frames, row.has_gps = header.orientation, header.frames, header.has_gps
    row.camera, row.taken = header.camera, header.taken
    small = decode(data, limits=reading.limits, wanted_side_px=THUMBNAIL_SIDE_PX, header=header)
    row.pixel_hash = pixel_hash(small, header.width_px, header.height_px)
    row.look_hash = look_hash(small)
    sketch = draw_sketch(small)
    row.sharpness, row.margin_share = sketch.sharpness, sketch.margin_share
    square = reading.embeddings.embedder.square(small) if reading.embeddings is not None else None
    seen.opened.append(row)
    seen.sketches.append(sketch)
    if square is not None:
        seen.squares.append(square)


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
