"""New connections go to the worker that holds the fewest.

Enters: one listening socket that all workers share, and how many connections each holds. Leaves: connections,
evenly spread. Left to the kernel, the worker that waited last is woken first, and of eight callers all eight
may end at one of two processes while the other idles. It does not know what is asked on a connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, MutableSequence
from contextlib import suppress
from typing import Any

ABSENT = -1
PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.02
"""A worker waits no longer for the others: one of them may hang, and a caller must not wait for it."""


class Shares:
    """How much each worker holds: one number a worker, in memory that all of them share.

    Args:
        counts: a place for each worker that can exist at once; ``ABSENT`` where there is none.
        place: of this worker.
    """

    def __init__(self, counts: MutableSequence[int], place: int) -> None:
        self._counts, self._place = counts, place

    def tell(self, count: int) -> None:
        """How much this worker holds now."""
        self._counts[self._place] = count

    def leave(self) -> None:
        """This worker takes no more."""
        self._counts[self._place] = ABSENT

    @property
    def others(self) -> list[int]:
        """The places of the other workers that are there, the freest first."""
        there = [place for place, one in enumerate(self._counts) if one >= 0 and place != self._place]
        return sorted(there, key=self._counts.__getitem__)

    @property
    def freer(self) -> int | None:
        """The place of the freest worker; ``None`` when nobody holds less than this one."""
        least, found = self._counts[self._place], None
        for place, one in enumerate(self._counts):
            if 0 <= one < least:
                least, found = one, place
        return found


class Accepting:
    """Takes connections from the shared socket, in turn with the other workers.

    Taking one is never interrupted: a caller who comes in the moment in which this worker ends is either
    served by it, or still at the socket for the others.

    Args:
        listening: shared, listening.
        protocol: makes the protocol of a connection.
        connections: how many this worker holds.
        shares: what the others hold; ``None`` for a worker that is alone.
    """

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], Any],
        connections: Callable[[], int],
        shares: Shares | None,
    ) -> None:
        self._listening, self._protocol = listening, protocol
        self._connections, self._shares = connections, shares
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._waited_s = 0.0
        self._taken: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Take no more; what waits at the socket is the other workers'.

        The last one takes all that wait. Then nobody holds the socket any more: a caller who comes later is
        refused at once, and may ask elsewhere.
        """
        if self._pause is None:
            self._loop.remove_reader(self._listening)
        else:
            self._pause.cancel()
        if self._shares is not None:
            self._shares.leave()
        if self._shares is None or not self._shares.others:
            with suppress(OSError):  # nobody waits any more
                while True:
                    self._begin(self._listening.accept()[0])
        self._listening.close()

    def _listen(self) -> None:
        self._pause = None
        self._tell()
        self._loop.add_reader(self._listening, self._on_caller)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._pause = self._loop.call_later(seconds, self._listen)

    def _tell(self) -> None:
        if self._shares is not None:
            self._shares.tell(self._connections() + len(self._taken))

    def _on_caller(self) -> None:
        """Somebody is at the socket, for all workers."""
        self._tell()
        if self._shares is not None and self._shares.freer is not None and self._waited_s < LONGEST_PAUSE_S:
            self._waited_s += PAUSE_S
            self._rest(PAUSE_S)
            return
        self._waited_s = 0.0
        try:
            taken, _ = self._listening.accept()
        except BlockingIOError:  # another worker was quicker
            return
        except OSError:  # the caller is gone already, or there are too many open files
            self._rest(LONGEST_PAUSE_S)
            return
        self._begin(taken)

    def _begin(self, taken: socket.socket) -> None:
        task = self._loop.create_task(self._serve(taken))
        self._taken.add(task)
        task.add_done_callback(self._taken.discard)

    async def _serve(self, taken: socket.socket) -> None:
        taken.setblocking(False)
        try:
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._protocol, taken)
        except OSError:
            taken.close()
