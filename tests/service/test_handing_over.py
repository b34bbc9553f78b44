"""A connection goes on at the worker with the shortest line: whole, once, and nobody is lost on the way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from leafsight.service.accepting import ABSENT, Shares
from leafsight.service.handing_over import MOST_BYTES, Doors, HandingOver, rescue
from leafsight.service.lifecycle import Lifecycle
from leafsight.service.protocol import TimedProtocol
from leafsight.service.worker import DrainingServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are handed over on Linux only")
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
PATIENCE_S = 20.0
PREDICT = "/v1/predict"
LARGE_BYTES = 8 * 1024**2
"""More than the sockets between two sides hold."""


def request(body: bytes, path: str = PREDICT) -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (
        path.encode(), len(body), body,
    )  # fmt: skip


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Worker:
    """One process of a service, but for the process: it says who it is and what came."""

    def __init__(self, house: House, place: int) -> None:
        self.place, self.given, self.asked = place, 0, 0
        self.go_on = asyncio.Event()
        """Until then ``/held`` is not answered."""
        self.handing = HandingOver(house.doors, Shares(house.waiting, place), place, self._count)
        self.config = uvicorn.Config(
            self._answer, http=TimedProtocol, lifespan="off", log_config=None, interface="asgi3"
        )
        self.state = ServerState()

    def listen(self) -> None:
        self.handing.listen(self.protocol)

    async def open(self) -> int:
        """The port of a listening socket of its own, so that a test knows who takes a connection."""
        self.server = await asyncio.get_running_loop().create_server(self.protocol, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    def protocol(self, came_along: bytes = b"") -> TimedProtocol:
        made = TimedProtocol(self.config, self.state, {})
        made.came_along, made.hand_over = came_along, self.handing.hand_over
        return made

    def quiet(self) -> list[Any]:
        held: list[Any] = list(self.state.connections)
        return [one.transport for one in held if one.is_quiet]

    def _count(self) -> None:
        self.given += 1

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        body, more = b"", scope["path"] != "/refused"
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        if scope["path"] == "/slow":
            await asyncio.sleep(0.1)
        if scope["path"] == "/held":
            await self.go_on.wait()
        said = {"place": self.place, "path": scope["path"], "sha": hashlib.sha256(body).hexdigest()}
        if scope["path"] == "/large":
            said["padding"] = "x" * LARGE_BYTES
        answer = json.dumps(said).encode()
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


class House:
    """Workers with their doors and their lines; the first one takes the callers."""

    def __init__(self, workers: int = 2) -> None:
        self.doors = Doors(workers)
        self.waiting, self.port = [ABSENT] * workers, 0
        self.workers = [Worker(self, place) for place in range(workers)]
        self.callers: list[Caller] = []

    async def call(self) -> Caller:
        self.callers.append(Caller(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.callers[-1]

    async def settled(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                await asyncio.sleep(0.001)


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, body: bytes = b"leaf", path: str = PREDICT) -> dict[str, Any]:
        self.writer.write(request(body, path))
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            said: dict[str, Any] = json.loads(await self.reader.readexactly(length))
        return said


def in_house(
    what: Callable[[House], Awaitable[None]],
    *,
    waiting: list[int],
    loop: str = "uvloop",
    listening: tuple[int, ...] = (0, 1),
) -> None:
    """Run ``what`` in a house whose first worker takes the callers."""

    async def whole() -> None:
        house = House(len(waiting))
        for place in listening:
            house.workers[place].listen()
        house.port = await house.workers[0].open()
        house.waiting[:] = waiting
        try:
            await what(house)
        finally:
            house.workers[0].server.close()
            for caller in house.callers:
                caller.writer.transport.abort()
            for worker in house.workers:
                for connection in list(worker.state.connections):
                    connection.transport.abort()
                if worker.place in listening:
                    await worker.handing.close()
            await asyncio.sleep(0.01)
            house.doors.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(whole())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_goes_to_the_shorter_line_and_back(loop: str) -> None:
    async def what(house: House) -> None:
        caller = await house.call()
        for turn in range(1, 6):
            body = os.urandom(20_000)
            answer = await caller.ask(body)
            assert answer["place"] == turn % 2
            assert answer["sha"] == hashlib.sha256(body).hexdigest()
            house.waiting.reverse()
        await house.settled(lambda: [len(one.state.connections) for one in house.workers] == [0, 1])
        assert [one.given for one in house.workers] == [3, 2]

    in_house(what, waiting=[3, 1], loop=loop)


@pytest.mark.parametrize("waiting", [[0, 0], [2, 2], [0, 5], [3, ABSENT]])
def test_it_stays_where_no_line_is_shorter(waiting: list[int]) -> None:
    async def what(house: House) -> None:
        assert (await (await house.call()).ask())["place"] == 0
        assert house.workers[0].given == 0

    in_house(what, waiting=waiting)


def test_it_goes_to_the_shortest_of_many() -> None:
    async def what(house: House) -> None:
        assert (await (await house.call()).ask())["place"] == 2

    in_house(what, waiting=[4, 2, 1, ABSENT], listening=(0, 1, 2, 3))


@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/predict/", "/healthz"])
def test_only_photographs_go_elsewhere(path: str) -> None:
    async def what(house: House) -> None:
        assert (await (await house.call()).ask(path=path))["place"] == 0

    in_house(what, waiting=[3, 0])


def test_a_query_goes_along() -> None:
    async def what(house: House) -> None:
        assert (await (await house.call()).ask(path=PREDICT + "?heatmap=png"))["place"] == 1

    in_house(what, waiting=[3, 0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 4000), max_size=5),
    st.sampled_from(sorted(LOOPS)),
    st.lists(st.sampled_from([PREDICT, "/other"]), min_size=1, max_size=3),
    st.booleans(),
)
def test_every_request_is_answered_once_however_it_is_cut(
    cuts: list[int], loop: str, paths: list[str], shorter: bool
) -> None:
    """In order, with what was sent, whoever answers; several may come in one piece."""

    async def what(house: House) -> None:
        bodies = [os.urandom(1300) for _ in paths]
        sent = b"".join(map(request, bodies, paths))
        caller = await house.call()
        at = 0
        for cut in [*sorted(cuts), len(sent)]:
            caller.writer.write(sent[at:cut])
            await caller.writer.drain()
            await asyncio.sleep(0.002)
            at = max(at, cut)
        for body, path in zip(bodies, paths, strict=True):
            answer = await caller.answer()
            assert (answer["path"], answer["sha"]) == (path, hashlib.sha256(body).hexdigest())
        assert sum(one.asked for one in house.workers) == len(paths)

    in_house(what, waiting=[1, 0] if shorter else [1, 1], loop=loop)


@pytest.mark.parametrize("path", ["/other", "/refused"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_looks_like_a_request_is_none(loop: str, path: str) -> None:
    """Behind a proxy that shares connections, the answer to it would be somebody else's (smuggling).

    ``/refused`` answers before the body has come.
    """

    async def what(house: House) -> None:
        caller, hidden = await house.call(), request(b"hidden")
        whole = request(hidden, path)
        caller.writer.write(whole[: -len(hidden)])
        if path == "/refused":
            await caller.answer()
        await asyncio.sleep(0.02)
        caller.writer.write(hidden)
        if path == "/other":
            assert (await caller.answer())["sha"] == hashlib.sha256(hidden).hexdigest()
        await asyncio.sleep(0.05)
        assert [one.asked for one in house.workers] == [1, 0]
        assert house.workers[0].given == 0
        assert (await caller.ask(b"next"))["place"] == 1, "a true request goes on there"

    in_house(what, waiting=[1, 0], loop=loop)


@pytest.mark.parametrize("path", ["/slow", "/large"])
@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_under_way_is_finished_first(loop: str, path: str) -> None:
    """The next request comes while the answer before it is not made yet, or not read yet."""

    async def what(house: House) -> None:
        caller = await house.call()
        caller.writer.write(request(b"first", path))
        await house.settled(lambda: house.workers[0].asked == 1)
        await asyncio.sleep(0.02)
        caller.writer.write(request(b"second"))
        await asyncio.sleep(0.02)
        for body, asked in ((b"first", path), (b"second", PREDICT)):
            answer = await caller.answer()
            assert (answer["path"], answer["sha"]) == (asked, hashlib.sha256(body).hexdigest())
        assert house.workers[0].given == 0

    in_house(what, waiting=[1, 0], loop=loop)


def test_more_than_goes_along_stays() -> None:
    async def what(house: House) -> None:
        assert house.waiting[0] > house.waiting[1]
        handing = house.workers[0].handing
        assert not handing.hand_over(None, request(b"x" * MOST_BYTES))

    in_house(what, waiting=[1, 0])


def test_a_worker_that_does_not_look_up_is_given_one_at_most_and_that_one_is_rescued() -> None:
    """It was killed, or hangs; its number still says that it is free."""

    async def what(house: House) -> None:
        first, second = await house.call(), await house.call()
        first.writer.write(request(b"first"))
        await house.settled(lambda: house.workers[0].given == 1)
        assert (await second.ask(b"second"))["place"] == 0
        lines = Shares(house.waiting, 1)
        lines.leave()
        house.waiting[2] = 0
        await asyncio.to_thread(rescue, house.doors, lines, 1)
        answer = await first.answer()
        assert answer["place"] in {0, 2}
        assert answer["sha"] == hashlib.sha256(b"first").hexdigest()

    in_house(what, waiting=[5, 0, ABSENT], listening=(0, 2))


def test_with_nobody_there_it_waits_for_the_next_worker_in_the_place() -> None:
    async def what(house: House) -> None:
        caller = await house.call()
        caller.writer.write(request(b"leaf"))
        await house.settled(lambda: house.workers[0].given == 1)
        house.waiting[:] = [ABSENT, ABSENT]
        await asyncio.to_thread(rescue, house.doors, Shares(house.waiting, 1), 1)
        house.workers[1].listen()
        assert (await caller.answer())["place"] == 1
        await house.workers[1].handing.close()

    in_house(what, waiting=[5, 0], listening=(0,))


def test_who_leaves_gives_nothing_and_is_given_nothing() -> None:
    async def what(house: House) -> None:
        house.workers[1].handing.leave()
        house.workers[1].handing.tell(0)  # a diagnosis that ends later does not call it back
        assert house.waiting[1] == ABSENT
        assert (await (await house.call()).ask())["place"] == 0
        house.waiting[1] = 0
        house.workers[0].handing.leave()
        house.waiting[0] = 3
        assert (await (await house.call()).ask())["place"] == 0

    in_house(what, waiting=[3, 0])


def test_what_was_given_as_it_left_is_still_answered() -> None:
    async def what(house: House) -> None:
        ours, theirs = socket.socketpair()
        assert house.doors.put(1, theirs.fileno(), request(b"leaf"))
        theirs.close()
        house.workers[1].handing.leave()
        caller = Caller(*await asyncio.open_connection(sock=ours))
        house.callers.append(caller)
        assert (await caller.answer())["place"] == 1

    in_house(what, waiting=[3, 0])


@pytest.mark.parametrize("loop", LOOPS)
def test_who_leaves_parts_with_quiet_connections_and_only_with_those(loop: str) -> None:
    """A request that comes in that very moment is answered by one of them."""

    async def what(house: House) -> None:
        leaving, slow = house.workers[0], await house.call()
        callers = [await house.call() for _ in range(100)]
        for caller in callers[:50]:
            assert (await caller.ask(path="/other"))["place"] == 0
        slow.writer.write(request(b"slow", "/held"))
        await house.settled(lambda: leaving.asked == 51 and len(leaving.state.connections) == 101)
        leaving.handing.leave()
        for caller in callers[::2]:
            caller.writer.write(request(b"meanwhile", "/other"))
        await leaving.handing.part_with(leaving.quiet)
        for number, caller in enumerate(callers):
            if number % 2:
                assert (await caller.ask(path="/other"))["place"] == 1
            else:
                await caller.answer()
        leaving.go_on.set()
        assert (await slow.answer())["place"] == 0
        await house.settled(lambda: len(leaving.state.connections) == 1)

    in_house(what, waiting=[0, 0], loop=loop)


def test_with_nobody_there_nothing_is_parted_with() -> None:
    async def what(house: House) -> None:
        caller = await house.call()
        await house.settled(lambda: len(house.workers[0].state.connections) == 1)
        house.workers[0].handing.leave()
        await house.workers[0].handing.part_with(house.workers[0].quiet)
        assert (await caller.ask())["place"] == 0

    in_house(what, waiting=[0, ABSENT])


def test_what_came_along_is_not_kept() -> None:
    """A kept connection may live long, and there may be thousands."""

    async def what(house: House) -> None:
        await (await house.call()).ask(b"x" * 50_000)
        (connection,) = house.workers[1].state.connections
        assert isinstance(connection, TimedProtocol)
        assert connection.came_along == b""

    in_house(what, waiting=[1, 0])


@pytest.mark.parametrize("loop", LOOPS)
def test_no_descriptor_is_left_behind(loop: str) -> None:
    async def what(house: House) -> None:
        caller = await house.call()
        await caller.ask()
        before = descriptors()
        for _ in range(200):
            house.waiting.reverse()
            await caller.ask()
        gone = await house.call()  # one that goes away in the middle of its request
        gone.writer.write(request(b"leaf")[:-2])
        await asyncio.sleep(0.02)
        gone.writer.transport.abort()
        await house.settled(lambda: descriptors() <= before)
        assert sum(one.given for one in house.workers) >= 200

    in_house(what, waiting=[1, 0], loop=loop)


def test_the_admin_side_stays_where_it_is(tmp_path: Path) -> None:
    """What it answers is not answered on the other port, where the connection would end up."""

    async def what(house: House) -> None:
        config = house.workers[0].config
        server = DrainingServer(config, Lifecycle(), 0.0, lambda: None, handing=house.workers[0].handing)
        config.load()
        server.lifespan = config.lifespan_class(config)
        assert server._public_protocol().hand_over is not None
        assert server._admin_protocol().hand_over is None

    in_house(what, waiting=[1, 0])
