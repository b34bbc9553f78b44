"""From an index to a finished copy: choose, check the room, write, list."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from leafsight.dataset.copying.layouts import Written, shard_bytes, write_folders, write_shards
from leafsight.dataset.copying.options import CopyOptions
from leafsight.dataset.copying.planning import Planned, plan_copy
from leafsight.dataset.copying.records import write_index, write_record, write_records
from leafsight.dataset.copying.report import LOST_KINDS, CopyReport
from leafsight.dataset.copying.selection import select
from leafsight.dataset.copying.target import check_target, new_folder, remaining_of_earlier
from leafsight.dataset.folders import SPLIT_FOLDERS
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.errors import DatasetError, DiskFullError
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated

# Lists, index and folders beside the photographs: some 700 bytes a photograph, rounded up.
LISTED_BYTES_PER_PHOTO = 1024


def copy_photos(
    index: PhotoIndex,
    out: Path,
    options: CopyOptions | None = None,
    *,
    leave_out: Path | None = None,
    progress: Progress | None = None,
) -> CopyReport:
    """Write the photographs of an index into a new folder, with their splits.

    The folder is made under another name and renamed at the end: it is complete or not there. Every
    photograph is hashed on its way; one that is not as it was indexed is left out, and the report says so.

    Args:
        index: the photographs; its splits become folders or the names of shards.
        out: the new folder.
        options: layout, links, what is left out.
        leave_out: a file with one source path a line (``source/path``, ``path`` or absolute).
        progress: is told about every photograph.

    Returns:
        What was copied, what was not and why.

    Raises:
        DatasetError: ``out`` is taken, the copy would replace its own originals, a line of ``leave_out`` fits
            no photograph, or nothing is left to copy.
        DiskFullError: there is not room enough; nothing was written.
        PermissionDeniedError, StorageError: the folder cannot be written.
    """
    options = options or CopyOptions()
    with os_errors_translated(out):
        out = out.absolute()
        check_target(out, force=options.force)
        out = out.parent.resolve() / out.name
    selection = select(index, clean=options.clean, listed=leave_out)
    planned, classes = plan_copy(index, selection.row_ids)
    if not planned:
        raise DatasetError("no photograph is left to copy", hint="leave out fewer, or check the collection")
    notes = _about_place(index, planned, out)
    _check_room(planned, out, options)
    with new_folder(out) as folder:
        write = write_folders if options.layout == "folders" else write_shards
        written = write(planned, folder, options, progress or Silent())
        _check_any(written)
        left_out = sorted([*selection.left_out, *written.left_out], key=lambda one: one.source_path)
        files = written.files | write_records(folder, written.photos, classes, left_out)
        if options.layout == "folders":
            files |= write_index(folder, out, index, written.photos)
        write_record(folder, options.layout, classes, files)
    if (before := remaining_of_earlier(out)) is not None:
        notes.append(f"what leafsight did not write into the earlier copy is now in {before}")
    splits = Counter(one.split for one in written.photos if one.split is not None)
    copied = len(written.photos) - written.linked
    return CopyReport(
        str(out),
        options.layout,
        len(written.photos),
        classes,
        dict(sorted(splits.items())),
        written.linked,
        copied,
        copied if options.layout == "folders" and options.link == "hard" else 0,
        len(written.files),
        tuple(left_out),
        (*notes, *_about_splits(splits, options)),
    )


def _about_place(index: PhotoIndex, planned: Sequence[Planned], out: Path) -> list[str]:
    """What follows from where the originals are.

    Raises:
        DatasetError: they lie in the folder that would be replaced.
    """
    roots, stored = index.column("root"), index.column("stored_as")
    notes = []
    for root in sorted({roots[one.row] for one in planned}):
        home = Path(root).resolve()
        if home.is_relative_to(out):
            raise DatasetError(f"the photographs themselves lie in {out}", hint="choose another --out")
        if out.is_relative_to(home) and not all(stored[one.row] for one in planned):
            notes.append(f"{out} lies inside {root}: indexing that folder again will find the copy, too")
    return notes


def _check_room(planned: Sequence[Planned], out: Path, options: CopyOptions) -> None:
    """Compare what will be written with what is free, before anything is written.

    Raises:
        DiskFullError: it does not fit.
    """
    parent = next(folder for folder in out.parents if folder.exists())
    with os_errors_translated(parent):
        device = parent.stat().st_dev
        free_bytes = shutil.disk_usage(parent).free
    if options.layout == "shards":
        needed = sum(shard_bytes(one) for one in planned)
    else:
        near = _devices(planned) if options.link == "hard" else {}
        needed = sum(one.bytes for one in planned if near.get(one.file.parent) != device)
    needed += LISTED_BYTES_PER_PHOTO * len(planned)
    if needed > free_bytes:
        raise DiskFullError(
            f"the copy needs {needed / 1e6:.0f} MB and {parent} has {free_bytes / 1e6:.0f} MB free",
            hint="free some space, choose another disk, or leave out more",
        )


def _devices(planned: Sequence[Planned]) -> dict[Path, int]:
    """The disk of every folder that photographs come from; a folder that is gone is on none."""
    devices = {}
    for folder in {one.file.parent for one in planned}:
        try:
            devices[folder] = folder.stat().st_dev
        except OSError:
            continue
    return devices


def _check_any(written: Written) -> None:
    if written.photos:
        return
    first = next(one for one in written.left_out if one.kind in LOST_KINDS)
    raise DatasetError(
        f"none of the photographs could be copied; {first.source_path}: {first.reason}",
        hint="has the collection moved since it was indexed? index it again",
    )


def _about_splits(splits: Counter[str], options: CopyOptions) -> list[str]:
    odd = sorted(name for name in splits if name.lower() not in SPLIT_FOLDERS)
    if not odd or options.layout != "folders":
        return []
    return [f"'{', '.join(odd)}' is no usual name of a split: index photos.csv of the copy, not its folder"]
