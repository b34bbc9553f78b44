"""Bundles in and out of the shelf of this computer.

Enters: the folder of the registry, and a file that a person chose. Leaves: a model on the shelf, a copy of
one elsewhere, or an error that says what to do. All of it waits for the disk: not for the window's thread.
"""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from leafsight.desktop.session.language import tr, translated
from leafsight.errors import (
    BundleCorruptError,
    BundleError,
    BundleVersionError,
    DiskFullError,
    LeafsightError,
    NotFoundError,
    UsageError,
)

SUFFIX = ".leafsight"
MANIFEST = "manifest.json"
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that is on the shelf now.

    Attributes:
        id: its content hash.
        name: as its maker called it.
        was_there: whether it was there before.
    """

    id: str
    name: str
    was_there: bool


def import_bundle(registry_dir: Path, path: Path) -> Imported:
    """Verify a model file and put a copy of it on the shelf.

    Args:
        registry_dir: of this computer; made when it is not there.
        path: that a person chose.

    Raises:
        BundleVersionError: a newer leafsight wrote it.
        BundleCorruptError: it is damaged.
        BundleError: it is no model of leafsight.
        DiskFullError: there is no room.
        StateBusyError, PermissionDeniedError, StorageError: the file, or the folder, cannot be used.
    """
    from leafsight.bundle import open_bundle
    from leafsight.registry import open_registry

    try:
        bundle = open_bundle(path)
        registry = open_registry(registry_dir)
        was_there = _is_whole(registry_dir, bundle.content_hash)
        entry = registry.add(path)
    except LeafsightError as error:
        raise _in_words(error, path) from error
    return Imported(entry.hash, entry.name, was_there)


def export_bundle(registry_dir: Path, model_id: str, target: Path) -> int:
    """Copy a model of this computer to a place that a person chose, whole or not at all.

    Args:
        registry_dir: of this computer.
        model_id: content hash.
        target: file to write, or to replace; whoever calls has asked about one that exists.

    Returns:
        Its bytes.

    Raises:
        UsageError: the place is on the shelf itself.
        NotFoundError, BundleCorruptError: the model is not there, or damaged.
        DiskFullError, PermissionDeniedError, StorageError: nothing was written.
    """
    from leafsight.registry import open_registry
    from leafsight.storage import os_errors_translated, replacing

    registry = open_registry(registry_dir)
    entry = registry.get(model_id)
    source = registry.bundle(entry).path
    with os_errors_translated(target):
        inside = registry_dir.resolve()
        if target.resolve() == source.resolve() or inside in target.resolve().parents:
            raise UsageError(
                tr("{path} is where the models of this computer are kept", path=target),
                hint=tr("choose another folder"),
            )
    try:
        with os_errors_translated(source):
            origin = source.open("rb")
        with origin, replacing(target) as file:
            shutil.copyfileobj(origin, file, CHUNK_BYTES)
    except DiskFullError as error:
        raise DiskFullError(
            tr("there is no room for the model where {path} should lie", path=target),
            hint=tr("free some space, or choose another place"),
        ) from error
    return entry.bytes


def _is_whole(registry_dir: Path, content_hash: str) -> bool:
    from leafsight.registry import open_registry

    registry = open_registry(registry_dir)
    try:
        registry.bundle(registry.get(content_hash))
    except (NotFoundError, BundleError):
        return False
    return True


def _in_words(error: LeafsightError, path: Path) -> LeafsightError:
    """What went wrong with a file, for a person who chose it by hand and has no terminal."""
    name = path.name
    if isinstance(error, BundleVersionError):
        return BundleVersionError(
            tr("{name} was made by a newer leafsight than this one", name=name),
            hint=tr("bring this leafsight up to date, then import it again"),
        )
    if isinstance(error, BundleCorruptError) and not _is_other_archive(path):
        return BundleCorruptError(
            tr("{name} is damaged: {reason}", name=name, reason=translated(error.message)),
            hint=tr("copy it again from where it came from"),
        )
    if isinstance(error, BundleError) and path.exists():
        return BundleError(
            tr("{name} is no model of leafsight", name=name),
            hint=tr("choose a file that was exported here, its name ends with {suffix}", suffix=SUFFIX),
        )
    if isinstance(error, DiskFullError):
        return DiskFullError(
            tr("there is no room on the disk for {name}", name=name),
            hint=tr("free some space, then import it again"),
        )
    return error


def _is_other_archive(path: Path) -> bool:
    """Whether it is a whole archive that never was a model, such as a document or a packed folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST not in archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
