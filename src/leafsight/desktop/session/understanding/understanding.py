"""Studies in a child process, seen from the window: started, listened to, cancelled, kept.

Enters: places, on the thread of whoever owns it. Leaves: a ``State`` for the same thread. A thread of each
run waits for its child; nothing that it hears is seen before ``state`` is called.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from leafsight.desktop.session.language import tr
from leafsight.desktop.session.photographs import Trouble
from leafsight.desktop.session.understanding.pace import Told
from leafsight.desktop.session.understanding.phrases import said_ahead
from leafsight.desktop.session.understanding.studies import Study, last_study, load_study
from leafsight.desktop.session.understanding.studying import END_WITHIN_S, Wish, work
from leafsight.errors import LeafsightError

LOG = logging.getLogger("leafsight.desktop")
LISTEN_S = 0.5
KILLED_AFTER_S = END_WITHIN_S + 2.0
CLOSED_WITHIN_S = KILLED_AFTER_S + 2.0
Work = Callable[[Connection, Wish], None]


@dataclass(frozen=True, slots=True)
class State:
    """What there is to show.

    Attributes:
        study: the last good one; None before there is one.
        working_on: places that are looked at now; empty when nothing is.
        told: how far that is.
        trouble: why the last run came to nothing.
        restoring: whether the study of the last window is still being read.
    """

    study: Study | None = None
    working_on: tuple[Path, ...] = ()
    told: Told | None = None
    trouble: Trouble | None = None
    restoring: bool = False


class Understanding:
    """Looks at one collection at a time.

    Args:
        wish: with everything but the places.
        wake: called on any thread when there is news.
        work: what the child does.
    """

    def __init__(self, wish: Wish, *, wake: Callable[[], None] = lambda: None, work: Work = work) -> None:
        self._wish, self._wake, self._work = wish, wake, work
        self._state = State()
        self._posted: deque[tuple[_Run | None, dict[str, Any]]] = deque()
        self._run: _Run | None = None
        self._threads: list[threading.Thread] = []

    def restore(self) -> None:
        """Show the last study that was made, by whichever window."""
        self._state = replace(self._state, restoring=True)
        self._begin(self._restore)

    def start(self, places: Sequence[Path]) -> None:
        """Look at these places; what is being looked at now is cancelled."""
        self.cancel()
        wish = replace(self._wish, places=tuple(place.absolute() for place in places))
        run = self._run = _Run(wish, self._work)
        self._state = replace(self._state, working_on=wish.places, told=None, trouble=None)
        before = tuple(self._threads)  # what is being cancelled holds the same locks until it has ended

        def listen() -> None:
            for thread in before:
                thread.join()
            run.listen(lambda changes: self._post(run, changes))

        self._begin(listen)

    def cancel(self) -> None:
        """End what is being done; what was read is kept, the next start goes on from there."""
        if self._run is not None:
            self._run.cancel()
            self._run = None
        self._state = replace(self._state, working_on=(), told=None)

    def state(self) -> State:
        """As it is now."""
        while self._posted:
            run, changes = self._posted.popleft()
            if run is None:
                # Of the last window: what was started meanwhile counts more.
                study = self._state.study or changes["study"]
                self._state = replace(self._state, study=study, restoring=False)
            elif run is self._run:
                self._state = replace(self._state, **changes)
                if not self._state.working_on:
                    self._run = None
        return self._state

    def close(self) -> None:
        """End the child and the threads."""
        self.cancel()
        until_s = time.monotonic() + CLOSED_WITHIN_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _begin(self, do: Callable[[], None]) -> None:
        self._threads = [one for one in self._threads if one.is_alive()]
        thread = threading.Thread(target=do, name="understanding", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _restore(self) -> None:
        study = None
        try:
            study = last_study(self._wish.root)
            if study is not None:
                said_ahead(study)
        finally:
            self._post(None, {"study": study})

    def _post(self, run: _Run | None, changes: dict[str, Any]) -> None:
        self._posted.append((run, changes))
        self._wake()


class _Run:
    """One child, from its start to its end."""

    def __init__(self, wish: Wish, work: Work) -> None:
        self._wish, self._work = wish, work
        self._cancelled_s: float | None = None
        self._ours: Connection | None = None

    def cancel(self) -> None:
        """Tell the child to end; cheap."""
        self._cancelled_s = time.monotonic()
        if self._ours is not None:
            with suppress(OSError, ValueError):
                self._ours.send("end")

    def listen(self, post: Callable[[dict[str, Any]], None]) -> None:
        """Start the child and hear it until it has ended."""
        over: dict[str, Any] = {"working_on": (), "told": None}
        try:
            answer = self._hear(post)
            if answer is not None and not self._is_cancelled():
                over |= _taken(answer)
        except Exception as error:
            LOG.exception("a study could not be heard")
            over["trouble"] = Trouble(f"the study failed: {error!r}", "this is a bug of ours: report it")
        post(over)

    def _hear(self, post: Callable[[dict[str, Any]], None]) -> tuple[Any, ...] | None:
        if self._is_cancelled():
            return None
        context = get_context("spawn")  # a fork would copy locks that other threads hold
        ours, theirs = context.Pipe()
        process = context.Process(
            target=self._work, args=(theirs, self._wish), name="understanding", daemon=True
        )
        try:
            process.start()
        except OSError as error:
            ours.close()
            return (
                "trouble",
                f"no process can be started: {error.strerror or error}",
                "close other programs",
            )
        finally:
            theirs.close()
        self._ours = ours
        if self._is_cancelled():  # before there was anybody to tell
            self.cancel()
        answer: tuple[Any, ...] = ("killed",)
        with ours:
            while True:
                if not wait([ours], LISTEN_S):
                    if self._is_late():
                        process.kill()
                    continue
                try:
                    message = ours.recv()
                except (EOFError, OSError):
                    break
                if message[0] == "told":
                    post({"told": message[1]})
                else:
                    answer = message
        process.join()
        process.close()
        return answer

    def _is_cancelled(self) -> bool:
        return self._cancelled_s is not None

    def _is_late(self) -> bool:
        return self._cancelled_s is not None and time.monotonic() - self._cancelled_s > KILLED_AFTER_S


def _taken(answer: tuple[Any, ...]) -> dict[str, Any]:
    """What the last word of a child changes."""
    if answer[0] == "done":
        try:
            return {"study": said_ahead(load_study(answer[1])), "trouble": None}
        except LeafsightError as error:
            return {"trouble": Trouble.of(error)}
    if answer[0] == "trouble":
        return {"trouble": Trouble(answer[1], answer[2])}
    said = tr("looking at the photographs was ended from outside; there may be too little memory")
    return {"trouble": Trouble(said, tr("try again: what was read is kept"))}
