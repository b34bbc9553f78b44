"""A connection that brings work goes on at the worker whose line is shortest.

Enters: what a caller sends while nothing else happens on the connection, and how many photographs wait at
each worker. Leaves: the connection itself, with those bytes, to another process; no answer passes through
two of them. It knows of a request only how it begins.

Callers choose a worker when they connect, not when they ask. With a line before each processor, p99 at 70 %
of the capacity is 7.4 times the time of a lone request; when everybody joins the shortest line it is 4.3 with
two processors, 2.8 with four, 2.0 with eight (``python -m benchmarks.serve.queues --servers N``).

A worker that ends parts with the connections on which nothing is under way: they go on elsewhere, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from leafsight.service.accepting import Shares

if sys.platform == "linux":
    import fcntl
    import termios

CAN_HAND_OVER = sys.platform == "linux"
"""Elsewhere it was never tried."""
WORK = (b"POST /v1/predict ", b"POST /v1/predict?")
MOST_BYTES = 128 * 1024
"""Of a request that go along; where more have come already, the connection stays."""
SEND_BUFFER_BYTES = 2 * MOST_BYTES
IDLE_BYTES = 32 * 1024
"""Of connections without any that may lie behind one door: some dozens."""
RESCUE_S, PART_S, RETRY_S = 1.0, 1.0, 0.002


class Doors:
    """One for each place of a worker: what others put in, it takes. Made by the supervisor, who keeps them.

    What lies behind a door is not lost with the worker: the supervisor takes it out, or the next worker does.

    Args:
        places: of workers.
    """

    def __init__(self, places: int) -> None:
        self._pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(places)]
        for inner, outer in self._pairs:
            outer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            inner.setblocking(False)
            outer.setblocking(False)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """All of them, for processes that have to close them."""
        return tuple(one for pair in self._pairs for one in pair)

    def inner(self, place: int) -> socket.socket:
        """What the worker in this place listens to."""
        return self._pairs[place][0]

    def put(self, place: int, connection: int, data: bytes, *, behind_bytes: int = 0) -> bool:
        """Give a connection with what came on it; ``False`` when it cannot be given.

        One that was given before and was not taken yet says that the worker there does not look up: it
        hangs, or has died.

        Args:
            place: of the worker.
            connection: its descriptor.
            data: what came on it.
            behind_bytes: of what was not taken yet that may lie there already, as the system counts it.
        """
        outer = self._pairs[place][1]
        try:
            lying = fcntl.ioctl(outer, termios.TIOCOUTQ, b"\0\0\0\0")
            if int.from_bytes(lying, sys.byteorder) > behind_bytes:
                return False
            socket.send_fds(outer, [data], [connection])
        except OSError:
            return False
        return True

    def take(self, place: int) -> tuple[socket.socket, bytes] | None:
        """What was put in first; ``None`` when there is nothing."""
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self.inner(place), MOST_BYTES, 1, socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            return None
        return (socket.socket(fileno=descriptors[0]), data) if descriptors else None

    def close(self) -> None:
        """Nothing is handed over any more."""
        for one in self.sockets:
            one.close()


class HandingOver:
    """One worker's side: gives connections away, and takes those that others give.

    Args:
        doors: of all workers.
        lines: how many photographs wait at each worker, seen from this one.
        place: of this worker.
        given: told of each connection that went to another worker.
    """

    def __init__(
        self, doors: Doors, lines: Shares, place: int, given: Callable[[], None] = lambda: None
    ) -> None:
        self._doors, self._lines, self._place, self.given = doors, lines, place, given
        self._leaving = False
        self._taken: set[asyncio.Task[None]] = set()

    def tell(self, photographs: int) -> None:
        """How many photographs wait here or are being diagnosed."""
        if not self._leaving:
            self._lines.tell(photographs)

    def listen(self, protocol: Callable[[bytes], Any]) -> None:
        """Take what others give.

        Args:
            protocol: makes the protocol of a connection on which these bytes have come.
        """
        self._protocol, self._loop = protocol, asyncio.get_running_loop()
        self._loop.add_reader(self._doors.inner(self._place), self._on_given)
        self.tell(0)

    def leave(self) -> None:
        """Give no more work and be given none; what is on its way is still taken."""
        self._leaving = True
        self._lines.leave()

    async def close(self) -> None:
        """Take nothing more; what lies there is the supervisor's."""
        self._loop.remove_reader(self._doors.inner(self._place))
        await asyncio.gather(*self._taken, return_exceptions=True)

    def hand_over(self, transport: Any, data: bytes) -> bool:
        """Give a connection away if another worker is freer; then it must not be touched any more.

        Args:
            transport: of a connection with nothing between its two sides but ``data``.
            data: has just come: the beginning of a request, perhaps all of it.
        """
        if self._leaving or not data.startswith(WORK) or len(data) > MOST_BYTES:
            return False
        place = self._lines.freer
        return place is not None and self._give(place, transport, data)

    async def part_with(self, quiet: Callable[[], Sequence[Any]]) -> None:
        """Give away all connections on which nothing is under way, so that no caller meets a closed one.

        Args:
            quiet: the transports of those that there are now.
        """
        until = self._loop.time() + PART_S
        while (others := self._lines.others) and (transports := quiet()) and self._loop.time() < until:
            for transport in transports:
                if not any(self._give(place, transport, b"", IDLE_BYTES) for place in others):
                    break
            await asyncio.sleep(RETRY_S)

    def _give(self, place: int, transport: Any, data: bytes, behind_bytes: int = 0) -> bool:
        connection = transport.get_extra_info("socket").fileno()
        if not self._doors.put(place, connection, data, behind_bytes=behind_bytes):
            return False
        transport.abort()  # closes this process's descriptor only: the connection lives on
        self.given()
        return True

    def _on_given(self) -> None:
        while (given := self._doors.take(self._place)) is not None:
            task = self._loop.create_task(self._serve(*given))
            self._taken.add(task)
            task.add_done_callback(self._taken.discard)

    async def _serve(self, connection: socket.socket, data: bytes) -> None:
        connection.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(lambda: self._protocol(data), connection)
        except OSError:
            connection.close()


def rescue(doors: Doors, lines: Shares, place: int) -> None:
    """Take what lies behind the door of a worker that has ended, and give it to others that are there.

    When none is there it stays, for the worker that comes next in this place.
    """
    until = time.monotonic() + RESCUE_S
    while lines.others and (given := doors.take(place)) is not None:
        connection, data = given
        with contextlib.closing(connection):
            while not any(doors.put(other, connection.fileno(), data) for other in lines.others):
                if time.monotonic() > until:
                    return
                time.sleep(RETRY_S)
