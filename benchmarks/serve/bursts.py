"""Processor time a request, of several servers that all run, in short bursts in turn.

    python -m benchmarks.serve.bursts --venv ../serve-peers --contenders leafsight,fastapi,litserve

For a machine that others use too: there a server with more threads gets more of the processor, so the
throughput of long rounds compares threads and not programs. Here every burst of requests is followed by one
to the next server, over and over; ratios are taken within a turn and the median is reported, beside the best
burst of each, which is the one that was disturbed least.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.serve.contenders import CONTENDERS, Contender, Place, lay_out
from benchmarks.serve.photographs import photographs_folder, read_photographs
from benchmarks.serve.processes import Server
from benchmarks.serve.wire import Connection, build_requests

PATIENCE_S = 90.0


async def burst(port: int, requests: list[bytes], connections: int) -> float:
    """Send all requests over so many connections; seconds it took."""
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(connections)]
    left = list(requests)

    async def ask(connection: Connection) -> None:
        while left:
            answer = await connection.ask(left.pop())
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}: {answer.body[:200]!r}")

    began = perf_counter()
    await asyncio.gather(*(ask(one) for one in opened))
    took_s = perf_counter() - began
    for one in opened:
        one.close()
    return took_s


def measured(
    names: list[str], place: Place, photographs: list[bytes], turns: int, size: int, connections: int
) -> dict[str, Any]:
    """Processor milliseconds a request and requests a second of each contender, and ratios to the first."""
    running: dict[str, tuple[Contender, Server, list[bytes]]] = {}
    cpu_ms: dict[str, list[float]] = {name: [] for name in names}
    per_s: dict[str, list[float]] = {name: [] for name in names}
    try:
        for name in names:
            contender = CONTENDERS[name]
            server = contender.start(place)
            requests = build_requests(contender.url(server.port), photographs, contender.body)
            running[name] = (contender, server, (requests * size)[:size])
            server.wait_until_answers(contender.path, requests[0], PATIENCE_S)
            asyncio.run(burst(server.port, requests[:size], connections))
        for turn in range(turns):
            for name in names if turn % 2 else names[::-1]:
                _, server, requests = running[name]
                before_s = server.cpu_s()
                took_s = asyncio.run(burst(server.port, requests, connections))
                cpu_ms[name].append((server.cpu_s() - before_s) * 1e3 / size)
                per_s[name].append(size / took_s)
    finally:
        for contender, server, _ in running.values():
            server.stop(contender.stop_limit_s)
    first = names[0]
    return {
        name: {
            "cpu_ms": {"best": round(min(cpu_ms[name]), 2), "median": round(median(cpu_ms[name]), 2)},
            "per_s": {"best": round(max(per_s[name]), 1), "median": round(median(per_s[name]), 1)},
            "cpu_of_first": round(_ratio(cpu_ms[name], cpu_ms[first]), 3),
        }
        for name in names
    }


def _ratio(these: list[float], those: list[float]) -> float:
    return median(one / other for one, other in zip(these, those, strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--contenders", default="leafsight,fastapi,litserve")
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--size", type=int, default=200, help="requests in a burst")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leafsight-bursts-") as folder:
        scratch = Path(folder)
        lay_out(scratch)
        sample = read_photographs(photographs_folder(scratch), 64, options.seed)
        place = Place(options.venv.resolve(), scratch)
        names = options.contenders.split(",")
        found = measured(names, place, sample, options.turns, options.size, options.connections)
        print(json.dumps(found, indent=1))
