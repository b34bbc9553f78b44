"""The scenarios of ordinary days: how much, how quickly, and how soon after the start.

Enters: a ``Study``. Leaves: plain values. Within a round everyone is measured once; ratios are taken within a
round, and the median over the rounds is reported, so that a slow minute of the machine hits all alike.
"""

from __future__ import annotations

import sys
from statistics import median
from typing import Any

from benchmarks.serve.photographs import REPOSITORY
from benchmarks.serve.processes import Server, free_port
from benchmarks.serve.study import Study, begun, finished, tell
from benchmarks.serve.wire import build_requests

SHARE_OF_CAPACITY = 0.7


def generator_cost(study: Study) -> dict[str, Any]:
    """What the generator itself costs: both loops against a server that does nothing."""
    tell("generator: against a trivial server")
    port = free_port()
    folder = study.place.scratch / "trivial"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.serve.trivial", "--port", str(port)]
    server = Server(command, port, {"PYTHONPATH": str(REPOSITORY)}, folder)
    url = f"http://127.0.0.1:{port}/v1/predict"
    try:
        server.wait_until_answers("/", build_requests(url, study.photographs, "multipart")[0])
        found = {}
        for name, load in {"closed": ["--closed", study.connections], "open": ["--rate", 200]}.items():
            words = study.load_command(url, "multipart", *load, "--seconds", study.seconds)
            result = finished(begun(words))
            wanted = ("per_s", "ok_ms", "failed", "generator_cpu_us_per_request", "late_ms")
            found[name] = {key: result[key] for key in wanted}
        return found
    finally:
        server.stop()


def throughput(study: Study) -> dict[str, Any]:
    """Closed loop: predictions a second, of the bare pipeline and of everyone else."""
    expected = study.expected_classes()
    rounds: list[dict[str, Any]] = []
    agreement: dict[str, Any] = {}
    for number in range(study.rounds):
        tell(f"throughput, round {number + 1} of {study.rounds}")
        found: dict[str, Any] = {"bare": study.bare()}
        for contender in study.in_turn(number):
            with study.running(contender) as (server, _):
                if number == 0:
                    agreement[contender.name] = study.agreement(contender, server, expected)
                found[contender.name] = study.closed(contender, server, study.connections)
        rounds.append(found)
    names = ["bare", *(one.name for one in study.contenders)]
    base = study.ours[0].name if study.ours else "bare"
    return {
        "base": base,
        "median_per_s": {name: median(one[name]["per_s"] for one in rounds) for name in names},
        "of_bare": {name: _median_ratio(rounds, name, "bare") for name in names},
        "base_over": {name: _median_ratio(rounds, base, name) for name in names if name != base},
        "agreement": agreement,
        "rounds": rounds,
    }


def latency(study: Study) -> dict[str, Any]:
    """Open loop at 70 % of the capacity measured a moment before; p99 against the time of a lone request."""
    rounds = []
    for number in range(study.rounds):
        tell(f"latency, round {number + 1} of {study.rounds}")
        found: dict[str, Any] = {"bare, one process": study.bare(1)}
        for contender in study.in_turn(number):
            with study.running(contender) as (server, _):
                capacity = study.closed(contender, server, study.connections)["per_s"]
                alone = study.closed(contender, server, 1)
                rate = max(0.1, SHARE_OF_CAPACITY * capacity)
                seconds = study.warm_s + study.seconds
                load = ["--rate", rate, "--seconds", seconds, "--warm-s", study.warm_s]
                at_rate = study.load(contender, server, *load)
            single_ms, worst = _p(alone, "p50"), _p(at_rate, "p99")
            found[contender.name] = {
                "capacity_per_s": capacity,
                "rate_per_s": round(rate, 2),
                "single_p50_ms": single_ms,
                "p99_ms": worst,
                "p99_over_single": round(worst / single_ms, 2) if worst and single_ms else None,
                "at_rate": at_rate,
            }
        rounds.append(found)
    ratios = {one.name: [found[one.name]["p99_over_single"] for found in rounds] for one in study.contenders}
    return {
        "p99_over_single": {
            name: median(found) if all(value is not None for value in found) else None
            for name, found in ratios.items()
        },
        "rounds": rounds,
    }


def start(study: Study) -> dict[str, Any]:
    """From the start of the process to the first answered prediction, and the memory of each process then."""
    found: dict[str, list[dict[str, Any]]] = {one.name: [] for one in study.contenders}
    for number in range(study.rounds + 1):
        tell(f"start, round {number} of {study.rounds}{' (files into the cache)' if number == 0 else ''}")
        for contender in study.in_turn(number):
            with study.running(contender) as (server, seconds):
                study.closed(contender, server, study.connections, 1.0)
                memory = [one._asdict() for one in server.memory()]
            if number:  # the first start of all writes bytecode and fills the page cache
                found[contender.name].append({"first_answer_s": round(seconds, 3), "memory": memory})
    return {name: _start_summary(rows) | {"rounds": rows} for name, rows in found.items()}


def _start_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [row["first_answer_s"] for row in rows]
    totals = [
        sum(one["rss_mib"] if one["pss_mib"] is None else one["pss_mib"] for one in row["memory"])
        for row in rows
    ]
    return {
        "median_first_answer_s": median(seconds),
        "most_first_answer_s": max(seconds),
        "total_pss_mib": round(median(totals), 1),
        "largest_rss_mib": max(one["rss_mib"] for row in rows for one in row["memory"]),
        "processes": len(rows[-1]["memory"]),
    }


def _p(result: dict[str, Any], name: str) -> float | None:
    found = result["ok_ms"]
    return None if found is None else found[name]


def _median_ratio(rounds: list[dict[str, Any]], above: str, below: str) -> float | None:
    pairs = [(one[above]["per_s"], one[below]["per_s"]) for one in rounds]
    found = [high / low for high, low in pairs if low]
    return round(median(found), 3) if len(found) == len(pairs) else None
