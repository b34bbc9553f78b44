"""Contents -> one file or folder, checked before a byte is written and equal for equal contents."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from leafsight.bundle.checking import Checker
from leafsight.bundle.contents import BundleContents
from leafsight.bundle.manifest import Manifest, read_manifest
from leafsight.bundle.parts import MANIFEST
from leafsight.bundle.records import Part
from leafsight.errors import BundleError
from leafsight.storage import os_errors_translated, replacing, sync_folder, write_bytes

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that zip can say; a fixed one, so that equal contents give equal bytes."""
MAX_ARCHIVE_BYTES = 2**31 - 1
"""Beyond this zipfile needs the ZIP64 extension, which the reader does not accept."""


def write_bundle(path: Path, contents: BundleContents, *, as_folder: bool = False) -> Manifest:
    """Write a bundle, whole or not at all.

    An existing bundle at ``path`` is replaced. A file is replaced in one step; a folder in two renames,
    so that for a moment there may be none.

    Args:
        path: ``NAME.leafsight``, or the folder.
        contents: what goes in.
        as_folder: lay the parts out as files of a folder instead of one archive.

    Returns:
        The manifest as written; its ``content_hash`` is the name of these contents.

    Raises:
        BundleError: the contents do not fit together (every fault listed), or ``path`` is a folder
            that is not a bundle.
        DiskFullError, PermissionDeniedError, StorageError: from the file system; nothing is changed.
    """
    part_bytes = contents.part_bytes()
    manifest = _manifest(contents, part_bytes)
    files = {MANIFEST: manifest.to_bytes(), **part_bytes}
    if as_folder:
        _write_folder(path, files)
    else:
        _write_archive(path, files)
    return manifest


def _manifest(contents: BundleContents, part_bytes: Mapping[str, bytes]) -> Manifest:
    manifest = Manifest(
        name=contents.name,
        created_by=contents.created_by,
        labels=tuple(contents.labels),
        preprocessing=dict(contents.preprocessing),
        calibration=dict(contents.calibration),
        network=contents.network_spec,
        parts={name: Part(hashlib.sha256(data).hexdigest(), len(data)) for name, data in part_bytes.items()},
    )
    check = Checker("contents")
    try:
        # The values as a reader will see them: tuples become lists, and what JSON cannot say is refused.
        read = read_manifest(_through_json(manifest), check)
    except (TypeError, ValueError) as error:
        raise BundleError(f"the manifest cannot be written as JSON: {error}") from error
    if check.faults:
        listed = "\n".join(f"  {fault}" for fault in check.faults)
        raise BundleError(f"these contents do not make a bundle, {len(check.faults)} fault(s):\n{listed}")
    return read


def _through_json(manifest: Manifest) -> dict[str, object]:
    values: dict[str, object] = json.loads(manifest.to_bytes())
    return values


def _write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    if path.is_dir():
        raise BundleError(f"{path} is a folder", hint="give a file name such as model.leafsight")
    if sum(len(data) for data in files.values()) > MAX_ARCHIVE_BYTES - 2**20:
        raise BundleError("the parts are too large for one file (2 GiB)", hint="leave the torch weights out")
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.create_system = 3  # Unix everywhere, or Windows would write other bytes
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    if path.exists() and not (path / MANIFEST).is_file():
        raise BundleError(f"{path} exists and is not a bundle", hint="choose another name")
    with os_errors_translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent))
    old = new.with_suffix(".old")
    try:
        for name, data in files.items():
            write_bytes(new / name, data)
        with os_errors_translated(path):
            new.chmod(0o755)
            if path.exists():
                path.rename(old)
            new.rename(path)
            sync_folder(path.parent)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
