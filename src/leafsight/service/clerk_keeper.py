"""Looks after the clerk and the trainer: starts each when there is work, and again when it dies at it.

For the supervisor. Enters: words of the workers. Leaves: at most one process of each, and none while there is
nothing to do. Where the service works no jobs off it hears the words and starts nobody.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from leafsight.service.clerk_bell import TRAIN, WORK
from leafsight.service.options import ServiceOptions

AGAIN_AFTER_S = 2.0
"""After a clerk that died; the jobs that it held are free after their lease anyway."""
END_WITHIN_S = 10
NAMES = {WORK: "clerk", TRAIN: "trainer"}


class ClerkKeeper:
    """One for each supervisor.

    Args:
        options: of the service.
        listening: the sockets that a clerk has to close.
        context: of multiprocessing.
        say: told in one line what happens.
        before_start: called before a process is forked.
    """

    def __init__(
        self,
        options: ServiceOptions,
        listening: Sequence[socket.socket],
        context: Any,
        say: Callable[[str], None],
        *,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        words = () if options.jobs == "none" else NAMES
        self._kept = {word: _Kept(word, options, listening, context, say, before_start) for word in words}

    def hear(self, pipe: Connection) -> None:
        """What a worker said; ends of pipes are somebody else's matter."""
        try:
            while pipe.poll():
                if (kept := self._kept.get(pipe.recv())) is not None:
                    kept.wanted = True
        except (EOFError, OSError):
            return

    def want(self, word: str) -> None:
        """There is something to do for the clerk, or for the trainer; one that is at work sees it."""
        if (kept := self._kept.get(word)) is not None and not kept.is_there:
            kept.wanted = True

    def look(self) -> None:
        """Start a clerk if one is wanted, and notice if one died."""
        for kept in self._kept.values():
            kept.look()

    def stop(self) -> None:
        """End both; what they were at is put back into the queue."""
        for kept in self._kept.values():
            kept.tell_to_end()
        for kept in self._kept.values():
            kept.stop()


class _Kept:
    """One of the two processes, while there is work for it."""

    def __init__(
        self,
        word: str,
        options: ServiceOptions,
        listening: Sequence[socket.socket],
        context: Any,
        say: Callable[[str], None],
        before_start: Callable[[], None],
    ) -> None:
        self._word, self._options, self._listening = word, options, listening
        self._context, self._say, self._before_start = context, say, before_start
        self._process: Any = None
        self._pipe: Connection | None = None
        self.wanted = False
        self._not_before = 0.0

    @property
    def is_there(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def look(self) -> None:
        if self._process is not None and not self._process.is_alive():
            if self._process.exitcode != 0:
                name, status = NAMES[self._word], self._process.exitcode
                self._say(f"the {name} ended with {status}; what it did is taken up again")
                self.wanted, self._not_before = True, time.monotonic() + AGAIN_AFTER_S
            self._forget()
        if self.wanted and self._process is None and time.monotonic() >= self._not_before:
            self.wanted = False
            self._start()

    def tell_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.join(END_WITHIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._forget()

    def _start(self) -> None:
        from leafsight.service.clerk import run_clerk

        self._before_start()
        ours, theirs = self._context.Pipe()
        words = (self._options, self._listening, theirs, ours, self._word)
        name = f"leafsight-{NAMES[self._word]}"
        self._process = self._context.Process(target=run_clerk, args=words, name=name)
        self._process.start()
        theirs.close()
        self._pipe = ours

    def _forget(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
