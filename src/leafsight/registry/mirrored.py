"""A registry in a bucket: the same shelf for several machines, with the same words as in a folder.

Enters: a bucket, wishes, and a folder of this machine for what was fetched. Leaves: changes of the bucket,
each whole or not at all, whoever else changes it and whenever this process ends. It does not know who may
wish what.

What is asked here is asked of the bucket. A server asks ``near`` instead, which goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from leafsight.bundle import Bundle
from leafsight.errors import BundleCorruptError, LeafsightError, StorageError
from leafsight.registry.bucket_pointers import MOST_TRIES, BucketPointers, too_many
from leafsight.registry.bucket_shelf import BucketShelf
from leafsight.registry.changing import Decide, Registry
from leafsight.registry.fetching import Fetcher
from leafsight.registry.locking import alone_in
from leafsight.registry.names import MOST_NOTE_CHARACTERS, SERVING, check_text
from leafsight.registry.near import NearRegistry
from leafsight.registry.objects import Objects
from leafsight.registry.records import Change, Damage, Entry
from leafsight.registry.staging import StagedFile, fill
from leafsight.registry.verifying import damages

CACHE_DIGITS = 12


class MirroredRegistry(Registry):
    """The shelf of models in a bucket. Safe to use from several threads, processes and machines.

    Args:
        folder: of a registry on this machine; what is fetched lies in a folder of its own in it.
        objects: the bucket.
        now, max_bundle_bytes, lock_timeout_s: as of ``Registry``.
    """

    def __init__(
        self,
        folder: Path,
        objects: Objects,
        now: Callable[[], int],
        max_bundle_bytes: int,
        lock_timeout_s: float,
    ) -> None:
        # A folder for each bucket: models that were kept here before, or in another one, stay what they are.
        cache = folder / "mirror" / sha256(objects.address.encode()).hexdigest()[:CACHE_DIGITS]
        super().__init__(cache, now, max_bundle_bytes, lock_timeout_s)
        self._objects = objects
        self._shelf = self._far = BucketShelf(objects, cache)
        self._pointers = self._places = BucketPointers(objects)
        self._fetcher = Fetcher(cache, self._far, self._most_bytes, lock_timeout_s)
        self._near = NearRegistry(
            cache, self._far, self._places, self._fetcher, now, max_bundle_bytes, lock_timeout_s
        )

    @property
    def near(self) -> NearRegistry:
        """The folder on this machine that follows the bucket, for who serves."""
        return self._near

    def watch_token(self, alias: str = SERVING) -> str:
        """As of ``near``: another text after the alias has moved here, too."""
        return self._near.watch_token(alias)

    def path(self, entry: Entry) -> Path:
        """Where the bundle of an entry lies on this machine; it is fetched when it does not.

        Raises:
            BundleCorruptError: it is not in the bucket, or damaged there; the hint says how to get out.
            StateBusyError, StateError: the bucket.
            DiskFullError, PermissionDeniedError, StorageError: there is no room for it here.
        """
        if not entry.builtin:
            try:
                self._fetcher.bring(entry)
            except BundleCorruptError as error:
                why = error.message.partition("cannot be used: ")[2] or error.message
                raise self._unusable(entry.hash, why) from error
        return super().path(entry)

    def add(self, bundle_path: Path, note: str = "") -> Entry:
        """Put a copy of a bundle into the bucket; see ``Registry.add``.

        Raises:
            StateBusyError, StateError: the bucket; nothing was added.
        """
        note = check_text(note, "note", MOST_NOTE_CHARACTERS)
        bundle = self._opened(bundle_path)
        if self._is_builtin(bundle.content_hash):
            return self._builtin_or_raise()
        old = self._far.entry(bundle.content_hash)
        if old is not None and not old.damaged and self._is_known_whole(old):
            if note not in ("", old.note):
                old = replace(old, note=note)
                self._far.record(old)
            return old
        return self._send(bundle, note, old)

    def remove(self, wanted: str) -> str:
        """Take a model out of the bucket; see ``Registry.remove``."""
        content_hash = self._hash_of(wanted)
        self._check_removable(content_hash)
        entry = self._far.entry(content_hash)
        self._far.forget(content_hash)
        try:
            # Somebody may have promoted it since: they look for the record after their move, we for their
            # move after the record went. One of the two sees the other.
            self._check_removable(content_hash)
        except LeafsightError:
            if entry is not None:
                self._far.record(replace(entry, damaged=False))
            raise
        self._far.drop(content_hash)
        with suppress(LeafsightError), alone_in(self.folder, 0.0):
            if content_hash not in set(self._near.aliases().values()):
                self._fetcher.drop(content_hash)
        return content_hash

    def verify(self) -> tuple[Damage, ...]:
        """Fetch and hash every bundle of the bucket, and look at every alias.

        Raises:
            StateBusyError, StateError: the bucket.
            DiskFullError, PermissionDeniedError, StorageError: there is no room here to look at one.
        """
        return damages(self, self._hashes(), self._pointers, self._read, _where)

    def promote(
        self, wanted: str, alias: str = SERVING, reason: str = "", by: str = "", *, over: str | None = None
    ) -> Change:
        """Let an alias in the bucket point to a model; see ``Registry.promote``.

        Raises:
            StateBusyError: the bucket does not answer, or others move the alias all the time.
            StateError: the bucket is set up wrongly.
        """
        change = super().promote(wanted, alias, reason, by, over=over)
        if change.builtin or self._far.entry(change.hash) is not None:
            return change
        with suppress(LeafsightError):
            if self._places.current(change.alias) == change:
                self.rollback(change.alias, reason="the model was removed meanwhile", by=by)
        raise self._unusable(change.hash, "somebody removed it while it was promoted")

    def _decided(self, alias: str, decide: Decide, said: tuple[str, str]) -> Change:
        """As in a folder, without a lock: when somebody was quicker, look again where the alias stands."""
        for _ in range(MOST_TRIES):
            standing = self._places.standing(alias)
            change = decide(standing)
            if change is None:
                assert standing.latest is not None
                return standing.latest
            change = self._stamped(change, said)
            if self._places.move(change, standing):
                return change
        raise too_many(alias)

    def _check_there(self, entry: Entry) -> None:
        if not entry.builtin and self._far.entry(entry.hash) is None:
            raise self._unusable(entry.hash, "somebody removed it meanwhile")

    def _is_known_whole(self, entry: Entry) -> bool:
        try:
            self._fetcher.bring(entry)
        except (BundleCorruptError, StorageError):
            return False
        return True

    def _read(self, entry: Entry) -> None:
        if entry.builtin:
            self.bundle(entry)
        else:
            self._fetcher.read(entry)

    def _send(self, bundle: Bundle, note: str, old: Entry | None) -> Entry:
        """A verified copy goes up, then its record, which is the moment that it is there."""
        with ExitStack() as stack:
            path = self._fetcher.new_part(stack)
            with path.open("r+b") as file:
                size_bytes = fill(StagedFile(path, file), bundle, self._most_bytes)
            tag = self._far.send(bundle.content_hash, path)
            created_ms = old.created_ms if old else self._now()
            note = note or (old.note if old else "")
            entry = Entry(bundle.content_hash, bundle.name, created_ms, size_bytes, len(bundle.labels), note)
            self._far.record(entry)
            if self._far.look(entry.hash) is None:  # somebody was about to remove the same model
                tag = self._far.send(entry.hash, path)
            with suppress(LeafsightError):  # the bucket has it; here it is only a copy
                self._fetcher.keep(path, entry, tag)
        return entry


def _where(entry: Entry) -> str:
    return f"model {entry.hash} in the bucket"
