"""Looking into the registry: entries, names, bundles. Needs no lock and may run beside a change.

Enters: a hash, the beginning of one, or an alias. Leaves: entries, paths, open bundles; or an error that says
how to get out. It does not change anything.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Protocol

from leafsight.bundle import Bundle, builtin_bundle_path, open_bundle
from leafsight.errors import (
    BundleCorruptError,
    BundleError,
    BundleVersionError,
    NotFoundError,
    StorageError,
    UsageError,
)
from leafsight.registry.names import (
    BUILTIN,
    SERVING,
    SHORT_DIGITS,
    canonical,
    check_alias,
    find_hash,
    is_alias,
    shown,
)
from leafsight.registry.pointers import Pointers
from leafsight.registry.records import Change, Entry
from leafsight.registry.shelf import Shelf
from leafsight.registry.shipped import builtin_entry
from leafsight.storage import os_errors_translated


class AnyShelf(Protocol):
    """Bundles and their records, in a folder or in a bucket."""

    def all(self) -> list[Entry]:
        """Every entry that can be told."""

    def hashes(self) -> set[str]:
        """Every model that has a bundle, a record or both."""

    def path(self, content_hash: str) -> Path:
        """Where on this machine the bundle of this hash lies, if it is there."""

    def entry(self, content_hash: str) -> Entry | None:
        """One entry; None when nothing can tell what it is."""


class AnyPointers(Protocol):
    """Aliases, in a folder or in a bucket; each method as in ``Pointers``."""

    def names(self) -> list[str]:
        """Every alias, sorted."""

    def current(self, alias: str) -> Change | None:
        """Where it points."""

    def latest(self, alias: str) -> Change | None:
        """The same, also where the pointer is damaged."""

    def history(self, alias: str) -> list[Change]:
        """Every change, the oldest first."""

    def lost_lines(self, alias: str) -> int:
        """How many lines of the history cannot be read."""

    def token(self, alias: str) -> str:
        """Another text after every change."""


class RegistryReader:
    """The reading half of ``Registry``. Safe to use from several threads.

    Args:
        folder: of the registry; it need not exist.

    Attributes:
        folder: where it lies.
    """

    def __init__(
        self, folder: Path, shelf: AnyShelf | None = None, pointers: AnyPointers | None = None
    ) -> None:
        self.folder = folder
        self._shelf = shelf or Shelf(folder)
        self._pointers = pointers or Pointers(folder)

    @cached_property
    def builtin(self) -> Entry | None:
        """The built-in model; None where leafsight was installed without it."""
        return builtin_entry()

    def entries(self) -> tuple[Entry, ...]:
        """Every model, the newest first, the built-in one last.

        One whose record and bundle are both unreadable is left out; ``verify`` names it.

        Raises:
            PermissionDeniedError, StorageError: the folder cannot be read.
        """
        there = [entry for entry in self._shelf.all() if not self._is_builtin(entry.hash)]
        there += [self.builtin] if self.builtin is not None else []
        return tuple(sorted(there, key=lambda entry: (entry.created_ms, entry.hash), reverse=True))

    def get(self, wanted: str) -> Entry:
        """The entry that is meant.

        Args:
            wanted: a hash, its first digits (4 or more), an alias, or ``builtin``.

        Raises:
            NotFoundError: there is none, or nothing was promoted under this alias.
            ConflictError: several hashes begin so.
            BundleCorruptError: the alias, or hash, is of a model that is gone from the folder.
            StorageError: the alias's own file is damaged.
        """
        if wanted == BUILTIN or is_alias(wanted):
            return self._by_name(wanted)
        content_hash = find_hash(wanted, self._hashes(), self._pointers.names())
        entry = self._entry(content_hash)
        if entry is None:
            raise self._unusable(content_hash, "its bundle cannot be read")
        return entry

    def path(self, entry: Entry) -> Path:
        """Where the bundle of an entry lies; the file may be opened but never written to.

        Raises:
            BundleCorruptError: it is gone; the hint says how to get out.
            PermissionDeniedError: the system does not let us look.
        """
        path = builtin_bundle_path() if entry.builtin else self._shelf.path(entry.hash)
        with os_errors_translated(path):
            there = path.is_file()
        if not there:
            raise self._unusable(entry.hash, f"there is no {path}")
        return path

    def bundle(self, entry: Entry, *, keep_network: bool = False) -> Bundle:
        """The bundle of an entry, verified: card, metrics, provenance, labels, and what a predictor needs.

        Args:
            entry: from ``get`` or ``entries``.
            keep_network: as in ``leafsight.bundle.open_bundle``.

        Raises:
            BundleCorruptError: it is gone, altered, or another model; the hint says how to get out.
            BundleVersionError: a newer leafsight wrote it.
            PermissionDeniedError, StorageError: the system does not let us read it.
        """
        path = self.path(entry)
        try:
            opened = open_bundle(path, keep_network=keep_network)
        except BundleVersionError:
            raise
        except BundleError as error:
            raise self._unusable(entry.hash, error.message) from error
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):  # somebody removed it while we were reading
                raise self._unusable(entry.hash, f"{path} went away") from error
            raise
        if opened.content_hash != entry.hash:
            raise self._unusable(entry.hash, f"{path} holds another model, {opened.content_hash}")
        return opened

    def aliases(self) -> dict[str, str]:
        """Alias -> hash. ``serving`` is the built-in model until something is promoted.

        An alias whose file is damaged is left out; ``verify`` names it.
        """
        found = {SERVING: self.builtin.hash} if self.builtin is not None else {}
        for alias in self._pointers.names():
            found.pop(alias, None)
            try:
                change = self._pointers.current(alias)
            except StorageError:
                continue
            if change is not None:
                found[alias] = self._meant(change)
        return dict(sorted(found.items()))

    def alias_names(self) -> list[str]:
        """Every alias that was ever promoted, sorted; also one whose file is damaged.

        Raises:
            StateBusyError, StateError, StorageError: bucket or folder.
        """
        return self._pointers.names()

    def history(self, alias: str = SERVING, limit: int = 50) -> tuple[Change, ...]:
        """The changes of an alias, the newest first; none when nothing was ever promoted under it.

        Args:
            alias: which one.
            limit: most changes, from 1 on.

        Raises:
            UsageError: a name that no alias can have, or ``limit`` below 1.
            StorageError: the history cannot be read.
        """
        alias = check_alias(alias)
        if limit < 1:
            raise UsageError(f"cannot list {limit} changes", hint="ask for 1 or more")
        return tuple(self._pointers.history(alias)[: -limit - 1 : -1])

    def watch_token(self, alias: str = SERVING) -> str:
        """A text that is another one after the alias has moved; costs two looks at the folder.

        Equal tokens: nothing moved. Other tokens: ask ``get`` again, which may give the same model. Take the
        token before the entry, so that no change falls between.

        Raises:
            UsageError: a name that no alias can have.
        """
        return self._pointers.token(check_alias(alias))

    def _by_name(self, name: str) -> Entry:
        name = canonical(name)
        if name == BUILTIN:
            return self._builtin_or_raise()
        change = self._pointers.current(name)
        if change is not None:
            return self._of_change(change)
        if name == SERVING:
            return self._builtin_or_raise()
        raise NotFoundError(
            f"nothing was promoted under {shown(name)}",
            hint=f"leafsight models promote ID --alias {name}; leafsight models ls lists models and aliases",
        )

    def _builtin_or_raise(self) -> Entry:
        if self.builtin is None:
            raise NotFoundError(
                "this installation has no built-in model that can be used",
                hint="install leafsight from its wheel, or: leafsight models add FILE --promote",
            )
        return self.builtin

    def _of_change(self, change: Change) -> Entry:
        entry = self._entry(self._meant(change))
        if entry is None:
            raise self._unusable(change.hash, "neither its bundle nor its record is there")
        return entry

    def _meant(self, change: Change) -> str:
        """The hash that a change points to; of another built-in model than ours, ours."""
        return self.builtin.hash if change.builtin and self.builtin is not None else change.hash

    def _entry(self, content_hash: str) -> Entry | None:
        return self.builtin if self._is_builtin(content_hash) else self._shelf.entry(content_hash)

    def _is_builtin(self, content_hash: str) -> bool:
        return self.builtin is not None and self.builtin.hash == content_hash

    def _hashes(self) -> set[str]:
        return self._shelf.hashes() | ({self.builtin.hash} if self.builtin is not None else set())

    def _unusable(self, content_hash: str, why: str) -> BundleCorruptError:
        """The error for a model that is gone or damaged, with the way out as its hint."""
        names = [alias for alias, pointed in self.aliases().items() if pointed == content_hash]
        short = content_hash[:SHORT_DIGITS]
        if names:
            hint = f"leafsight models rollback --alias {names[0]} puts the former model back"
        else:
            hint = f"leafsight models add FILE puts a whole one in its place; leafsight models remove {short}"
        under = f" ({', '.join(names)})" if names else ""
        return BundleCorruptError(f"model {short}{under} cannot be used: {why}", hint=hint)
