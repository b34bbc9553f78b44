"""From folders, lists and archives of photographs to an index.

Enters: paths. Leaves: a ``PhotoIndex`` in which every file has a row; one that cannot be used says why in
``fault``. Every file is read once. It does not know how the index is split or cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from leafsight.dataset.elsewhere import Elsewhere
from leafsight.dataset.embeddings import Embeddings
from leafsight.dataset.photo_index import PhotoIndex, joined
from leafsight.dataset.photo_table import FoundPhoto, Table
from leafsight.dataset.reading import Reading, read_photos
from leafsight.dataset.sketches import Sketches
from leafsight.dataset.sources import find_photos
from leafsight.errors import DatasetError
from leafsight.images import DecodeLimits
from leafsight.progress import Progress, Silent
from leafsight.storage import ArchiveLimits


def index_photos(
    source: Path | Sequence[Path],
    *,
    earlier: PhotoIndex | Sequence[PhotoIndex] | None = None,
    store: Path | None = None,
    classes: Sequence[str] | None = None,
    limits: DecodeLimits | None = None,
    archive_limits: ArchiveLimits | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    sketches: Sketches | None = None,
    embeddings: Embeddings | None = None,
    keep: Callable[[Table], None] | None = None,
    processes: bool = False,
    photos_per_chunk: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> PhotoIndex:
    """Find, read and describe every photograph.

    Args:
        source: a folder of class folders (or of ``train``/``valid``/``test`` folders of class folders), a
            CSV with the columns ``path,label[,group][,split]``, a COCO JSON, an image folder with metadata, a
            tar or zip of class folders, a tar shard or a folder of tars, or several of these.
            The name of the folder or file becomes the ``source`` of its rows.
        earlier: an index of the same place, or several of which later ones count more; files whose size and
            time of change are as in it are not read again.
        store: folder that photographs from archives are unpacked into, under names made here.
        classes: labels allowed in a CSV; ``None`` allows all.
        limits: what is too large to be decoded.
        archive_limits: what is too large to be unpacked.
        workers: threads that read and decode; ``None`` takes one a core.
        progress: is told about every photograph.
        sketches: where a sketch of every photograph is kept; the column ``sketch`` tells its number.
        embeddings: the same for embeddings.
        keep: told the table of every finished chunk, to go on from after a kill.
        processes: read thousands of photographs by processes, which is twice as fast as threads. Only for
            programs whose main module is guarded by ``if __name__ == "__main__"``.
        photos_per_chunk: how many photographs a chunk holds; ``None`` takes 4,096.
        elsewhere: who opens the files in place of this process.

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
    before = [earlier] if isinstance(earlier, PhotoIndex) else list(earlier or ())
    reading = Reading(
        limits=limits or DecodeLimits(),
        progress=talk,
        workers=workers,
        sketches=sketches,
        embeddings=embeddings,
        earlier=[part.table for part in before],
        keep=keep,
        processes=processes,
        photos_per_chunk=photos_per_chunk,
        elsewhere=elsewhere,
    )
    parts = []
    for path, name in zip(sources, names, strict=True):
        finding = find_photos(path, name, store, classes, archive_limits or ArchiveLimits(), talk)
        parts.append(PhotoIndex(read_photos(finding.photos, name, reading), finding.notes))
    index = joined(parts)
    if not len(index.row_ids()):
        name, fault = index.faults()[0]
        raise DatasetError(
            f"none of {len(index)} photographs can be used; {name}: {fault}", hint="check the files"
        )
    return index


def look_again(
    index: PhotoIndex,
    *,
    earlier: Sequence[PhotoIndex] = (),
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    sketches: Sketches | None = None,
    embeddings: Embeddings | None = None,
    keep: Callable[[Table], None] | None = None,
    processes: bool = False,
    photos_per_chunk: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> PhotoIndex:
    """The photographs of a saved index as they are now, with its classes, groups and splits.

    Args:
        index: any index; its faulty rows stay faulty.
        earlier: as for ``index_photos``; the index itself counts as one.
        limits: as for ``index_photos``.
        workers: as for ``index_photos``.
        progress: as for ``index_photos``.
        sketches: as for ``index_photos``.
        embeddings: as for ``index_photos``.
        keep: as for ``index_photos``.
        processes: as for ``index_photos``.
        photos_per_chunk: as for ``index_photos``.
        elsewhere: as for ``index_photos``.

    Raises:
        DatasetError: none of the photographs can be read any more.
        StorageError: the sketches cannot be written.
    """
    reading = Reading(
        limits=limits or DecodeLimits(),
        progress=progress or Silent(),
        workers=workers,
        sketches=sketches,
        embeddings=embeddings,
        earlier=[part.table for part in (index, *earlier)],
        keep=keep,
        processes=processes,
        photos_per_chunk=photos_per_chunk,
        elsewhere=elsewhere,
    )
    columns = ("source", "root", "path", "class_name", "stored_as", "given_group", "split", "fault")
    photos = [FoundPhoto(*row) for row in zip(*map(index.column, columns), strict=True)]
    again = joined([PhotoIndex(read_photos(photos, "again", reading), index.notes)])
    if not len(again.row_ids()):
        raise DatasetError(
            "none of the photographs of this index is there any more",
            hint="bring the folder back, or index again",
        )
    rows = zip(index.column("source"), index.column("path"), index.column("group"), strict=True)
    groups = {(source, path): group for source, path, group in rows}
    return again.with_column(
        "group",
        [groups[key] for key in zip(again.column("source"), again.column("path"), strict=True)],
    )


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
