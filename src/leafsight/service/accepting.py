"""New connections go to the worker that holds the fewest.

Enters: one listening socket that all workers share, and how many connections each holds. Leaves: connections,
evenly spread. Left to the kernel, the worker that waited last is woken first, and of eight callers all eight
may end at one of two processes while the other idles. It does not know what is asked on a connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, MutableSequence
from typing import Any

ABSENT = -1
PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.02
"""A worker waits no longer for the others: one of them may hang, and a caller must not wait for it."""


class Shares:
    """How many connections each worker holds: one number a worker, in memory that all of them share.

    Args:
        counts: a place for each worker that can exist at once; ``ABSENT`` where there is none.
        place: of this worker.
    """

    def __init__(self, counts: MutableSequence[int], place: int) -> None:
        self._counts, self._place = counts, place

    def tell(self, connections: int) -> None:
        """How many connections this worker holds now."""
        self._counts[self._place] = connections

    def leave(self) -> None:
        """This worker takes no more connections."""
        self._counts[self._place] = ABSENT

    @property
    def is_another_freer(self) -> bool:
        """Whether some other worker holds fewer connections."""
        own = self._counts[self._place]
        return any(0 <= one < own for place, one in enumerate(self._counts) if place != self._place)


class Accepting:
    """Takes connections from the shared socket, in turn with the other workers.

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
        listening.setblocking(False)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Take no more; what waits at the socket is the other workers'."""
        self._task.cancel()
        if self._shares is not None:
            self._shares.leave()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_turn()
            try:
                taken, _ = await loop.sock_accept(self._listening)
            except OSError:  # the caller is gone already, or there are too many open files
                await asyncio.sleep(LONGEST_PAUSE_S)
                continue
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await loop.connect_accepted_socket(self._protocol, taken)
            except OSError:
                taken.close()

    async def _wait_for_turn(self) -> None:
        if self._shares is None:
            return
        waited_s = 0.0
        self._shares.tell(self._connections())
        while self._shares.is_another_freer and waited_s < LONGEST_PAUSE_S:
            await asyncio.sleep(PAUSE_S)
            waited_s += PAUSE_S
            self._shares.tell(self._connections())
