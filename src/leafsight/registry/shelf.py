"""The bundles and one small record beside each: listed, read, put there, taken away.

Enters: a folder, filled parts and entries. Leaves: entries, and files that are whole or not there. It does
not know of aliases, and takes no lock: who changes something is alone in the registry already.

``bundles/HASH.leafsight`` is the truth. ``entries/HASH.json`` says when and why it came and saves opening it;
a lost one is made again from the bundle.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import LeafsightError, StorageError
from leafsight.registry.names import is_hash
from leafsight.registry.records import Entry, entry_from_dict
from leafsight.registry.staging import PART, sweep_parts
from leafsight.storage import os_errors_translated, read_json, sync_folder, write_json

SUFFIX, GONE, RECORD = ".leafsight", ".removed", ".json"
MAX_RECORD_BYTES = 64 * 1024


class Shelf:
    """What lies in ``bundles`` and ``entries`` of a registry's folder.

    Attributes:
        bundles: folder of the bundles.
        entries: folder of the records.
    """

    def __init__(self, folder: Path) -> None:
        self.bundles = folder / "bundles"
        self.entries = folder / "entries"

    def hashes(self) -> set[str]:
        """Every model that has a bundle, a record or both."""
        return self._stems(self.bundles, SUFFIX) | self._stems(self.entries, RECORD)

    def all(self) -> list[Entry]:
        """Every entry that can be told, in no promised order."""
        found = (self.entry(content_hash) for content_hash in self.hashes())
        return [entry for entry in found if entry is not None]

    def path(self, content_hash: str) -> Path:
        """Where the bundle of this hash lies, if it is there."""
        return self.bundles / f"{content_hash}{SUFFIX}"

    def entry(self, content_hash: str) -> Entry | None:
        """The entry of one model, or None when neither its record nor its bundle can tell what it is."""
        entry, path = self._recorded(content_hash), self.path(content_hash)
        try:
            file = path.stat()
        except OSError:
            return entry and replace(entry, damaged=True)
        if entry is None:
            return self._told_by_bundle(content_hash)
        return replace(entry, damaged=file.st_size != entry.bytes)

    def put(self, part: Path, entry: Entry) -> None:
        """Give a part its name, in place of a bundle of the same hash if there is one, and record it.

        Raises:
            DiskFullError, PermissionDeniedError, StorageError: nothing was added.
        """
        path = self.path(entry.hash)
        with os_errors_translated(path):
            new = not path.exists()
            part.replace(path)
            sync_folder(self.bundles)
        try:
            self.record(entry)
        except StorageError:
            if new:
                with suppress(OSError):
                    path.unlink()
            raise

    def record(self, entry: Entry) -> None:
        """Write the record of an entry."""
        write_json(self._record_path(entry.hash), record_of(entry))

    def drop(self, content_hash: str) -> None:
        """Take a model away: from the rename on it is gone, and ``tidy`` ends what a crash left."""
        path = self.path(content_hash)
        gone = path.with_suffix(GONE)
        with os_errors_translated(path):
            if path.exists():
                path.replace(gone)
                sync_folder(self.bundles)
            self._record_path(content_hash).unlink(missing_ok=True)
            gone.unlink(missing_ok=True)

    def tidy(self) -> None:
        """End what somebody who died began; what cannot be mended stays for ``verify`` to name."""
        sweep_parts(self.bundles)
        for part in self.entries.glob(f".*{PART}"):
            with suppress(OSError):
                part.unlink()
        for content_hash in self._stems(self.bundles, GONE):
            if not self.path(content_hash).exists():
                with suppress(LeafsightError):
                    self.drop(content_hash)
            with suppress(OSError):
                self.path(content_hash).with_suffix(GONE).unlink()
        for content_hash in self._stems(self.bundles, SUFFIX):
            if self._recorded(content_hash) is None:
                entry = self._told_by_bundle(content_hash)
                with suppress(StorageError):
                    if entry is not None:
                        self.record(entry)

    def _recorded(self, content_hash: str) -> Entry | None:
        try:
            values = read_json(self._record_path(content_hash), max_bytes=MAX_RECORD_BYTES)
            return entry_from_dict(values, content_hash)
        except (StorageError, ValueError):
            return None

    def _told_by_bundle(self, content_hash: str) -> Entry | None:
        try:
            bundle = open_bundle(self.path(content_hash))
            file = bundle.path.stat()
        except (LeafsightError, OSError):
            return None
        return entry_of(bundle, file.st_mtime_ns // 1_000_000, file.st_size, content_hash)

    def _record_path(self, content_hash: str) -> Path:
        return self.entries / f"{content_hash}{RECORD}"

    @staticmethod
    def _stems(folder: Path, suffix: str) -> set[str]:
        with os_errors_translated(folder):
            try:
                names = [path.name for path in folder.iterdir()]
            except FileNotFoundError:
                return set()
        return {
            stem for name in names if name.endswith(suffix) and is_hash(stem := name.removesuffix(suffix))
        }


def record_of(entry: Entry) -> dict[str, Any]:
    """What is written down about an entry."""
    return {key: value for key, value in entry.to_dict().items() if key not in ("builtin", "damaged")}


def entry_of(bundle: Bundle, created_ms: int, size_bytes: int, content_hash: str) -> Entry | None:
    """The entry that an open bundle makes, or None when it is not the model ``content_hash``."""
    if bundle.content_hash != content_hash:
        return None
    return Entry(content_hash, bundle.name, created_ms, size_bytes, len(bundle.labels))
