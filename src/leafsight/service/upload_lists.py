"""An archive whose photographs a list names: unpacked under names made here, with the classes of the list.

Enters: an archive that a stranger sent. Leaves: an index of the photographs that its CSV names, or nothing
where there is no list; the names of the classes of a shard, where it brings them. It runs in the process that
looks into uploads, and writes beside the archive only.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight.images import DecodeLimits
from leafsight.progress import Progress
from leafsight.service.upload_labels import CLASS_LIST, LONGEST_LABEL, MAX_CSV_BYTES, Row, rows_of
from leafsight.storage import ArchiveLimits, is_litter, members_of, replacing, write_bytes

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex

SHOWN = 5


@dataclass(slots=True)
class Lists:
    """What an archive brings beside its photographs.

    Attributes:
        rows: of its lists, by path in the archive.
        classes: names for the numbers in ``.cls`` files; empty without.
        names: of its files.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    classes: bytes = b""
    names: set[str] = field(default_factory=set)

    @property
    def named(self) -> dict[str, Row]:
        """Lines by the photograph in the archive that they name; a BMP or TIFF is kept as PNG."""
        found = {}
        for path, row in self.rows.items():
            there = path if path in self.names else f"{path}.png"
            if there in self.names:
                found[there] = row
        return found


def lists_in(file: Path, limits: ArchiveLimits) -> Lists:
    """Read what names photographs in an archive.

    Raises:
        DatasetError: as for every archive of a stranger.
    """
    lists = Lists()
    for member in members_of(file, limits):
        if is_litter(member.name):
            continue
        lists.names.add(member.name)
        if member.name.lower().endswith(".csv"):
            for row in rows_of(member.name, member.file.read(MAX_CSV_BYTES)):
                if len(lists.rows) == limits.max_entries:  # no more photographs than that are in an archive
                    break
                lists.rows.setdefault(row.path, row)
        elif member.name.rpartition("/")[2].lower() == CLASS_LIST and not lists.classes:
            lists.classes = member.file.read(MAX_CSV_BYTES)
    return lists


def index_listed(
    file: Path, lists: Lists, limits: DecodeLimits, archive_limits: ArchiveLimits, progress: Progress
) -> PhotoIndex:
    """The index of the photographs that a list names.

    Args:
        file: the archive.
        lists: what is in it; names one photograph at least.
        limits: of the decoder.
        archive_limits: of unpacking.
        progress: told of every photograph.

    Raises:
        DatasetError: none of the photographs can be used.
        StorageError: the disk is full.
    """
    from leafsight.dataset import PhotoIndex, index_photos

    named = lists.named
    places = _unpack(file, named, archive_limits)
    listing = file.parent / "listed.csv"
    with replacing(listing, "w") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["path", "label", "group"])
        for name, place in places.items():
            row = named[name]
            writer.writerow([place, row.label[:LONGEST_LABEL], row.group])
    index = index_photos(listing, limits=limits, progress=progress)
    names = {place: name for name, place in places.items()}
    made = index.column("path")
    index = index.with_column("stored_as", made).with_column("path", [names[one] for one in made])
    return PhotoIndex(index.table, [*index.notes, *_notes(lists)])


def _unpack(file: Path, named: dict[str, Row], limits: ArchiveLimits) -> dict[str, str]:
    """Write the photographs under running numbers; name in the archive -> path beside the archive."""
    places: dict[str, str] = {}
    for member in members_of(file, limits):
        if member.name in named and member.name not in places:
            place = f"listed/{len(places):06d}"
            write_bytes(file.parent / place, member.file.read(limits.max_file_bytes + 1))
            places[member.name] = place
    return places


def _notes(lists: Lists) -> list[str]:
    named = lists.named
    used = {row.path for row in named.values()}
    missing = [path for path in lists.rows if path not in used]
    notes = [f"the classes are those of a list with {len(lists.rows):,} lines"]
    if missing:
        some = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        notes.append(f"{len(missing):,} lines name files that are not in the archive: {some}")
    others = [
        name for name in lists.names - set(named)
        if not name.lower().endswith((".csv", ".txt", ".cls"))
    ]  # fmt: skip
    if others:
        notes.append(f"{len(others):,} photographs are in no list and were left out")
    return notes
