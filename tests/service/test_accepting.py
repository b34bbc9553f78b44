"""Connections are spread evenly over the workers, and none waits for a worker that does not take any."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import MutableSequence

import pytest

from leafsight.service.accepting import ABSENT, Accepting, Shares


class Held(asyncio.Protocol):
    """A connection of one worker."""

    def __init__(self, all_of_them: set[Held]) -> None:
        self._all = all_of_them

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._all.add(self)


async def spread(workers: int, callers: int, counts: MutableSequence[int]) -> list[int]:
    """How many of the callers each worker holds."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    held: list[set[Held]] = [set() for _ in range(workers)]
    shared = [listening.dup() for _ in range(workers)]  # processes have a descriptor each, too
    accepting = [
        Accepting(shared[place], lambda own=own: Held(own), lambda own=own: len(own), Shares(counts, place))  # type: ignore[misc]
        for place, own in enumerate(held)
    ]
    made = []
    for number in range(callers):
        made.append(await asyncio.open_connection(*listening.getsockname()))
        async with asyncio.timeout(10):
            while sum(map(len, held)) <= number:
                await asyncio.sleep(0.001)
    for one in accepting:
        one.close()
    for _, writer in made:
        writer.close()
    for one_held in held:
        for protocol in one_held:
            protocol.transport.close()
    await asyncio.sleep(0)
    for one_socket in (*shared, listening):
        one_socket.close()
    return sorted(map(len, held))


@pytest.mark.parametrize(("workers", "callers"), [(2, 8), (3, 9), (1, 3)])
def test_each_worker_holds_its_part(workers: int, callers: int) -> None:
    counts = [ABSENT] * (workers + 1)
    assert asyncio.run(spread(workers, callers, counts)) == [callers // workers] * workers
    assert counts == [ABSENT] * (workers + 1), "those that ended are not waited for"


def test_a_worker_that_takes_nothing_is_not_waited_for_long() -> None:
    """It hangs, or it was killed and its number still stands there."""
    assert asyncio.run(spread(1, 5, [0, 0])) == [5]


def test_who_is_freer() -> None:
    counts = [3, ABSENT, 2]
    assert Shares(counts, 0).freer == 2
    assert Shares(counts, 2).freer is None
    Shares(counts, 2).leave()
    assert Shares(counts, 0).freer is None


async def lost_when_closed_after(turns: int) -> bool:
    """Whether a caller who comes as the worker ends is with nobody: neither held nor still at the socket."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: set[Held] = set()
    shared = listening.dup()
    accepting = Accepting(shared, lambda: Held(held), lambda: len(held), None)
    await asyncio.sleep(0)
    with socket.create_connection(listening.getsockname()):
        for _ in range(turns):
            await asyncio.sleep(0)
        accepting.close()
        for _ in range(20):
            await asyncio.sleep(0)
        listening.setblocking(False)
        try:
            listening.accept()[0].close()
            left = True
        except BlockingIOError:
            left = False
        lost = not left and (not held or any(one.transport.is_closing() for one in held))
        for one in held:
            one.transport.close()
        await asyncio.sleep(0)
    shared.close()
    listening.close()
    return lost


@pytest.mark.parametrize("turns", range(8))
def test_nobody_is_lost_who_comes_as_the_worker_ends(turns: int) -> None:
    assert not asyncio.run(lost_when_closed_after(turns))
