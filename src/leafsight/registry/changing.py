"""The registry itself: bundles are added and removed, aliases move forward and back.

Enters: bundle files and wishes. Leaves: a folder in which every change is whole or did not happen, whoever
else changes it and whenever the machine stops. It does not know who may wish what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import BundleCorruptError, ConflictError, StateError, StorageError, UsageError
from leafsight.registry.locking import alone_in
from leafsight.registry.names import (
    BUILTIN,
    MOST_BY_CHARACTERS,
    MOST_NOTE_CHARACTERS,
    SERVING,
    SHORT_DIGITS,
    check_alias,
    check_text,
    find_hash,
    is_alias,
)
from leafsight.registry.pointers import Pointers, Standing
from leafsight.registry.reading import RegistryReader
from leafsight.registry.records import Change, Damage, Entry
from leafsight.registry.shelf import Shelf
from leafsight.registry.staging import check_size, fill, new_part
from leafsight.registry.trail import below, kept, next_change
from leafsight.registry.verifying import damages
from leafsight.storage import os_errors_translated

MOST_BUNDLE_BYTES = 2**31 - 1
Decide = Callable[[Standing], Change | None]
"""The change that an alias shall make from where it stands; None when it is there already."""


class Registry(RegistryReader):
    """The shelf of models. Safe to use from several threads and processes.

    Args:
        folder: where it lies.
        now: milliseconds UTC.
        max_bundle_bytes: a larger bundle is refused.
        lock_timeout_s: how long a change waits for another process.
    """

    def __init__(
        self, folder: Path, now: Callable[[], int], max_bundle_bytes: int, lock_timeout_s: float
    ) -> None:
        self._files, self._moves = Shelf(folder), Pointers(folder)
        super().__init__(folder, self._files, self._moves)
        self._now = now
        self._most_bytes = min(max_bundle_bytes, MOST_BUNDLE_BYTES)
        self._lock_timeout_s = lock_timeout_s

    @property
    def near(self) -> Registry:
        """The registry that a server of this machine reads: this one, where nothing lies elsewhere."""
        return self

    def add(self, bundle_path: Path, note: str = "") -> Entry:
        """Put a copy of a bundle on the shelf.

        The same contents again are no error: a damaged copy is replaced, a new note kept, the time of the
        first adding stays.

        Args:
            bundle_path: a ``.leafsight`` file, or the folder of one, which is packed.
            note: what to remember about it, at most 2,000 characters.

        Raises:
            BundleError, BundleCorruptError, BundleVersionError: it is no bundle that we can use.
            RequestTooLargeError: it is over the limit.
            UsageError: the note is too long.
            StateBusyError: another process is changing the registry all the time.
            DiskFullError, PermissionDeniedError, StorageError: nothing was added.
        """
        note = check_text(note, "note", MOST_NOTE_CHARACTERS)
        bundle = self._opened(bundle_path)
        known = self._whole(bundle.content_hash)
        if known is not None and (known.builtin or note in ("", known.note)):
            return known
        return self._put(bundle, note, copied=known is not None)

    def promote(
        self, wanted: str, alias: str = SERVING, reason: str = "", by: str = "", *, over: str | None = None
    ) -> Change:
        """Let an alias point to a model, all at once; where it points to it already, nothing happens.

        Args:
            wanted: as for ``get``.
            alias: a new or a known one.
            reason: why, at most 2,000 characters.
            by: who, at most 200 characters.
            over: content hash of the model that the alias has to point to before; by default any.

        Returns:
            The change that is in force.

        Raises:
            NotFoundError, ConflictError: see ``get``; or the alias points to another model than ``over``.
            BundleCorruptError: its bundle is not whole.
            UsageError: an alias, reason or name that cannot be.
            StateBusyError: another process is changing the registry all the time.
            DiskFullError, PermissionDeniedError, StorageError: the alias points where it did.
        """
        alias, said = check_alias(alias), _said(reason, by)
        entry = self.get(wanted)
        self.bundle(entry)

        def forward(standing: Standing) -> Change | None:
            self._check_there(entry)  # somebody may have removed it meanwhile
            if standing.points_to(entry):
                return None
            if over is not None and self._pointed(alias, standing) != over:
                raise ConflictError(f"{alias} points to another model by now", hint="look at it again")
            return next_change(
                "promote", entry, standing.latest, standing.history, alias=alias, builtin=self.builtin
            )

        return self._decided(alias, forward, said)

    def _pointed(self, alias: str, standing: Standing) -> str | None:
        """Content hash of what an alias points to; the built-in model serves before anything was promoted."""
        latest = standing.latest
        if latest is None:
            return self.builtin.hash if alias == SERVING and self.builtin is not None else None
        return self.builtin.hash if latest.builtin and self.builtin is not None else latest.hash

    def rollback(
        self,
        alias: str = SERVING,
        steps: int = 1,
        reason: str = "",
        by: str = "",
        *,
        over: str | None = None,
    ) -> Change:
        """Put the former model back; again, the one before it.

        A rollback goes back along the promotions and is none itself: after A, B, C one step leads to B and
        one more to A. Below the first promotion of ``serving`` lies the built-in model.

        Args:
            alias: which one.
            steps: how many promotions to take back, from 1 on.
            reason: why.
            by: who.
            over: content hash of the model that the alias has to point to before; by default any. Where it
                was rolled back from that one already, nothing happens: what is sent twice goes back once.

        Returns:
            The change that is in force.

        Raises:
            ConflictError: there are not so many, or the history is damaged there; or the alias points to
                another model than ``over``.
            BundleCorruptError: the bundle that would serve is gone or damaged; the hint goes further back.
            UsageError, StateBusyError, DiskFullError, PermissionDeniedError, StorageError: see ``promote``.
        """
        alias, said = check_alias(alias), _said(reason, by)
        if steps < 1:
            raise UsageError(f"cannot go {steps} steps back", hint="go 1 or more")

        def back(standing: Standing) -> Change | None:
            if standing.latest is None:
                raise ConflictError(
                    f"nothing was promoted under {alias!r}", hint="leafsight models ls shows every alias"
                )
            if over is not None and over not in (standing.latest.hash, self._pointed(alias, standing)):
                if standing.latest.kind == "rollback" and standing.latest.former == over:
                    return None
                raise ConflictError(f"{alias} points to another model by now", hint="look at it again")
            target = below(standing.latest, standing.history, steps)
            try:
                entry = self._builtin_or_raise() if target is None else self._of_change(target)
                self.bundle(entry)
            except BundleCorruptError as error:
                further = f"leafsight models rollback --alias {alias} --steps {steps + 1} goes further back"
                raise BundleCorruptError(error.message, hint=further) from error
            return next_change(
                "rollback", entry, standing.latest, standing.history, alias=alias, builtin=self.builtin,
                back_to=target,
            )  # fmt: skip

        return self._decided(alias, back, said)

    def remove(self, wanted: str) -> str:
        """Take a model off the shelf.

        Args:
            wanted: as for ``get``; also of a damaged one.

        Returns:
            Its hash.

        Raises:
            NotFoundError: there is none.
            ConflictError: it is the built-in model, several hashes begin so, or an alias points to it, did so
                before its last change, or would after a rollback.
            StateBusyError, PermissionDeniedError, StorageError: as for ``promote``.
        """
        with self._changing():
            content_hash = self._hash_of(wanted)
            self._check_removable(content_hash)
            self._files.drop(content_hash)
            return content_hash

    def verify(self) -> tuple[Damage, ...]:
        """Read and hash every bundle and look at every alias; reads all bytes there are.

        Returns:
            What cannot be used; nothing when all is well.

        Raises:
            PermissionDeniedError, StorageError: the folder itself cannot be read.
        """
        return damages(self, self._hashes(), self._pointers, self.bundle, self.path)

    def tidy(self) -> None:
        """End what a killed process began, unless somebody is at work or we may not write."""
        with suppress(StateError, StorageError), alone_in(self.folder, 0.0):
            self._files.tidy()
            self._moves.tidy()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with alone_in(self.folder, self._lock_timeout_s):
            with suppress(StorageError):
                self._files.tidy()
                self._moves.tidy()
            yield

    def _put(self, bundle: Bundle, note: str, *, copied: bool) -> Entry:
        with ExitStack() as stack:
            with self._changing():
                old = self._shelf.entry(bundle.content_hash)
                if copied and old is not None and not old.damaged:
                    entry = replace(old, note=note)
                    self._files.record(entry)
                    return entry
                part = stack.enter_context(new_part(self._files.bundles))
            # Copying takes long; nobody has to wait for it to promote or to roll back.
            size_bytes = fill(part, bundle, self._most_bytes)
            with self._changing():
                old = self._shelf.entry(bundle.content_hash)
                created_ms = old.created_ms if old else self._now()
                note = note or (old.note if old else "")
                entry = Entry(
                    bundle.content_hash, bundle.name, created_ms, size_bytes, len(bundle.labels), note
                )
                self._files.put(part.path, entry)
                return entry

    def _whole(self, content_hash: str) -> Entry | None:
        entry = self._entry(content_hash)
        try:
            return entry if entry is not None and not entry.damaged and self.bundle(entry) else None
        except BundleCorruptError:
            return None

    def _hash_of(self, wanted: str) -> str:
        """As ``get``, but the model need not be readable."""
        if wanted == BUILTIN or is_alias(wanted):
            return self._by_name(wanted).hash
        return find_hash(wanted, self._hashes(), self._pointers.names())

    def _opened(self, bundle_path: Path) -> Bundle:
        """What somebody wants to add, verified; refused before it is read when it is too large."""
        with os_errors_translated(bundle_path):
            if bundle_path.is_file():
                check_size(bundle_path.stat().st_size, bundle_path, self._most_bytes)
        return open_bundle(bundle_path)

    def _check_there(self, entry: Entry) -> None:
        self.path(entry)

    def _check_removable(self, content_hash: str) -> None:
        if self._is_builtin(content_hash):
            raise ConflictError("the built-in model cannot be removed", hint="it ships with leafsight")
        for alias in self._pointers.names():
            if content_hash in kept(self._pointers.latest(alias), self._pointers.history(alias)):
                raise ConflictError(
                    f"model {content_hash[:SHORT_DIGITS]} is what {alias!r} points to, or its way back",
                    hint=f"promote others first: leafsight models promote ID --alias {alias}",
                )

    def _decided(self, alias: str, decide: Decide, said: tuple[str, str]) -> Change:
        """Move an alias as ``decide`` says, seeing where it stands, and let nobody come between."""
        with self._changing():
            standing = self._moves.standing(alias)
            change = decide(standing)
            if change is None:
                assert standing.latest is not None
                return standing.latest
            change = self._stamped(change, said)
            self._moves.move(change)
            return change

    def _stamped(self, change: Change, said: tuple[str, str]) -> Change:
        return replace(change, since_ms=self._now(), reason=said[0], by=said[1])


def _said(reason: str, by: str) -> tuple[str, str]:
    return check_text(reason, "reason", MOST_NOTE_CHARACTERS), check_text(by, "name", MOST_BY_CHARACTERS)
