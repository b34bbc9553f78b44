"""What every scenario needs: the settings, the photographs, and one way to put load on a server.

Enters: options of the command line. Leaves: results of the load generator as plain values. It does not know
which scenario it is used in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.serve.contenders import Contender, Place
from benchmarks.serve.photographs import REPOSITORY, read_photographs
from benchmarks.serve.processes import Server, exchange
from benchmarks.serve.wire import build_requests


@dataclass
class Study:
    """Settings of one run.

    Attributes:
        place: environments and scratch folder.
        contenders: who takes part.
        photos: folder of photographs; ``sample`` of them are sent.
        seed: of the sample and of all arrivals.
        rounds: how often everything is measured, in turn.
        seconds, warm_s: of one measurement, and of load before it that is not counted.
        connections: of the closed loop.
        timeout_s: after which the generator gives a request up.
        processes: of the generator.
        overload_s, overload_times: how long, and how many times the capacity.
        soak_s, restarts: size of those scenarios.
    """

    place: Place
    contenders: list[Contender]
    photos: Path
    sample: int
    seed: int
    rounds: int
    seconds: float
    warm_s: float
    connections: int
    timeout_s: float
    processes: int
    overload_s: float
    overload_times: float
    soak_s: float
    restarts: int

    @cached_property
    def photographs(self) -> list[bytes]:
        """The sample."""
        return read_photographs(self.photos, self.sample, self.seed)

    @property
    def ours(self) -> list[Contender]:
        """The first leafsight among the contenders, or nobody."""
        return [one for one in self.contenders if one.ours][:1]

    def in_turn(self, number: int) -> list[Contender]:
        """The contenders in another order in every round, so that nobody always comes first."""
        at = number % max(1, len(self.contenders))
        return self.contenders[at:] + self.contenders[:at]

    def requests(self, contender: Contender, server: Server) -> list[bytes]:
        """Whole requests for this server."""
        return build_requests(contender.url(server.port), self.photographs, contender.body)

    @contextmanager
    def running(self, contender: Contender) -> Iterator[tuple[Server, float]]:
        """A server that has answered once, and the seconds that this took; stopped at the end."""
        tell(f"  {contender.name}: starting")
        server = contender.start(self.place)
        try:
            yield server, server.wait_until_answers(contender.path, self.requests(contender, server)[0])
        finally:
            server.stop(contender.stop_limit_s)

    def load_command(self, url: str, body: str, *load: object) -> list[str]:
        """The generator as a process of its own."""
        words = ["--url", url, "--photos", self.photos, "--sample", self.sample, "--body", body]
        words += ["--seed", self.seed, "--timeout-s", self.timeout_s, "--processes", self.processes, "--json"]
        return [sys.executable, "-m", "benchmarks.serve.load", *map(str, [*words, *load])]

    def load(self, contender: Contender, server: Server, *load: object) -> dict[str, Any]:
        """Put load on a server and wait; adds the processor time that the server took for an answer."""
        before = server.cpu_s()
        result = finished(begun(self.load_command(contender.url(server.port), contender.body, *load)))
        result["server_cpu_ms_per_ok"] = round((server.cpu_s() - before) * 1e3 / max(1, result["ok"]), 3)
        return result

    def closed(
        self, contender: Contender, server: Server, connections: int, seconds: float | None = None
    ) -> dict[str, Any]:
        """The closed loop; the first ``warm_s`` are not counted."""
        length = self.warm_s + (self.seconds if seconds is None else seconds)
        return self.load(
            contender, server, "--closed", connections, "--seconds", length, "--warm-s", self.warm_s
        )

    def agreement(self, contender: Contender, server: Server, expected: list[str]) -> dict[str, Any]:
        """How many photographs of the sample get the same most probable class as from the bare pipeline."""
        same = answered = 0
        for request, wanted in zip(self.requests(contender, server), expected, strict=True):
            status, body = exchange(server.port, request)
            if status is not None and 200 <= status < 300:
                answered += 1
                same += contender.top_class(body) == wanted
        return {"photographs": len(expected), "answered": answered, "same_top_class": same}

    def expected_classes(self) -> list[str]:
        """The most probable class of each photograph, from the bare pipeline in this process."""
        from leafsight.bundle import builtin_bundle_path
        from leafsight.inference import BundlePredictor

        predictor = BundlePredictor(builtin_bundle_path())
        return [one.top[0].class_name for one in predictor.predict(self.photographs)]

    def bare(self, processes: int | None = None) -> dict[str, Any]:
        """The bare pipeline, with all cores or with ``processes``."""
        command = [sys.executable, "-m", "benchmarks.serve.bare", "--photos", self.photos]
        command += ["--sample", self.sample, "--seed", self.seed, "--seconds", self.seconds]
        return finished(begun([*map(str, command), *(["--processes", str(processes)] if processes else [])]))


def begun(command: list[str]) -> subprocess.Popen[str]:
    """Start one of our own programs; its result is JSON on stdout."""
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def begun_s(process: subprocess.Popen[str]) -> float:
    """When a generator that was told to announce it put on its load, by ``time.perf_counter``."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with {process.wait()}")
    return float(json.loads(line)["begun_s"])


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for it and read the result.

    Raises:
        RuntimeError: it failed.
    """
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    result: dict[str, Any] = json.loads(said)
    return result


def tell(words: str) -> None:
    """Talk goes to stderr, results to stdout."""
    print(words, file=sys.stderr, flush=True)
