"""The folder of a copy: made beside, renamed into place at the end, so that it is complete or not there.

Enters: the wanted folder. Leaves: a folder to fill, then the finished one. Nothing is removed that this
package did not write: what others put into an earlier copy stays, beside the new one.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from leafsight.dataset.listing_json import place_inside
from leafsight.errors import DatasetError
from leafsight.storage import os_errors_translated, read_json, sync_folder

RECORD_FILE = "leafsight-copy.json"
PHOTOS_FILE = "photos.csv"
RECORD_FORMAT = 1
_MARK = "unfinished-leafsight-copy"


def check_target(out: Path, *, force: bool) -> None:
    """Whether a copy may come to ``out``.

    Raises:
        DatasetError: something is there: not a folder, a folder that no copy was made in, or an earlier copy
            and ``force`` was not said.
    """
    if not out.exists() and not out.is_symlink():
        return
    if out.is_symlink() or not out.is_dir():
        raise DatasetError(f"{out} is there already and is no folder", hint="choose another --out")
    with os_errors_translated(out):
        if not any(out.iterdir()):
            return
    if _record(out) is None:
        raise DatasetError(
            f"{out} holds files that are no copy made by leafsight", hint="choose another --out"
        )
    if not force:
        raise DatasetError(
            f"{out} holds a copy already", hint="choose another --out, or replace the copy with --force"
        )
    if (before := _before(out)).exists():
        raise DatasetError(f"{before} is in the way", hint="look at it and remove it")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write into; it takes the place of ``out`` when the block ends well.

    Raises:
        DatasetError: another process makes this copy now.
        DiskFullError, PermissionDeniedError, StorageError: the folder cannot be made.
    """
    # Cut, because the name of ``out`` may be as long as the disk allows already.
    part = out.with_name(f".{out.name[:40]}.{hashlib.sha256(out.name.encode()).hexdigest()[:8]}.part")
    with os_errors_translated(out):
        part.mkdir(parents=True, exist_ok=True)
        with _locked(part):
            _empty(part)
            try:
                (part / _MARK).touch()
                yield part
                (part / _MARK).unlink()
                if hasattr(os, "sync"):
                    os.sync()  # thousands of files at once; one by one takes minutes
                _take_place(part, out)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise


def remaining_of_earlier(out: Path) -> Path | None:
    """Where ``new_folder`` left what an earlier copy held besides our files; ``None`` for nothing."""
    before = _before(out)
    return before if before.exists() else None


def _before(out: Path) -> Path:
    return out.with_name(out.name[:80] + ".before")


def _record(folder: Path) -> dict[str, Any] | None:
    path = folder / RECORD_FILE
    if not path.is_file():
        return None
    try:
        value = read_json(path)
    except Exception:  # whatever is wrong with it, it is not what we wrote
        return None
    if not isinstance(value, dict) or value.get("format") != RECORD_FORMAT:
        return None
    return value if isinstance(value.get("files"), dict) else None


def _empty(part: Path) -> None:
    """Clear what a killed run left; anything else is in the way."""
    inside = list(part.iterdir())
    if inside and not (part / _MARK).exists():
        raise DatasetError(f"{part} is in the way", hint="look at it and remove it")
    for path in inside:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _take_place(part: Path, out: Path) -> None:
    if not out.exists() or not any(out.iterdir()):
        with suppress(FileNotFoundError):
            out.rmdir()
        part.rename(out)
        sync_folder(out.parent)
        return
    before = _before(out)
    out.rename(before)
    try:
        part.rename(out)
    except BaseException:
        before.rename(out)
        raise
    sync_folder(out.parent)
    _remove_ours(before)


def _remove_ours(folder: Path) -> None:
    """Remove the files of an earlier copy that are still as we wrote them, then folders that are empty."""
    home = folder.resolve()
    record = _record(folder) or {}
    for name, sha256 in {**_listed_photos(folder), **record.get("files", {})}.items():
        path = folder / name
        # Through a link, or where the list leads outside, lies what is not ours.
        outside = place_inside(str(folder), name)[1] or path.is_symlink() or not _is_inside(path, home)
        if not outside and _sha256(path) == sha256:
            path.unlink()
    (folder / RECORD_FILE).unlink()
    for place, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(place).rmdir()


def _is_inside(path: Path, home: Path) -> bool:
    return path.parent.resolve().is_relative_to(home)


def _listed_photos(folder: Path) -> dict[str, str]:
    try:
        with (folder / PHOTOS_FILE).open(encoding="utf-8", newline="") as file:
            return {row["path"]: row["sha256"] for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, csv.Error):
        return {}  # then nothing is known to be ours, and everything stays


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time fills a folder; the lock goes with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows has no advisory locks of this kind
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The other one may have finished in between; this would then be its finished copy.
            free = folder.exists() and os.path.samestat(os.fstat(handle), folder.stat())
        except BlockingIOError:
            free = False
        if not free:
            raise DatasetError(f"another process is filling {folder}", hint="wait for it to end")
        yield
    finally:
        os.close(handle)
