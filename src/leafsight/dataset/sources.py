"""Which kind of source a path is, told by what is in it, and every photograph that it names.

Enters: a path. Leaves: a ``Finding``, whose notes say what the source was read as. It opens no photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from leafsight.dataset.archives import find_in_archive, is_archive
from leafsight.dataset.coco import coco_listings, find_in_coco, find_in_coco_folder
from leafsight.dataset.folders import Finding, find_in_folders
from leafsight.dataset.image_folder import NotMetadataError, find_in_image_folder, metadata_files
from leafsight.dataset.listing import find_in_csv
from leafsight.dataset.shards import shard_files
from leafsight.errors import DatasetError
from leafsight.progress import Progress
from leafsight.storage import ArchiveLimits, os_errors_translated

JSON_STARTS = (b"{", b"[")


def find_photos(
    path: Path,
    name: str,
    store: Path | None,
    classes: Sequence[str] | None,
    archive_limits: ArchiveLimits,
    progress: Progress,
) -> Finding:
    """Every photograph of a folder, list or archive.

    Args:
        path: a folder (of class folders, with image-folder metadata, with COCO files, or of tars), a CSV, a
            COCO JSON, a ``metadata.jsonl``, a tar or a zip.
        name: goes into the rows and messages.
        store: folder that archives are unpacked into.
        classes: labels allowed in a listing; ``None`` allows all.
        archive_limits: what is too large to be unpacked.
        progress: is told about every unpacked file.

    Raises:
        DatasetError: nothing usable there, a listing with faults, an archive that is refused.
        StorageError: it cannot be read, or the store cannot be written.
    """
    if path.is_file():
        return _in_file(path, name, store, classes, archive_limits, progress)
    if listings := coco_listings(path):
        return find_in_coco_folder(path, name, classes, listings)
    notes = []
    if files := metadata_files(path):
        try:
            return find_in_image_folder(path, name, classes)
        except NotMetadataError as error:
            notes.append(f"{name}: {files[0].name} was not read as metadata ({error.message})")
    if tars := shard_files(path):
        return _in_tars(tars, name, store, archive_limits, progress)
    finding = _in_folders(path, name)
    finding.notes = notes + finding.notes
    return finding


def _in_file(
    path: Path,
    name: str,
    store: Path | None,
    classes: Sequence[str] | None,
    archive_limits: ArchiveLimits,
    progress: Progress,
) -> Finding:
    if is_archive(path):
        return find_in_archive(path, name, store, archive_limits, progress)
    suffix = path.suffix.lower()
    if suffix in {".csv", ".txt"}:
        return find_in_csv(path, name, classes)
    if suffix == ".jsonl":
        return find_in_image_folder(path.parent, name, classes, files=[path.name])
    if _starts_json(path):
        return find_in_coco(path, name, classes)
    return find_in_folders(path, name)


def _starts_json(path: Path) -> bool:
    with os_errors_translated(path), path.open("rb") as file:
        return file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(JSON_STARTS)


def _in_tars(
    tars: Sequence[Path], name: str, store: Path | None, archive_limits: ArchiveLimits, progress: Progress
) -> Finding:
    """A folder of tars as one collection; the name of a photograph starts with that of its tar."""
    whole = Finding()
    said: dict[str, str] = {}
    for tar in tars:
        finding = find_in_archive(tar, name, store, archive_limits, progress)
        whole.photos += [replace(photo, path=f"{tar.name}/{photo.path}") for photo in finding.photos]
        for note in finding.notes:  # a thousand shards say the same; the first of them is enough
            said.setdefault(note.replace(tar.name, ""), note)
    whole.notes = [*said.values(), f"{name}: {len(tars)} tars were read as one collection"]
    return whole


def _in_folders(path: Path, name: str) -> Finding:
    try:
        return find_in_folders(path, name)
    except DatasetError as error:
        listings = sorted(path.glob("*.json")) + sorted(path.glob("*.csv")) if path.is_dir() else []
        if not listings:
            raise
        raise DatasetError(
            error.message, hint=f"{error.hint}; or name the listing itself, such as {listings[0].name}"
        ) from error
