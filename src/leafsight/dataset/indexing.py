"""From folders, lists and archives of photographs to an index.

Enters: paths. Leaves: a ``PhotoIndex`` in which every file has a row; one that cannot be used says why in
``fault``. Every file is read once. It does not know how the index is split or cached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from leafsight.dataset.archive_members import ArchiveLimits
from leafsight.dataset.archives import find_in_archive, is_archive
from leafsight.dataset.cores import available_cores
from leafsight.dataset.folders import Finding, find_in_folders
from leafsight.dataset.listing import find_in_csv
from leafsight.dataset.look import THUMBNAIL_SIDE_PX, look_hash, pixel_hash
from leafsight.dataset.photo_index import PhotoIndex, joined
from leafsight.dataset.photo_table import FoundPhoto, PhotoRow, row_of, rows_of, table_of
from leafsight.errors import DatasetError, LeafsightError
from leafsight.images import DecodeLimits, decode, read_header, read_photo
from leafsight.progress import Progress, Silent

PHOTOS_PER_TASK = 32


def index_photos(
    source: Path | Sequence[Path],
    *,
    earlier: PhotoIndex | None = None,
    store: Path | None = None,
    classes: Sequence[str] | None = None,
    limits: DecodeLimits | None = None,
    archive_limits: ArchiveLimits | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PhotoIndex:
    """Find, read and describe every photograph.

    Args:
        source: a folder of class folders (or of ``train``/``valid``/``test`` folders of class folders), a
            CSV with the columns ``path,label[,group][,split]``, a tar or zip of class folders, or several
            of these. The name of the folder or file becomes the ``source`` of its rows.
        earlier: an index of the same place; files whose size and time of change are as in it are not read
            again.
        store: folder that photographs from archives are unpacked into, under names made here.
        classes: labels allowed in a CSV; ``None`` allows all.
        limits: what is too large to be decoded.
        archive_limits: what is too large to be unpacked.
        workers: threads that read and decode; ``None`` takes one a core.
        progress: is told about every photograph.

    Returns:
        An index sorted by source and path, faulty photographs included.

    Raises:
        DatasetError: no source, one that is missing or empty, a CSV with faults, an archive that is refused.
        MissingExtraError: pyarrow is not installed.
        StorageError: the store cannot be written.
    """
    sources = [source] if isinstance(source, Path) else list(source)
    if not sources:
        raise DatasetError("no folder, CSV or archive was given", hint="name at least one")
    talk = progress or Silent()
    names = _source_names(sources)
    parts = []
    for path, name in zip(sources, names, strict=True):
        finding = _find(path, name, store, classes, archive_limits or ArchiveLimits(), talk)
        rows = _read_all(finding.photos, earlier, limits or DecodeLimits(), workers, talk, name)
        parts.append(PhotoIndex(table_of(rows), finding.notes))
    index = joined(parts)
    if not len(index.row_ids()):
        name, fault = index.faults()[0]
        raise DatasetError(
            f"none of {len(index)} photographs can be used; {name}: {fault}", hint="check the files"
        )
    return index


def _source_names(sources: Sequence[Path]) -> list[str]:
    """The last part of each path, made different by a number where two are equal."""
    names: list[str] = []
    for path in sources:
        name = base = (
            path.resolve().name.split(".tar")[0].removesuffix(".zip").removesuffix(".csv") or "photos"
        )
        number = 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names


def _find(
    path: Path,
    name: str,
    store: Path | None,
    classes: Sequence[str] | None,
    archive_limits: ArchiveLimits,
    progress: Progress,
) -> Finding:
    if path.is_file() and is_archive(path):
        return find_in_archive(path, name, store, archive_limits, progress)
    if path.is_file() and path.suffix.lower() in {".csv", ".txt"}:
        return find_in_csv(path, name, classes)
    return find_in_folders(path, name)


def _read_all(
    photos: Sequence[FoundPhoto],
    earlier: PhotoIndex | None,
    limits: DecodeLimits,
    workers: int | None,
    progress: Progress,
    name: str,
) -> list[PhotoRow]:
    known = {}
    if earlier is not None:
        known = {(row.root, row.stored_as or row.path): row for row in rows_of(earlier.table)}

    def describe(part: Sequence[FoundPhoto]) -> list[PhotoRow]:
        return [
            _described(photo, known.get((photo.root, photo.stored_as or photo.path)), limits)
            for photo in part
        ]

    tasks = [photos[first : first + PHOTOS_PER_TASK] for first in range(0, len(photos), PHOTOS_PER_TASK)]
    rows: list[PhotoRow] = []
    progress.start(f"reading {name}", len(photos))
    with ThreadPoolExecutor(workers or available_cores(), thread_name_prefix="index") as pool:
        try:
            for done in pool.map(describe, tasks):
                rows.extend(done)
                progress.advance(len(done))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    progress.finish(f"{sum(row.fault is not None for row in rows)} faulty")
    return rows


def _described(photo: FoundPhoto, known: PhotoRow | None, limits: DecodeLimits) -> PhotoRow:
    row = row_of(photo)
    if row.fault is not None:
        return row
    file = Path(photo.root) / (photo.stored_as or photo.path)
    try:
        status = file.stat()
        row.bytes, row.mtime_ns = status.st_size, status.st_mtime_ns
        if known is not None and (known.bytes, known.mtime_ns) == (row.bytes, row.mtime_ns):
            return _with_known(row, known)
        if row.bytes == 0:
            row.fault = "empty-file: the file has no bytes"
            return row
        _look_into(row, read_photo(file, limits), limits)
    except LeafsightError as error:
        row.fault = one_line(f"{error.slug}: {error}")
    except OSError as error:
        row.fault = one_line(f"unreadable: {error.strerror or error}")
    return row


def _look_into(row: PhotoRow, data: bytes, limits: DecodeLimits) -> None:
    """Fill the row from the bytes of its file; the pixels are decoded reduced, which also finds damage."""
    row.bytes = len(data)
    row.content_hash = hashlib.sha256(data).hexdigest()
    header = read_header(data, limits)
    row.format = header.format.value
    row.width_px, row.height_px, row.has_gps = header.width_px, header.height_px, header.has_gps
    small = decode(data, limits=limits, wanted_side_px=THUMBNAIL_SIDE_PX)
    row.pixel_hash = pixel_hash(small, header.width_px, header.height_px)
    row.look_hash = look_hash(small)


_MEASURED = ("fault", "format", "width_px", "height_px", "has_gps", "content_hash", "pixel_hash", "look_hash")


def _with_known(row: PhotoRow, known: PhotoRow) -> PhotoRow:
    for name in _MEASURED:
        setattr(row, name, getattr(known, name))
    return row


def one_line(text: str) -> str:
    """``text`` without line breaks, because a fault is one cell of a table."""
    return " ".join(text.split())
