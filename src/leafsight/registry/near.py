"""The registry that a server reads when the models lie in a bucket: a folder that follows it.

Enters: a bucket that answers, or does not. Leaves: aliases that point to whole bundles on this machine, each
as the bucket had it when it was last reached. It does not know who moves them.

The order is: pointer read, bundle fetched under a hidden name, verified, renamed; then the alias here moves.
Whatever goes wrong on the way, the alias stays where it is, and what it points to goes on serving.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from leafsight.errors import BundleCorruptError, LeafsightError, StateBusyError, StorageError
from leafsight.registry.bucket_pointers import BucketPointers
from leafsight.registry.bucket_shelf import BucketShelf
from leafsight.registry.changing import Registry
from leafsight.registry.fetching import Fetcher, NotThereYetError
from leafsight.registry.locking import alone_in
from leafsight.registry.names import SERVING, canonical, check_alias
from leafsight.registry.records import Change, Entry
from leafsight.storage import write_text

PULLING, ASKED = "pulling", "asked"
AGAIN_S = 10.0
"""After a bundle that could not be used, or had no room: it is not fetched every second."""
LOG = logging.getLogger("leafsight.registry")


class NearRegistry(Registry):
    """A folder that follows a bucket, one alias at a time. It is for reading: changes go to the bucket.

    Args:
        folder: on this machine, and of this bucket alone.
        shelf: of the bucket.
        pointers: of the bucket.
        fetcher: from the one to the other.
        now, max_bundle_bytes, lock_timeout_s: as of ``Registry``.
        steady_s: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        folder: Path,
        shelf: BucketShelf,
        pointers: BucketPointers,
        fetcher: Fetcher,
        now: Callable[[], int],
        max_bundle_bytes: int,
        lock_timeout_s: float,
        *,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(folder, now, max_bundle_bytes, lock_timeout_s)
        self._far_shelf, self._far_pointers, self._fetcher = shelf, pointers, fetcher
        self._steady_s = steady_s
        self._seen: dict[str, str] = {}
        self._pause: dict[str, tuple[str, float]] = {}
        self._said = ""

    def watch_token(self, alias: str = SERVING) -> str:
        """As in a folder, after a look at the bucket: one request, more when the alias has moved there.

        Trouble on the way is logged and changes nothing: the token stays as it was.

        Raises:
            UsageError: a name that no alias can have.
        """
        alias = check_alias(alias)
        try:
            self.pull(alias)
        except LeafsightError as error:
            if error.message != self._said:
                LOG.warning(
                    "the registry in the bucket is not followed",
                    extra={"fields": {"alias": alias, "reason": error.message, "hint": error.hint}},
                )
            self._said = error.message
        else:
            self._said = ""
        return super().watch_token(alias)

    def pull(self, alias: str = SERVING) -> bool:
        """Let the alias here point where it does in the bucket; whether it moved.

        While another process of this machine is at it, nothing is done.

        Raises:
            BundleCorruptError: the bundle is not in the bucket (yet), or is damaged there.
            StateBusyError, StateError: the bucket.
            DiskFullError, PermissionDeniedError, StorageError: no room here, or a damaged pointer there.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(alone_in(self.folder / PULLING, 0.0))
            except StateBusyError:
                return False
            return self._pull(alias)

    def _pull(self, alias: str) -> bool:
        tag = self._far_pointers.token(alias)
        if not (self.folder / ASKED).exists():
            write_text(self.folder / ASKED, "the bucket was reached\n")
        if self._seen.get(alias) == tag or self._is_paused(alias, tag):
            return False
        change = self._far_pointers.current(alias)
        if change is None:
            self._seen[alias] = tag
            return False
        try:
            self._have(change)
        except NotThereYetError:
            raise  # it may come any moment
        except (BundleCorruptError, StorageError):
            self._pause[alias] = (tag, self._steady_s() + AGAIN_S)
            raise
        moved = self._follow(change)
        self._seen[alias] = tag
        return moved

    def _have(self, change: Change) -> None:
        """The bundle that a change wants is here and whole."""
        if change.builtin or self._is_builtin(change.hash) or self._whole(change.hash) is not None:
            return
        entry = self._far_shelf.entry(change.hash)
        # Without a record the file itself tells what it is; its name and size are not known before.
        self._fetcher.bring(entry or Entry(change.hash, "", change.since_ms, 0, 0))

    def _follow(self, change: Change) -> bool:
        with alone_in(self.folder, self._lock_timeout_s):
            if self._moves.standing(change.alias).latest == change:
                return False
            self._moves.move(change)
            self._make_room()
            return True

    def _make_room(self) -> None:
        """What no alias points to, or pointed to before, can be fetched again."""
        self._fetcher.tidy()
        needed = set()
        for alias in self._moves.names():
            latest = self._moves.latest(alias)
            if latest is not None:
                needed |= {latest.hash, latest.former}
        for content_hash in self._files.hashes() - needed:
            self._fetcher.drop(content_hash)

    def _is_paused(self, alias: str, tag: str) -> bool:
        refused, until_s = self._pause.get(alias, ("", 0.0))
        return refused == tag and self._steady_s() < until_s

    def _by_name(self, name: str) -> Entry:
        name = canonical(name)
        if name == SERVING and self._moves.current(name) is None and not (self.folder / ASKED).exists():
            # Nobody knows whether something was promoted: the built-in model would be a guess.
            why = self._said or "nobody asked for it"
            raise StateBusyError(
                f"the bucket of the registry was never reached from here: {why}",
                hint="try again when it answers, or serve one file with --model",
            )
        return super()._by_name(name)
