"""The generator of single photographs, in a process of its own: open loop, and a closed one for the capacity.

    python -m leafsight.loadtest.driving ORDER.json

Open loop: requests come when they come. Latency counts from the moment at which a request should have been
sent, so a server that stalls pays for everyone who arrives meanwhile (no coordinated omission), and so does a
generator that is late: ``late_s`` of each row tells by how much. Ends early, with what it has, on SIGTERM.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from leafsight.loadtest.arithmetic import constant_schedule, poisson_schedule
from leafsight.loadtest.asking import unverified
from leafsight.loadtest.judging import judge_prediction
from leafsight.loadtest.orders import Order, http_request, multipart, read_expected, read_order
from leafsight.loadtest.outcomes import Outcome, write_outcomes
from leafsight.loadtest.photographs import Photograph
from leafsight.loadtest.priority import hurry
from leafsight.loadtest.wire import Answer, Connection, CutError, MalformedError

PAUSE_AFTER_NO_CONNECTION_S = 0.01  # a closed loop would otherwise spin while the server is away
MOST_OPEN = 4000
SHORT_S = 0.05


class Generator:
    """Sends photographs and keeps every outcome.

    Args:
        order: what to do.
    """

    def __init__(self, order: Order) -> None:
        self.outcomes: list[Outcome] = []
        self.stopped = asyncio.Event()
        self.cost: dict[str, float] = {}
        self._order = order
        self._expected = read_expected(order.expected)
        self._requests: dict[str, list[bytes]] = {one.name: self._each(one) for one in order.photographs}
        self._choice = random.Random(order.seed)  # noqa: S311 (a load, no secret)
        self._weights = [one.weight for one in order.photographs]
        self._idle: list[list[Connection]] = [[] for _ in order.addresses]
        self._busy = self._sent = 0
        self._started_s = self._first_cpu_s = 0.0
        self._tls = unverified() if order.https else None

    def _each(self, photograph: Photograph) -> list[bytes]:
        """The request with this photograph, for each address."""
        kind, body = multipart([(photograph.name, photograph.read())])
        return [
            http_request(host, "POST", "/v1/predict", key=self._order.key, kind=kind, body=body)
            for host in self._order.addresses
        ]

    async def closed_loop(self, connections: int, seconds: float) -> None:
        """Keep ``connections`` requests under way for ``seconds``."""
        self._begin()
        await asyncio.gather(*(self._keep_asking(seconds) for _ in range(connections)))
        self._end()

    async def open_loop(self, schedule: Sequence[float]) -> None:
        """Send one request at each time of ``schedule``, in seconds; wait for the last answer."""
        self._begin()
        under_way: set[asyncio.Task[Outcome]] = set()
        for at in schedule:
            if (delay := at - self._now()) > 0:
                await self._sleep(delay)
            if self.stopped.is_set():
                break
            task = asyncio.ensure_future(self._one(at, max(0.0, self._now() - at)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)
        self._end()

    async def _keep_asking(self, seconds: float) -> None:
        while not self.stopped.is_set() and (now := self._now()) < seconds:
            if (await self._one(now, 0.0)).kind == "connect":
                await asyncio.sleep(PAUSE_AFTER_NO_CONNECTION_S)

    async def _one(self, begun_s: float, late_s: float) -> Outcome:
        photograph = self._choice.choices(self._order.photographs, self._weights)[0]
        server = self._sent % len(self._order.addresses)
        self._sent += 1
        kind, answer = await self._asked(photograph, server, begun_s)
        took_s = self._now() - begun_s
        ids: tuple[str, ...] = ()
        told = ""
        if answer is not None:
            kind, ids, told, _ = judge_prediction(
                answer.status, answer.body, [photograph.name], self._expected
            )
        outcome = Outcome(
            kind, begun_s, took_s, late_s, size=photograph.size, server=server, ids=ids, told=told
        )
        self.outcomes.append(outcome)
        return outcome

    async def _asked(self, photograph: Photograph, server: int, begun_s: float) -> tuple[str, Answer | None]:
        """Why there is no answer, or the answer."""
        if self._busy >= MOST_OPEN:
            return "unsent", None
        self._busy += 1
        deadline_s = self._started_s + begun_s + self._order.timeout_s
        connection: Connection | None = None
        try:
            connection = await self._connection(server, deadline_s)
            return await self._exchanged(connection, self._requests[photograph.name][server], deadline_s)
        except (OSError, TimeoutError):
            return "connect", None
        finally:
            self._busy -= 1
            if connection is not None and connection.is_open:
                self._idle[server].append(connection)

    async def _exchanged(
        self, connection: Connection, request: bytes, deadline_s: float
    ) -> tuple[str, Answer | None]:
        waiting = connection.ask(request)
        # A timer and no wait_for: that would cost one more task for each request.
        timer = asyncio.get_running_loop().call_at(deadline_s, waiting.cancel)
        try:
            return "", await waiting
        except asyncio.CancelledError:
            connection.close()
            if not waiting.cancelled():
                raise  # it was this task that was cancelled, not the request that took too long
            return "timeout", None
        except CutError as error:
            return ("stale" if error.stale else "cut"), None
        except MalformedError:
            return "malformed", None
        finally:
            timer.cancel()

    async def _connection(self, server: int, deadline_s: float) -> Connection:
        while self._idle[server]:
            if (connection := self._idle[server].pop()).is_open:
                return connection
        host, _, port = self._order.addresses[server].rpartition(":")
        async with asyncio.timeout_at(deadline_s):
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection, host, int(port), ssl=self._tls
            )
        return connection

    async def _sleep(self, seconds: float) -> None:
        if seconds < SHORT_S:
            await asyncio.sleep(seconds)
            return
        try:
            await asyncio.wait_for(self.stopped.wait(), seconds)
        except TimeoutError:
            return

    def _begin(self) -> None:
        self._started_s = asyncio.get_running_loop().time()
        self._first_cpu_s = cpu_s()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._started_s

    def _end(self) -> None:
        self.cost = {
            "begun_s": time.monotonic() - self._now(),
            "cpu_s": cpu_s() - self._first_cpu_s,
            "wall_s": self._now(),
        }
        for connections in self._idle:
            for connection in connections:
                connection.close()


async def drive(order: Order) -> Generator:
    """Carry out an order to its end, or until SIGTERM or SIGINT."""
    generator = Generator(order)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, generator.stopped.set)
    seconds = order.warm_s + order.seconds
    if order.closed:
        await generator.closed_loop(order.closed, seconds)
    elif order.arrivals == "constant":
        await generator.open_loop(constant_schedule(order.rate_per_s, seconds))
    else:
        await generator.open_loop(poisson_schedule(order.rate_per_s, seconds, order.seed))
    return generator


def cpu_s() -> float:
    """Processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(words: Sequence[str]) -> int:
    """Carry out the order in the file named first; what it cost goes to stdout as JSON."""
    order = read_order(Path(words[0]))
    priority = hurry()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.collect()
    gc.disable()  # a collection in the middle would look like a slow answer
    generator = asyncio.run(drive(order))
    write_outcomes(Path(order.out), generator.outcomes)
    print(json.dumps(generator.cost | {"priority": priority}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
