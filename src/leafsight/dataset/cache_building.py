"""Filling the file of a pixel cache, chunk by chunk, so that a killed build goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from leafsight.dataset.cache_record import CacheRecord, Chunk, Journal
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.errors import CorruptImageError, DatasetError, LeafsightError
from leafsight.images import DecodeLimits, Preprocessing, prepare_bytes, read_photo
from leafsight.progress import Progress
from leafsight.storage import available_cores, holding, os_errors_translated, sync_folder

# Large enough that hashing and syncing cost nothing beside decoding, small enough to lose little.
CHUNK_BYTES = 16 * 1024 * 1024
# A thread hands over a few at a time: passing single pictures of a millisecond between threads costs as much.
PHOTOS_PER_TASK = 8
_VERIFY_BLOCK_BYTES = 1 << 20


def build_pixels(
    usable: PhotoIndex,
    folder: Path,
    key: str,
    preprocessing: Preprocessing,
    limits: DecodeLimits,
    workers: int | None,
    progress: Progress,
) -> None:
    """Write ``<key>.pixels`` and ``<key>.json`` into ``folder``.

    Pixels grow in ``<key>.part``; ``<key>.journal`` names the finished chunks with their hashes. Both are
    renamed or removed at the end. Threads decode: read, JPEG decoding, resizing and SHA-256 all release
    Python's lock.

    Raises:
        DatasetError: another process builds this cache now.
        DiskFullError: no room for the whole cache, or the disk filled up; finished chunks stay for the
            next run. PermissionDeniedError, StorageError: the folder cannot be written.
    """
    part, journal = folder / f"{key}.part", Journal(folder / f"{key}.journal")
    per_photo_bytes = preprocessing.side_px**2 * 3
    with os_errors_translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with (
        os_errors_translated(part),
        part.open("r+b" if part.exists() else "w+b") as file,
        holding(
            file.fileno(),
            DatasetError(f"another process is building {part}", hint="wait for it to end"),
        ),
    ):
        done = _intact(journal.chunks(), file.fileno(), per_photo_bytes)
        journal.restart(done)
        _reserve(
            file.fileno(), len(usable) * per_photo_bytes, sum(chunk.kept for chunk in done) * per_photo_bytes
        )
        chunks = _fill(file.fileno(), usable, done, journal, preprocessing, limits, workers, progress)
        record = CacheRecord(key, preprocessing.side_px, preprocessing.to_dict(), tuple(chunks))
        os.ftruncate(file.fileno(), record.kept * per_photo_bytes)
        os.fsync(file.fileno())
        part.replace(folder / f"{key}.pixels")
        sync_folder(folder)
        # The sidecar comes last: pixels without one are not taken for finished.
        record.save(folder / f"{key}.json")
        journal.remove()


def _fill(
    handle: int,
    usable: PhotoIndex,
    done: list[Chunk],
    journal: Journal,
    preprocessing: Preprocessing,
    limits: DecodeLimits,
    workers: int | None,
    progress: Progress,
) -> list[Chunk]:
    files, hashes = usable.files(), usable.column("content_hash")
    per_photo_bytes = preprocessing.side_px**2 * 3
    per_chunk = max(1, CHUNK_BYTES // per_photo_bytes)
    chunks = list(done)
    first = sum(chunk.photographs for chunk in chunks)
    offset = sum(chunk.kept for chunk in chunks) * per_photo_bytes

    def prepared(positions: range) -> list[UInt8[np.ndarray, "side side 3"] | str]:
        return [_prepared(files[position], hashes[position], preprocessing, limits) for position in positions]

    progress.start("decoding photographs", len(files))
    progress.advance(first)
    with ThreadPoolExecutor(workers or available_cores(), thread_name_prefix="decode") as pool:
        while first < len(files):
            positions = range(first, min(first + per_chunk, len(files)))
            tasks = [
                positions[start : start + PHOTOS_PER_TASK]
                for start in range(0, len(positions), PHOTOS_PER_TASK)
            ]
            results: list[UInt8[np.ndarray, "side side 3"] | str] = []
            for some in pool.map(prepared, tasks):
                results.extend(some)
                progress.advance(len(some))
            pictures = [result for result in results if not isinstance(result, str)]
            faults = [
                (p, result) for p, result in zip(positions, results, strict=True) if isinstance(result, str)
            ]
            written, digest = _written(handle, pictures, offset)
            chunks.append(Chunk(len(positions), len(pictures), digest, tuple(faults)))
            journal.add(chunks[-1])
            first, offset = positions.stop, offset + written
    progress.finish(f"{sum(len(chunk.faults) for chunk in chunks)} faulty")
    return chunks


def _prepared(
    file: Path, content_hash: str, preprocessing: Preprocessing, limits: DecodeLimits
) -> UInt8[np.ndarray, "side side 3"] | str:
    """The picture, or why there is none."""
    try:
        data = read_photo(file, limits)
        if hashlib.sha256(data).hexdigest() != content_hash:
            raise CorruptImageError("the file changed after it was indexed; index again")
        return prepare_bytes(data, preprocessing, limits)
    except LeafsightError as error:
        return " ".join(f"{error.slug}: {error}".split())
    except OSError as error:
        return f"unreadable: {error.strerror or error}"


def _written(
    handle: int, pictures: Sequence[UInt8[np.ndarray, "side side 3"]], offset: int
) -> tuple[int, str]:
    """Put pictures at ``offset``, wait for the disk; bytes written and their SHA-256."""
    digest, place = hashlib.sha256(), offset
    for picture in pictures:
        view = memoryview(picture.tobytes())
        digest.update(view)
        while len(view):
            count = os.pwrite(handle, view, place)
            place, view = place + count, view[count:]
    os.fsync(handle)
    return place - offset, digest.hexdigest()


def _reserve(handle: int, size_bytes: int, done_bytes: int) -> None:
    """Take the room now, so that a disk that is too full says so before an hour of decoding."""
    if not hasattr(os, "posix_fallocate"):
        os.ftruncate(handle, size_bytes)
        return
    try:
        os.posix_fallocate(handle, 0, size_bytes)
    except OSError:
        # What could be had would fill the disk for everybody; only the finished chunks stay.
        os.ftruncate(handle, done_bytes)
        raise


def _intact(chunks: list[Chunk], handle: int, per_photo_bytes: int) -> list[Chunk]:
    """The leading chunks whose pixels are what the journal says; a power cut may have torn the others."""
    offset = 0
    for number, chunk in enumerate(chunks):
        digest, end = hashlib.sha256(), offset + chunk.kept * per_photo_bytes
        while offset < end:
            block = os.pread(handle, min(_VERIFY_BLOCK_BYTES, end - offset), offset)
            if not block:
                return chunks[:number]
            digest.update(block)
            offset += len(block)
        if digest.hexdigest() != chunk.sha256:
            return chunks[:number]
    return chunks
