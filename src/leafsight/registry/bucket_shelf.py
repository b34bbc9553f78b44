"""The bundles and their records in a bucket: listed, read, put there, taken away.

Enters: objects, files and entries. Leaves: entries. It does not know of aliases, nor what the files hold: who
puts one there has verified it.

``bundles/HASH.leafsight`` is the model. ``entries/HASH.json`` is written after it and taken away before it: a
model is there from the moment of its record on, and until that goes.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import IO

from leafsight.registry.names import is_hash
from leafsight.registry.objects import Objects
from leafsight.registry.records import Entry, entry_from_dict
from leafsight.registry.shelf import MAX_RECORD_BYTES, RECORD, SUFFIX, record_of
from leafsight.storage import canonical_json

BUNDLES, ENTRIES = "bundles", "entries"
AT_ONCE = 8
"""Records that are asked for at the same time."""


class BucketShelf:
    """What lies in ``bundles`` and ``entries`` of a bucket. May be used by several threads.

    Args:
        objects: the bucket.
        cache: folder on this machine where its bundles are kept, as in ``Shelf``.
    """

    def __init__(self, objects: Objects, cache: Path) -> None:
        self._objects = objects
        self._cache = cache
        self._read: dict[tuple[str, str], Entry | None] = {}

    def all(self) -> list[Entry]:
        """Every entry whose record can be read."""
        sizes = self._sizes()
        listed = [(name, tag) for name, tag, _ in self._objects.list(ENTRIES) if _hash_in(name, RECORD)]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="registry") as pool:
            found = list(pool.map(self._record, listed))
        self._read = {key: entry for key, entry in zip(listed, found, strict=True) if key in self._read}
        return [
            replace(entry, damaged=sizes.get(entry.hash) != entry.bytes)
            for entry in found
            if entry is not None
        ]

    def hashes(self) -> set[str]:
        """Every model that has a bundle, a record or both."""
        recorded = (_hash_in(name, RECORD) for name, _, _ in self._objects.list(ENTRIES))
        return set(self._sizes()) | {one for one in recorded if one}

    def path(self, content_hash: str) -> Path:
        """Where on this machine the bundle is kept, if it is."""
        return self._cache / BUNDLES / f"{content_hash}{SUFFIX}"

    def entry(self, content_hash: str) -> Entry | None:
        """The entry of one model; None when it has no record that can be read."""
        found = self._objects.get(_record_name(content_hash), max_bytes=MAX_RECORD_BYTES)
        entry = _entry(found[0], content_hash) if found else None
        if entry is None:
            return None
        there = self.look(content_hash)
        return replace(entry, damaged=there is None or there[1] != entry.bytes)

    def look(self, content_hash: str) -> tuple[str, int] | None:
        """Tag and length of a bundle; None when it is not in the bucket."""
        return self._objects.look(_bundle_name(content_hash))

    def fetch(self, content_hash: str, file: IO[bytes], max_bytes: int) -> str | None:
        """Write a bundle into an open file; its tag, or None when it is not in the bucket."""
        return self._objects.fetch(_bundle_name(content_hash), file, max_bytes=max_bytes)

    def send(self, content_hash: str, path: Path) -> str:
        """Put a verified bundle into the bucket; its tag."""
        return self._objects.send(_bundle_name(content_hash), path)

    def record(self, entry: Entry) -> None:
        """Write the record of an entry: from now on the model is there."""
        told = canonical_json(record_of(entry), indent=2) + "\n"
        self._objects.put(_record_name(entry.hash), told.encode())

    def forget(self, content_hash: str) -> None:
        """Take the record away: from now on the model is gone."""
        self._objects.delete(_record_name(content_hash))

    def drop(self, content_hash: str) -> None:
        """Take the bundle of a model away whose record is gone."""
        self._objects.delete(_bundle_name(content_hash))

    def _sizes(self) -> dict[str, int]:
        """Hash -> length of every bundle."""
        listed = ((_hash_in(name, SUFFIX), size) for name, _, size in self._objects.list(BUNDLES))
        return {content_hash: size for content_hash, size in listed if content_hash}

    def _record(self, key: tuple[str, str]) -> Entry | None:
        """The record under a name that has a tag; read once as long as the tag stays."""
        if key not in self._read:
            found = self._objects.get(key[0], max_bytes=MAX_RECORD_BYTES)
            if found is None:
                return None
            self._read[key] = _entry(found[0], _hash_in(key[0], RECORD))
        return self._read[key]


def _entry(data: bytes, content_hash: str) -> Entry | None:
    try:
        return entry_from_dict(json.loads(data), content_hash)
    except (ValueError, RecursionError):
        return None


def _hash_in(name: str, suffix: str) -> str:
    """The hash that an object is named after; empty when it is named after none."""
    stem = name.rpartition("/")[2].removesuffix(suffix)
    return stem if name.endswith(suffix) and name.count("/") == 1 and is_hash(stem) else ""


def _bundle_name(content_hash: str) -> str:
    return f"{BUNDLES}/{content_hash}{SUFFIX}"


def _record_name(content_hash: str) -> str:
    return f"{ENTRIES}/{content_hash}{RECORD}"
