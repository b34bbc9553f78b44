"""The photographs of a snapshot as files, and the original ones with them: one index to train from.

Enters: a snapshot, the store, the index of the original photographs. Leaves: files under names made here, and
an index in which each contribution is in the split of its role; who measures only (``probe``) is in none. It
does not know how a network is trained.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from leafsight.dataset import PhotoIndex, index_photos, joined
from leafsight.errors import ConflictError, NotFoundError
from leafsight.images import sniff_format
from leafsight.storage import write_bytes, write_text

if TYPE_CHECKING:
    from leafsight.retraining.snapshot import Snapshot, SnapshotRow
    from leafsight.retraining.workplace import Workplace

SOURCE = "contributions"
SPLITS = {"train": "train", "calibration": "calibration"}


def with_contributions(place: Workplace, original: PhotoIndex, snapshot: Snapshot) -> PhotoIndex:
    """The original photographs and those of the snapshot, each with its split.

    Args:
        place: store, folder, limits.
        original: with its splits, which stay as they are.
        snapshot: what was accepted.

    Raises:
        ConflictError: a photograph is gone from the store, or cannot be read any more.
        DiskFullError, StorageError, StateBusyError: see ``Blobs.get`` and ``write_bytes``.
    """
    folder = place.folder.photographs
    folder.mkdir(parents=True, exist_ok=True)
    place.telling.start("fetching photographs", len(snapshot.rows))
    names = []
    for row in snapshot.rows:
        names.append(_file(place, row))
        place.telling.advance()
    place.telling.finish()
    lines = io.StringIO()
    table = csv.writer(lines)
    table.writerow(["path", "label", "group"])
    table.writerows([name, row.label, row.group] for name, row in zip(names, snapshot.rows, strict=True))
    listing = folder / f"{SOURCE}.csv"
    write_text(listing, lines.getvalue())
    taught = index_photos(listing, limits=place.limits, progress=place.telling)
    if taught.faults():
        name, fault = taught.faults()[0]
        raise ConflictError(f"the photograph {name} cannot be used: {fault}", hint="reject it, then retrain")
    taught = _placed(taught, dict(zip(names, snapshot.rows, strict=True)))
    return joined([original, taught]).with_split_record(original.split_record)


def _placed(taught: PhotoIndex, rows: dict[str, SnapshotRow]) -> PhotoIndex:
    own = [rows[path] for path in taught.column("path")]
    taught = taught.with_column("split", [SPLITS.get(row.role) for row in own])
    taught = taught.with_column("source", [SOURCE] * len(own))
    return taught.with_column("group", [f"{SOURCE}/{row.group}" for row in own])


def _file(place: Workplace, row: SnapshotRow) -> str:
    """The name of its file, which is written unless it is there: it is whole then."""
    for path in place.folder.photographs.glob(f"{row.id}.*"):
        return path.name
    try:
        data = place.blobs.get(row.blob, max_bytes=place.limits.max_bytes)
    except NotFoundError as error:
        raise ConflictError(
            f"photograph {row.id} of the snapshot is gone from the store", hint="begin another retraining"
        ) from error
    name = f"{row.id}.{sniff_format(data).name.lower()}"
    write_bytes(place.folder.photographs / name, data)
    return name
