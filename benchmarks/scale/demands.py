"""What one photograph costs each part of the full set-up: processor time by size, bytes that are kept.

    python -m benchmarks.scale.demands --out benchmarks/scale/measured.json

Starts one replica (a whole processor), PostgreSQL and the proxy as containers, as ``leafsight loadtest``
does, and sends photographs of the study's mix, always one at a time; the processor time of every part is
read, to the nanosecond, from its control group. What they use while nobody asks is measured before and taken
off.

Three ways, since they differ: *steady*, one after the other on one connection, as under load, through the
proxy (``cpu_s``) and without it (``direct_cpu_s``); and *lone*, each on a new connection after a pause, read
after each (``lone_cpu_s``, its spread, and the time that the caller waits). A last, short part with
``keep_photos=always`` tells how large kept photographs are.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import statistics
import subprocess
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leafsight.loadtest import ContainerEngine, ContainerOptions, Part, Running, found_engine
from leafsight.loadtest.asking import Address, ask, unverified
from leafsight.loadtest.machine import speed_mb_s
from leafsight.loadtest.orders import multipart
from leafsight.loadtest.photographs import Photograph, draw_photographs
from leafsight.loadtest.setups import SetUp

SETTLE_S, IDLE_S = 10.0, 20.0
ROLES = ("service", "database", "proxy")


def main() -> int:
    """Measure, and keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("measured.json"))
    parser.add_argument("--work", type=Path, default=Path("scratch/demands"))
    parser.add_argument("--rounds", type=int, default=10, help="times that each photograph is sent")
    parser.add_argument("--image", default="leafsight:serve")
    given = parser.parse_args()
    photographs = draw_photographs(given.work / "photographs")
    program = found_engine("auto")
    alone = {"LEAFSIGHT_JOBS": "none"}  # no clerk works beside
    plain = ContainerEngine(program, options(given.image, alone))
    with plain.running(SetUp(1, proxy=True), given.work / "plain") as running:
        found = measure(running, photographs, given.rounds)
        found["row_bytes"] = row_bytes(program)
    keeping = options(given.image, alone | {"LEAFSIGHT_KEEP_PHOTOS": "always"})
    with ContainerEngine(program, keeping).running(SetUp(1), given.work / "keeping") as running:
        found["kept_bytes"] = kept_bytes(program, running, photographs)
    found |= {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} virtual cores, {processor()}, Linux {platform.release()}",
        "photographs": f"{len(photographs)} drawn, seed 0, each {given.rounds} times",
    }
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    return 0


def options(image: str, environment: dict[str, str]) -> ContainerOptions:
    """One replica with a whole processor."""
    return ContainerOptions(image=image, cpus=1.0, memory_bytes=2**30, environment=environment)


