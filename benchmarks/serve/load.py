"""The load generator, in processes of its own.

    python -m benchmarks.serve.load --url http://127.0.0.1:8000/v1/predict --photos PHOTOS \\
        --closed 8 --seconds 10            # 8 connections, each sends as soon as it has its answer
    python -m benchmarks.serve.load --url ... --photos ... --rate 90 --seconds 30   # Poisson arrivals

Closed loop: what the server can do; its latency says little, since a slow answer holds back the next request.
Open loop: requests come when they come. Latency counts from the moment at which a request should have been
sent, so a server that stalls pays for everyone who arrives meanwhile (no coordinated omission), and so does a
generator that is late: ``late_ms`` tells by how much. Ends early, with what it has, on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.serve.photographs import read_photographs
from benchmarks.serve.tally import Outcome, kind_of, poisson_schedule, spread_ms, summed_up
from benchmarks.serve.wire import Connection, CutError, MalformedError, build_requests

PAUSE_AFTER_NO_CONNECTION_S = 0.01  # a closed loop would otherwise spin while the server is away


class Generator:
    """Sends requests to one server and keeps every outcome.

    Args:
        host, port: of the server.
        requests: whole requests, sent in turn.
        timeout_s: after which a request is given up, from its intended send time.
        most_open: connections at once at most.
    """

    def __init__(
        self, host: str, port: int, requests: list[bytes], *, timeout_s: float = 10.0, most_open: int = 4000
    ) -> None:
        self.outcomes: list[Outcome] = []
        self.late_s: list[float] = []
        self.stopped = asyncio.Event()
        self._host, self._port, self._requests = host, port, requests
        self._timeout_s, self._most_open = timeout_s, most_open
        self._idle: list[Connection] = []
        self._busy = self._sent = 0
        self._started_s = 0.0

    async def closed_loop(self, connections: int, seconds: float) -> None:
        """Keep ``connections`` requests under way for ``seconds``."""
        self._begin()
        await asyncio.gather(*(self._keep_asking(seconds) for _ in range(connections)))
        self._end()

    async def open_loop(self, schedule: list[float]) -> None:
        """Send one request at each time of ``schedule``, in seconds; wait for the last answer."""
        self._begin()
        under_way: set[asyncio.Task[Outcome]] = set()
        for at in schedule:
            if (delay := at - self._now()) > 0:
                await self._sleep(delay)
            if self.stopped.is_set():
                break
            self.late_s.append(max(0.0, self._now() - at))
            task = asyncio.ensure_future(self._one(at))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)
        self._end()

    async def _keep_asking(self, seconds: float) -> None:
        while not self.stopped.is_set() and (now := self._now()) < seconds:
            if (await self._one(now)).kind == "connect":
                await asyncio.sleep(PAUSE_AFTER_NO_CONNECTION_S)

    async def _one(self, begun_s: float) -> Outcome:
        kind, wait_told = await self._asked(begun_s)
        outcome = Outcome(kind, begun_s, self._now() - begun_s, wait_told)
        self.outcomes.append(outcome)
        return outcome

    async def _asked(self, begun_s: float) -> tuple[str, bool]:
        if self._busy >= self._most_open:
            return "unsent", False
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        self._busy += 1
        deadline_s = self._started_s + begun_s + self._timeout_s
        try:
            connection = await self._connection(deadline_s)
        except (OSError, TimeoutError):
            self._busy -= 1
            return "connect", False
        try:
            return await self._exchanged(connection, request, deadline_s)
        finally:
            self._busy -= 1
            if connection.is_open:
                self._idle.append(connection)

    async def _exchanged(self, connection: Connection, request: bytes, deadline_s: float) -> tuple[str, bool]:
        loop = asyncio.get_running_loop()
        waiting = connection.ask(request)
        # A timer and no wait_for: that would cost one more task for each request.
        timer = loop.call_at(deadline_s, waiting.cancel)
        try:
            answer = await waiting
        except asyncio.CancelledError:
            connection.close()
            if not waiting.cancelled():
                raise  # it was this task that was cancelled, not the request that took too long
            return "timeout", False
        except CutError as error:
            return ("stale" if error.stale else "cut"), False
        except MalformedError:
            return "malformed", False
        finally:
            timer.cancel()
        return kind_of(answer.status), answer.tells_wait

    async def _connection(self, deadline_s: float) -> Connection:
        while self._idle:
            if (connection := self._idle.pop()).is_open:
                return connection
        loop = asyncio.get_running_loop()
        async with asyncio.timeout_at(deadline_s):
            _, connection = await loop.create_connection(Connection, self._host, self._port)
        return connection

    async def _sleep(self, seconds: float) -> None:
        if seconds < 0.05:
            await asyncio.sleep(seconds)
            return
        try:
            await asyncio.wait_for(self.stopped.wait(), seconds)
        except TimeoutError:
            return

    def _begin(self) -> None:
        self._started_s = asyncio.get_running_loop().time()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._started_s

    def _end(self) -> None:
        self.ended_s = self._now()
        for connection in self._idle:
            connection.close()


def main() -> int:
    options = _options()
    if options.closed:
        options.processes = min(options.processes, options.closed)
    parts = _split_up(options) if options.processes > 1 else [asyncio.run(measured(options))]
    outcomes = [Outcome(*one) for part in parts for one in part["outcomes"]]
    if options.raw:
        print(json.dumps(parts[0]))
        return 0
    cpu_s, late_s = sum(part["cpu_s"] for part in parts), [at for part in parts for at in part["late_s"]]
    until_s = min(options.seconds, max(part["ended_s"] for part in parts))
    result = summed_up(outcomes, from_s=options.warm_s, until_s=until_s) | {
        "loop": f"closed, {options.closed}" if options.closed else f"open, {options.rate:.2f} a second",
        "body": options.body,
        "seed": options.seed,
        "generator_cpu_s": round(cpu_s, 3),
        "generator_cpu_us_per_request": round(cpu_s * 1e6 / max(1, len(outcomes)), 1),
        "late_ms": spread_ms(late_s),
    }
    print(json.dumps(result, indent=None if options.json else 2))
    return 0


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Run one generator to its end; plain values."""
    where = urlsplit(options.url)
    requests = build_requests(
        options.url, read_photographs(options.photos, options.sample, options.seed), options.body
    )
    generator = Generator(
        where.hostname or "127.0.0.1", where.port or 80, requests, timeout_s=options.timeout_s
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, generator.stopped.set)
    gc.disable()  # a collection in the middle would look like a slow answer
    if options.announce:
        announce(time.perf_counter())
    before = _cpu_s()
    if options.closed:
        await generator.closed_loop(options.closed, options.seconds)
    else:
        await generator.open_loop(poisson_schedule(options.rate, options.seconds, options.seed))
    return {
        "outcomes": generator.outcomes,
        "cpu_s": _cpu_s() - before,
        "late_s": generator.late_s,
        "ended_s": generator.ended_s,
    }


