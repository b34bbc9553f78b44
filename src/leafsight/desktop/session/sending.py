"""From a folder on this computer to photographs that a server looked into: packed, sent in parts, followed.

Enters: folders, archives, photographs. Leaves: sendings as they go on, through an ``Outbox``, so that what
was begun goes on after the window closed, the server was away, or the disk was full. It decides nothing about
what was sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from leafsight.desktop.session.errands import Errands
from leafsight.desktop.session.language import trn
from leafsight.desktop.session.outbox import Outbox, Sending
from leafsight.desktop.session.packing import Member, is_archive, members_of_folder, pack, shares
from leafsight.desktop.session.photographs import Trouble
from leafsight.desktop.session.reaching import Reach
from leafsight.desktop.session.teach_answers import not_taught_here, upload_of
from leafsight.errors import (
    LeafsightError,
    NotFoundError,
    OverloadError,
    RemoteError,
    StateBusyError,
    UsageError,
)
from leafsight.images import PHOTO_SUFFIXES

if TYPE_CHECKING:
    from leafsight.client import Learning

LOOK_EVERY_S = 0.7
PAUSES_S = (2.0, 5.0, 15.0, 60.0)
"""Before what failed for want of a server is tried again by itself."""
ENDED = ("done", "failed", "cancelled")
AWAY = (RemoteError, OverloadError, StateBusyError)
TOLD_EVERY_S = 0.1


class _StoppedError(Exception):
    """The window closes or the sending was taken away."""


class Sender:
    """Sends one thing after the other; used by one thread, works on errands.

    Args:
        reach: the server.
        errands: to work on.
        folder: of the outbox.
        changed: called by ``Errands.settle`` when a sending is not what it was.
    """

    def __init__(self, reach: Reach, errands: Errands, folder: Path, changed: Callable[[], None]) -> None:
        self._reach, self._errands, self._changed = reach, errands, changed
        self._outbox = Outbox(folder)
        self._at_work: int | None = None
        self._dropped: set[int] = set()
        self._dropping = threading.Lock()
        self._failures: dict[int, int] = {}
        self._again_at: dict[int, float] = {}
        self._look_at = 0.0
        self._note: list[Sending] = []

    @property
    def sendings(self) -> list[Sending]:
        """All for the server that is chosen, newest first."""
        return [one for one in self._outbox.sendings if one.server == self._reach.server.address]

    @property
    def is_under_way(self) -> bool:
        """Whether something is on its way to the server."""
        return any(one.stage in ("packing", "sending") for one in self.sendings)

    def give(self, places: Sequence[Path], label: str = "") -> None:
        """Send these; a folder and an archive each for itself, photographs together.

        Args:
            places: folders, archives, photographs.
            label: the class of the photographs.

        Raises:
            UsageError: photographs without a class, or nothing that can be sent.
            DiskFullError, PermissionDeniedError, StorageError: it cannot be written down.
        """
        places = [one.absolute() for one in places]
        whole = [one for one in places if one.is_dir() or is_archive(one)]
        photographs = [
            one
            for one in places
            if one not in whole and one.suffix.lower() in PHOTO_SUFFIXES and one.is_file()
        ]
        if photographs and not label.strip():
            raise UsageError(
                "nobody knows which class these photographs show",
                hint="write the class first, or give a folder that is named like it",
            )
        if not whole and not photographs:
            raise UsageError(
                "there is nothing to learn from in it", hint="give photographs, folders of them, or archives"
            )
        for place in whole:
            self._put(Sending(self._outbox.next_number(), place.name, str(place), label=label.strip()))
        if photographs:
            name = trn("{number} photograph", "{number} photographs", len(photographs))
            files = tuple(str(one) for one in photographs)
            self._put(Sending(self._outbox.next_number(), name, files[0], files=files, label=label.strip()))
        self.tick()

    def try_again(self) -> None:
        """What failed goes on where it stopped."""
        for one in self.sendings:
            if one.stage == "failed":
                stage = "packing" if not one.upload else "sending"
                self._outbox.put(one.but(stage=stage, trouble=None))
        self._again_at.clear()
        self._failures.clear()
        self.tick()

    def drop(self, number: int) -> None:
        """Do not send it, or forget that it was sent; what the server has stays there."""
        with self._dropping:
            self._dropped.add(number)
        self._outbox.drop(number)
        self._changed()

    def close(self) -> None:
        """After the errands are closed: write down how far it came."""
        if self._at_work is not None and self._note and self._note[0].number not in self._dropped:
            with suppress(LeafsightError):  # then it begins a little earlier the next time
                self._outbox.put(self._note[0])

    def tick(self) -> None:
        """Go on; called now and then by the owner."""
        if self._at_work is not None:
            return
        now = monotonic()
        for one in reversed(self.sendings):
            if one.stage in ("packing", "sending") and self._again_at.get(one.number, 0.0) <= now:
                self._work_on(one, self._send)
                return
        if now >= self._look_at:
            for one in reversed(self.sendings):
                if one.stage == "looking" and self._again_at.get(one.number, 0.0) <= now:
                    self._look_at = now + LOOK_EVERY_S
                    self._work_on(one, self._look)
                    return

    def _put(self, one: Sending) -> None:
        self._outbox.put(one.but(server=self._reach.server.address))
        self._changed()

    def _work_on(self, one: Sending, call: Callable[[Sending], Sending]) -> None:
        self._at_work = one.number
        # The result is taken when it comes, whatever else was said meanwhile; errors have to keep their kind.
        self._errands.do(
            lambda: self._tried(one, call), self._done, lambda trouble: self._broke(one, trouble)
        )

    def _tried(
        self, one: Sending, call: Callable[[Sending], Sending]
    ) -> tuple[Sending, LeafsightError | None]:
        self._note = [one]
        try:
            return call(one), None
        except _StoppedError:
            return self._note[0], None
        except LeafsightError as error:
            return self._note[0], error

    def _done(self, came: tuple[Sending, LeafsightError | None]) -> None:
        one, error = came
        self._at_work = None
        if one.number in self._dropped:
            self._outbox.drop(one.number)
            self._changed()
            return
        if error is None:
            self._failures.pop(one.number, None)
            self._keep(one.but(trouble=None))
        elif isinstance(error, AWAY):
            count = self._failures.get(one.number, 0)
            self._failures[one.number] = count + 1
            self._again_at[one.number] = monotonic() + PAUSES_S[min(count, len(PAUSES_S) - 1)]
            self._keep(one.but(trouble=Trouble.of(error)))
        else:
            self._keep(one.but(stage="failed", trouble=Trouble.of(error)))
        self.tick()

    def _broke(self, one: Sending, trouble: Trouble) -> None:
        self._at_work = None
        self._keep(one.but(stage="failed", trouble=trouble))

    def _keep(self, one: Sending) -> None:
        try:
            self._outbox.put(one)
        except LeafsightError as error:
            self._outbox.put(one.but(stage="failed", trouble=Trouble.of(error)), keep=False)
        self._changed()

    def _send(self, one: Sending) -> Sending:
        """On an errand: pack what is not packed, send what is not sent."""
        learning = self._reach.client().learning
        path = Path(one.source)
        if not one.files and is_archive(path):
            one, archive = one.but(parts=1), path
        else:
            one, archive = self._packed(one)
        one = self._told(one.but(stage="sending"))
        if not one.upload:
            one = self._told(one.but(upload=_begun(learning, archive, one.label or None)))
        accepted = learning.send_rest(archive, one.upload, self._teller(one))
        if archive != path:
            archive.unlink(missing_ok=True)
        return one.but(stage="looking", upload=accepted.id, done_bytes=0, total_bytes=0)

    def _packed(self, one: Sending) -> tuple[Sending, Path]:
        members = self._members(one)
        found = shares(members)
        archive = self._outbox.archive(one)
        one = self._told(one.but(parts=len(found)))
        if not one.upload or not archive.exists():
            if one.part >= len(found):
                raise UsageError("there are no photographs in it", hint="give a folder of class folders")
            pack(found[one.part], archive, self._teller(one.but(upload="")))
            one = one.but(upload="")
        return one, archive

    def _members(self, one: Sending) -> list[Member]:
        if not one.files:
            return list(members_of_folder(Path(one.source)))
        paths = [Path(name) for name in one.files]
        # Two photographs may have the same name in two folders.
        return [
            Member(path, f"{one.label}/{number}-{path.name}", path.stat().st_size)
            for number, path in enumerate(paths)
            if path.is_file()
        ]

    def _look(self, one: Sending) -> Sending:
        """On an errand: what became of it."""
        found = upload_of(self._reach.client().upload_state(one.upload))
        job = found["job"]
        goes_on = found["state"] == "waiting" if job is None else job["state"] not in ENDED
        if goes_on:
            progress = {} if job is None else job["progress"]
            return one.but(done_bytes=progress.get("done", 0), total_bytes=progress.get("total", 0))
        one = one.but(results=(*one.results, _slim(found)), upload="", part=one.part + 1)
        return one.but(stage="packing" if one.part < one.parts else "done", done_bytes=0, total_bytes=0)

    def _told(self, one: Sending) -> Sending:
        """Whatever happens next, this much is done."""
        self._note[0] = one
        self._errands.hand_over(lambda: self._passing(one))
        return one

    def _passing(self, one: Sending) -> None:
        if one.number not in self._dropped and self._outbox.get(one.number) is not None:
            self._keep(one)

    def _teller(self, one: Sending) -> Callable[[int, int], None]:
        last = 0.0

        def told(done: int, total: int) -> None:
            nonlocal last
            with self._dropping:
                dropped = one.number in self._dropped
            if dropped or self._errands.ended:
                raise _StoppedError
            if monotonic() - last >= TOLD_EVERY_S or done == total:
                last = monotonic()
                so_far = one.but(done_bytes=done, total_bytes=total)
                self._errands.hand_over(lambda: self._show(so_far))

        return told

    def _show(self, one: Sending) -> None:
        if one.number not in self._dropped and self._outbox.get(one.number) is not None:
            self._outbox.put(one, keep=False)
            self._changed()


def _begun(learning: Learning, archive: Path, label: str | None) -> str:
    """Begin an upload; a server that learns nothing says so, and not what was wrong with the request."""
    try:
        return learning.begin_upload(archive, label)
    except (UsageError, NotFoundError) as error:
        why: Trouble | None = None
        try:
            learning.contributions_summary()
        except LeafsightError as nowhere:
            why = not_taught_here(nowhere) if isinstance(nowhere, NotFoundError) else None
        if why is None:
            raise
        raise UsageError(why.message, hint=why.hint) from error


def _slim(found: dict[str, Any]) -> dict[str, Any]:
    """What is told of an upload afterwards."""
    job = found.get("job") or {}
    return {
        "id": found.get("id"),
        "state": found.get("state"),
        "job": {"state": job.get("state"), "result": job.get("result"), "error": job.get("error")},
    }