def measure(running: Running, photographs: list[Photograph], rounds: int) -> dict[str, Any]:
    """Processor time of each part for each photograph, and the answer's bytes."""
    for photograph in photographs[:: len(photographs) // 6]:
        send(running, photograph)  # everything is loaded, every connection is there
    time.sleep(SETTLE_S)
    idle, speeds = idle_cpus(running.parts), [speed_mb_s()]
    steady = {
        True: cpu_steady(running, running.fronts[0], photographs, rounds, idle),
        False: cpu_steady(running, running.replicas[0], photographs, rounds, idle),
    }
    used: dict[str, dict[str, list[float]]] = defaultdict(lambda: {role: [] for role in ROLES})
    took: dict[str, list[float]] = defaultdict(list)
    answered: list[int] = []
    for number in range(rounds):
        for photograph in photographs:
            before, begun_s = readings(running.parts), time.monotonic()
            answered.append(send(running, photograph))
            took[photograph.size].append(time.monotonic() - begun_s)
            time.sleep(0.02)  # what is written down after the answer belongs to it
            after, lasted_s = readings(running.parts), time.monotonic() - begun_s
            for role in ROLES:
                used[photograph.size][role].append(after[role] - before[role] - idle[role] * lasted_s)
        speeds.append(speed_mb_s())
        print(f"round {number + 1} of {rounds}", flush=True)
    sizes = [
        {
            "size": size,
            "weight": sum(one.weight for one in photographs if one.size == size),
            "bytes": statistics.fmean(one.size_bytes for one in photographs if one.size == size),
            "cpu_s": steady[True][size]["service"],
            "direct_cpu_s": steady[False][size]["service"],
            "lone_cpu_s": statistics.fmean(by_role["service"]),
            "spread": statistics.stdev(by_role["service"]) / statistics.fmean(by_role["service"]),
            "database_cpu_s": steady[True][size]["database"],
            "proxy_cpu_s": steady[True][size]["proxy"],
            "lone_ms": statistics.median(took[size]) * 1e3,
        }
        for size, by_role in used.items()
    ]
    return {
        "sizes": sizes,
        "cpu_s": mean_of(sizes, "cpu_s"),
        "direct_cpu_s": mean_of(sizes, "direct_cpu_s"),
        "lone_cpu_s": mean_of(sizes, "lone_cpu_s"),
        "database_cpu_s": mean_of(sizes, "database_cpu_s"),
        "proxy_cpu_s": mean_of(sizes, "proxy_cpu_s"),
        "idle_cpus": idle,
        "speed_mb_s": statistics.median(speeds),
        "speeds_mb_s": [round(min(speeds), 1), round(max(speeds), 1)],
        "answer_bytes": statistics.fmean(answered),
        "replica_bytes": next(one.read().memory_bytes for one in running.parts if one.role == "service"),
    }


def mean_of(sizes: list[dict[str, Any]], what: str) -> float:
    """By the weights of the mix."""
    return float(sum(one["weight"] * one[what] for one in sizes) / sum(one["weight"] for one in sizes))


def cpu_steady(
    running: Running, address: Address, photographs: list[Photograph], rounds: int, idle: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Processor time of each part for a photograph of each size, sent without a pause on one connection."""
    found = {}
    for size in dict.fromkeys(one.size for one in photographs):
        bodies = [multipart([(one.name, one.read())]) for one in photographs if one.size == size]
        with closing(connection_to(address)) as connection:
            ask_on(connection, running.key, *bodies[0])
            before, begun_s = readings(running.parts), time.monotonic()
            for _ in range(rounds):
                for kind, body in bodies:
                    ask_on(connection, running.key, kind, body)
            time.sleep(0.05)  # what is written down after the last answer belongs to it
            after, lasted_s = readings(running.parts), time.monotonic() - begun_s
        found[size] = {
            role: (after[role] - before[role] - idle[role] * lasted_s) / (rounds * len(bodies))
            for role in ROLES
        }
    return found


def connection_to(address: Address) -> http.client.HTTPConnection:
    """One that is kept; the certificate of the set-up is nobody's."""
    if not address.https:
        return http.client.HTTPConnection(address.host, address.port, timeout=30)
    return http.client.HTTPSConnection(address.host, address.port, timeout=30, context=unverified())


def ask_on(connection: http.client.HTTPConnection, key: str, kind: str, body: bytes) -> None:
    """One diagnosis."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    connection.request("POST", "/v1/predict", body=body, headers=headers)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        raise SystemExit(f"a photograph was answered {answer.status}: {told[:300]!r}")


def send(running: Running, photograph: Photograph) -> int:
    """One photograph to the front; the bytes of the answer, its headers guessed at 900."""
    kind, body = multipart([(photograph.name, photograph.read())])
    status, answer = ask(running.fronts[0], "POST", "/v1/predict", key=running.key, body=body, kind=kind)
    if status != 200 or not json.loads(answer)["predictions"][0]["verdict"]:
        raise SystemExit(f"{photograph.name} was answered {status}: {answer[:300]!r}")
    return len(answer) + 900


def readings(parts: tuple[Part, ...]) -> dict[str, float]:
    """Processor time so far, in seconds, by role."""
    return {one.role: float(one.read().cpu_s or 0.0) for one in parts}


def idle_cpus(parts: tuple[Part, ...]) -> dict[str, float]:
    """Processors that each part uses while nobody asks."""
    before = readings(parts)
    time.sleep(IDLE_S)
    after = readings(parts)
    return {role: (after[role] - before[role]) / IDLE_S for role in before}


def ours(program: str, *words: str, name: str) -> str:
    """The container or volume of this process whose name ends so."""
    label = f"label=leafsight.loadtest={os.getpid()}"
    told = subprocess.run(
        [program, *words, "--filter", label, "--format", name], capture_output=True, text=True, check=True
    )
    return told.stdout


def row_bytes(program: str) -> float:
    """What a row of a prediction takes in PostgreSQL, with indexes and what is kept out of line."""
    [database] = [one for one in ours(program, "ps", name="{{.Names}}").split() if one.endswith("-database")]
    query = "SELECT pg_total_relation_size('predictions')::float8 / count(*) FROM predictions"
    words = [program, "exec", "-u", "postgres", database, "psql", "-U", "leafsight", "-At", "-c", query]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def kept_bytes(program: str, running: Running, photographs: list[Photograph]) -> float:
    """Mean bytes of a kept photograph of the mix."""
    weighed = 0.0
    [volume] = ours(program, "volume", "ls", name="{{.Mountpoint}}").split()
    store = Path(volume) / "blobs"
    for photograph in photographs:
        before = size_bytes(store)
        send(running, photograph)
        time.sleep(0.3)
        weighed += photograph.weight / 100 * (size_bytes(store) - before)
    return weighed


def size_bytes(folder: Path) -> int:
    """Of all files below."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


def processor() -> str:
    """As the kernel names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
