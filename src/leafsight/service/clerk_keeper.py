"""Looks after the clerk, for the supervisor: starts it when there is work, and again when it dies at it.

Enters: words of the workers. Leaves: at most one process. While there is nothing to do there is none.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from leafsight.service.clerk_bell import WORK
from leafsight.service.options import ServiceOptions

AGAIN_AFTER_S = 2.0
"""After a clerk that died; the jobs that it held are free after their lease anyway."""
END_WITHIN_S = 10


class ClerkKeeper:
    """One for each supervisor.

    Args:
        options: of the service.
        listening: the sockets that a clerk has to close.
        context: of multiprocessing.
        say: told in one line what happens.
    """

    def __init__(
        self,
        options: ServiceOptions,
        listening: Sequence[socket.socket],
        context: Any,
        say: Callable[[str], None],
    ) -> None:
        self._options, self._listening, self._context, self._say = options, listening, context, say
        self._process: Any = None
        self._pipe: Connection | None = None
        self._wanted = False
        self._not_before = 0.0

    def hear(self, pipe: Connection) -> None:
        """What a worker said; ends of pipes are somebody else's matter."""
        try:
            while pipe.poll():
                self._wanted = pipe.recv() == WORK or self._wanted
        except (EOFError, OSError):
            return

    def look(self) -> None:
        """Start a clerk if one is wanted, and notice if one died."""
        if self._process is not None and not self._process.is_alive():
            if self._process.exitcode != 0:
                self._say(f"the clerk ended with {self._process.exitcode}; what it did is taken up again")
                self._wanted, self._not_before = True, time.monotonic() + AGAIN_AFTER_S
            self._forget()
        if self._wanted and self._process is None and time.monotonic() >= self._not_before:
            self._wanted = False
            self._start()

    def stop(self) -> None:
        """End it; what it was at is put back into the queue."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(END_WITHIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._forget()

    def _start(self) -> None:
        from leafsight.service.clerk import run_clerk

        ours, theirs = self._context.Pipe()
        words = (self._options, self._listening, theirs, ours)
        self._process = self._context.Process(target=run_clerk, args=words, name="leafsight-clerk")
        self._process.start()
        theirs.close()
        self._pipe = ours

    def _forget(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
