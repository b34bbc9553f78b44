"""Photographs in a tar or zip: streamed one by one into a store, under names made here.

Nothing in an archive chooses where we write. Its names are data: they give the class and are kept in the
index, while the bytes lie under a running number.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from leafsight.dataset.folders import Finding, label_by_folder
from leafsight.dataset.shards import class_list, is_shard, label_by_key
from leafsight.errors import DatasetError
from leafsight.images import PHOTO_SUFFIXES
from leafsight.progress import Progress, Silent
from leafsight.storage import (
    ArchiveLimits,
    Readable,
    free_name,
    is_litter,
    is_packed,
    members_of,
    os_errors_translated,
    read_json,
    write_json,
)

COPY_BYTES = 1 << 20
STORE_FORMAT = 1


def is_archive(path: Path) -> bool:
    """Whether the bytes, not the name, are those of a tar (also compressed) or a zip."""
    with os_errors_translated(path):
        return is_packed(path)


def find_in_archive(
    archive: Path,
    source: str,
    store: Path | None,
    limits: ArchiveLimits | None = None,
    progress: Progress | None = None,
) -> Finding:
    """Unpack the photographs of an archive into ``store``; does nothing when that was done before.

    Args:
        archive: a tar, tar.gz, tar.bz2, tar.xz or zip.
        source: name of the collection.
        store: folder for the unpacked photographs; one sub-folder an archive, named by its SHA-256.
        limits: when to stop.
        progress: is told about every file.

    Raises:
        DatasetError: no store was given; the archive is damaged, encrypted, over a limit, or holds a link, a
            device, an absolute path or one that leads outside (nothing is left of it then); or it has neither
            class folders nor the keys and labels of a WebDataset shard.
        DiskFullError, PermissionDeniedError: the store cannot be written.
    """
    if store is None:
        raise DatasetError(
            f"{archive} is an archive and needs a place to unpack to", hint="give a store folder"
        )
    limits = limits or ArchiveLimits()
    key = _sha256(archive)[:32]
    home = store.resolve() / key
    if not (home / "members.json").exists():
        _unpack(archive, home, limits, progress or Silent())
    listed = read_json(home / "members.json")
    if listed.get("format") != STORE_FORMAT:
        raise DatasetError(f"{home} was written by another leafsight", hint="remove the folder and run again")
    stored: dict[str, str | None] = listed["members"]
    if is_shard(stored):
        finding = label_by_key(stored, home, source, archive, class_list(archive.parent))
    else:
        finding = label_by_folder(stored, str(home), source, called=str(archive))
    too_large = f"image-too-large: more than {listed['max_file_bytes']} bytes; it was not unpacked"
    for number, photo in enumerate(finding.photos):
        place = stored.get(photo.path)
        fault = photo.fault or (too_large if place is None else None)
        finding.photos[number] = replace(photo, stored_as=place, fault=fault)
    return finding


def _unpack(archive: Path, home: Path, limits: ArchiveLimits, progress: Progress) -> None:
    """Write into ``home.part`` and rename at the end, so that a folder with the final name is complete."""
    part = home.with_name(home.name + ".part")
    with os_errors_translated(home):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        progress.start(f"unpacking {archive.name}")
        try:
            members = _copy_members(archive, part, limits, progress)
            write_json(
                part / "members.json",
                {"format": STORE_FORMAT, "members": members, "max_file_bytes": limits.max_file_bytes},
            )
            shutil.rmtree(home, ignore_errors=True)
            part.rename(home)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        progress.finish(f"{len(members)} files")


def _copy_members(
    archive: Path, part: Path, limits: ArchiveLimits, progress: Progress
) -> dict[str, str | None]:
    members: dict[str, str | None] = {}
    taken: dict[str, int] = {}
    for number, member in enumerate(members_of(archive, limits)):
        if is_litter(member.name):
            continue
        suffix = PurePosixPath(member.name).suffix.lower()
        place = f"{number // 1000:04d}/{number:07d}{suffix if suffix in PHOTO_SUFFIXES else ''}"
        whole = _copy(member.file, part / place, limits.max_file_bytes)
        # A tar may hold two files of one name; both are kept.
        members[free_name(member.name, taken)] = place if whole else None
        progress.advance()
    return members


def _copy(file: Readable, place: Path, max_bytes: int) -> bool:
    """Copy at most ``max_bytes``; no, and no file, when there is more."""
    place.parent.mkdir(exist_ok=True)
    written = 0
    with place.open("xb") as out:
        while block := file.read(COPY_BYTES):
            written += len(block)
            if written > max_bytes:
                break
            out.write(block)
    if written > max_bytes:
        place.unlink()
        return False
    return True


def _sha256(path: Path) -> str:
    with os_errors_translated(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
