"""From the bucket to this machine: a bundle comes under a hidden name and gets its own when it is verified.

Enters: a bucket, an entry. Leaves: a whole bundle in the folder, or an error and nothing. It does not know
which alias wants it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import BundleCorruptError, BundleError, BundleVersionError, StorageError
from leafsight.registry.bucket_shelf import BucketShelf
from leafsight.registry.locking import alone_in
from leafsight.registry.names import SHORT_DIGITS
from leafsight.registry.records import Entry
from leafsight.registry.shelf import Shelf
from leafsight.registry.staging import PART, new_part
from leafsight.storage import os_errors_translated, write_text

TAGS = "tags"


class NotThereYetError(BundleCorruptError):
    """The bucket has no such bundle; it may come, or may have been removed."""


class Fetcher:
    """Brings bundles from a bucket into a folder. May be used by several threads and processes.

    Args:
        folder: of the registry on this machine that keeps them.
        bucket: where they come from.
        most_bytes: of one bundle.
        lock_timeout_s: how long to wait for another process that changes the folder.
    """

    def __init__(self, folder: Path, bucket: BucketShelf, most_bytes: int, lock_timeout_s: float) -> None:
        self._folder, self._bucket, self._most_bytes = folder, bucket, most_bytes
        self._lock_timeout_s = lock_timeout_s
        self._files = Shelf(folder)

    def bring(self, entry: Entry) -> None:
        """Have the bundle of an entry here as it is in the bucket; nothing moves when it is.

        Raises:
            NotThereYetError: it is not in the bucket.
            BundleCorruptError: what lies in the bucket is damaged, or another model.
            BundleVersionError: a newer leafsight wrote it.
            StateBusyError, StateError: the bucket, or another process changes the folder all the time.
            DiskFullError, PermissionDeniedError, StorageError: nothing was kept.
        """
        there = self._bucket.look(entry.hash)
        if there is None:
            raise _absent(entry)
        if there[0] == self._tag(entry.hash) and self._is_whole(entry.hash):
            return
        with self._fetched(entry) as (part, tag, found):
            self.keep(part, found, tag)

    def read(self, entry: Entry) -> None:
        """Fetch and verify a bundle, and keep nothing; errors as of ``bring``."""
        with self._fetched(entry):
            return

    def keep(self, part: Path, entry: Entry, tag: str) -> None:
        """Give a verified part its name.

        Args:
            part: on the disk of the folder.
            entry: of the bundle.
            tag: of the same bytes in the bucket.
        """
        with alone_in(self._folder, self._lock_timeout_s):
            self._files.put(part, entry)
            write_text(self._tag_path(entry.hash), tag)

    def drop(self, content_hash: str) -> None:
        """Take a bundle off this machine; call it while alone in the folder."""
        self._tag_path(content_hash).unlink(missing_ok=True)
        self._files.drop(content_hash)

    def tidy(self) -> None:
        """Take away what a killed process left beside the bundles; call it while alone in the folder."""
        for folder in (self._folder, self._folder / TAGS):
            for part in folder.glob(f".*{PART}"):
                with suppress(OSError):
                    part.unlink()

    def new_part(self, stack: ExitStack) -> Path:
        """An empty part that lives as long as the stack."""
        with alone_in(self._folder, self._lock_timeout_s):
            self._files.tidy()
            return stack.enter_context(new_part(self._files.bundles)).path

    @contextmanager
    def _fetched(self, entry: Entry) -> Iterator[tuple[Path, str, Entry]]:
        """A verified part, its tag, and the entry with what the bundle itself tells."""
        with ExitStack() as stack:
            path = self.new_part(stack)
            # Fetching takes long; nobody has to wait for it.
            with os_errors_translated(path), path.open("r+b") as file:
                tag = self._bucket.fetch(entry.hash, file, self._most_bytes)
                file.flush()
                os.fsync(file.fileno())
            if tag is None:
                raise _absent(entry)
            bundle = _verified(path, entry)
            size_bytes = path.stat().st_size
            yield path, tag, replace(entry, name=bundle.name, bytes=size_bytes, classes=len(bundle.labels))

    def _is_whole(self, content_hash: str) -> bool:
        with suppress(BundleError, StorageError):
            return open_bundle(self._files.path(content_hash)).content_hash == content_hash
        return False

    def _tag(self, content_hash: str) -> str:
        """What the bucket called the bytes that lie here; empty when nothing does."""
        with suppress(OSError, ValueError):
            return self._tag_path(content_hash).read_text(encoding="utf-8")
        return ""

    def _tag_path(self, content_hash: str) -> Path:
        return self._folder / TAGS / content_hash


def _verified(path: Path, entry: Entry) -> Bundle:
    try:
        bundle = open_bundle(path)
    except BundleVersionError:
        raise
    except BundleError as error:
        why = error.message.replace(str(path), "the file")
        raise _unusable(entry, f"its copy in the bucket is damaged: {why}") from error
    if bundle.content_hash != entry.hash:
        other = bundle.content_hash[:SHORT_DIGITS]
        raise _unusable(entry, f"the bucket holds another model under its name, {other}")
    return bundle


def _unusable(entry: Entry, why: str) -> BundleCorruptError:
    short = entry.hash[:SHORT_DIGITS]
    return BundleCorruptError(
        f"model {short} cannot be used: {why}", hint="leafsight models add FILE puts a whole one in its place"
    )


def _absent(entry: Entry) -> NotThereYetError:
    short = entry.hash[:SHORT_DIGITS]
    return NotThereYetError(
        f"model {short} cannot be used: its bundle is not in the bucket",
        hint="leafsight models add FILE puts it there",
    )
