"""What traces cost: processor time of the service for a request, with and without them.

    python benchmarks/tracing.py [--rounds 5] [--requests 300] [--json]

Two services with one process each serve the built-in model side by side, one traced, one not; they are asked
in turns, one request after the other on a kept connection, a photograph of 256 px each. The collector is in
this process and takes everything that comes. Counted is the processor time of a service with all its threads,
the one that sends the spans included; waiting is not.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serve.photographs import photographs_folder, read_photographs
from benchmarks.serve.processes import Server, free_port
from tests.service.collector import collector

READY = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FLUSH_S = 0.5


def started(folder: Path, name: str, environment: dict[str, str]) -> Server:
    """One service that is ready."""
    own, port = folder / name, free_port()
    own.mkdir()
    program = "from leafsight.cli import main; main()"
    arguments = ["serve", "--port", str(port), "--workers", "1", "--state-dir", str(own / "state")]
    server = Server([sys.executable, "-c", program, *arguments], port, environment, own)
    server.wait_until_answers("/readyz", READY)
    return server


def cpu_ms(server: Server, photographs: list[bytes], requests: int) -> float:
    """Milliseconds of processor time for a request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    began_s = server.cpu_s()
    for number in range(requests):
        data = photographs[number % len(photographs)]
        connection.request("POST", "/v1/predict", data, {"content-type": "image/jpeg"})
        answer = connection.getresponse()
        assert answer.read()
        assert answer.status == 200
    connection.close()
    time.sleep(FLUSH_S)  # the last spans are encoded and sent
    return (server.cpu_s() - began_s) * 1e3 / requests


def measured(rounds: int, requests: int) -> dict[str, object]:
    """Milliseconds by round, and the medians."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        there = stack.enter_context(collector())
        photographs = read_photographs(photographs_folder(folder), 32, seed=0)
        off = {name: "" for name in os.environ if name.startswith("OTEL_")}
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": there.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        servers = {
            name: started(folder, name, {**off, **more})
            for name, more in (("without", {}), ("with", variables))
        }
        for server in servers.values():
            stack.callback(server.stop)
            cpu_ms(server, photographs, 20)
        found: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                found[name].append(round(cpu_ms(server, photographs, requests), 3))
        medians = {name: statistics.median(values) for name, values in found.items()}
        return {
            "cpu_ms_a_request": found,
            "medians": medians,
            "more_ms": round(medians["with"] - medians["without"], 3),
            "spans": len(there.spans),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    found = measured(wanted.rounds, wanted.requests)
    print(json.dumps(found, indent=None if wanted.json else 1))


if __name__ == "__main__":
    main()