def _split_up(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The same load from several processes: connections and rate are shared out, seeds differ."""
    running = []
    for number in range(options.processes):
        share = options.closed // options.processes + (number < options.closed % options.processes)
        load = ["--closed", share] if options.closed else ["--rate", options.rate / options.processes]
        words = [*load, "--seed", options.seed + number, "--seconds", options.seconds, "--body", options.body]
        words += ["--url", options.url, "--photos", options.photos, "--sample", options.sample]
        words += ["--timeout-s", options.timeout_s, "--raw", "--announce"]
        command = [sys.executable, "-m", "benchmarks.serve.load", *map(str, words)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

    def pass_on(number: int, _frame: object) -> None:
        for one in running:
            one.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    begun_s = max(json.loads(one.stdout.readline())["begun_s"] for one in running if one.stdout)
    if options.announce:
        announce(begun_s)
    return [json.loads(one.communicate()[0]) for one in running]


def announce(begun_s: float) -> None:
    """Tell whoever started us when the load began, by the clock that all processes of a machine share."""
    print(json.dumps({"begun_s": begun_s}), flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG photographs")
    parser.add_argument("--sample", type=int, default=64, help="how many of them to send, in turn")
    parser.add_argument("--body", choices=("multipart", "raw"), default="multipart")
    load = parser.add_mutually_exclusive_group(required=True)
    load.add_argument("--closed", type=int, default=0, help="connections of the closed loop")
    load.add_argument("--rate", type=float, default=0.0, help="requests a second of the open loop")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm-s", type=float, default=0.0, help="leave out what begins before")
    parser.add_argument("--timeout-s", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--announce", action="store_true", help="first a line with when the load began")
    parser.add_argument("--raw", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    sys.exit(main() or os.EX_OK)
