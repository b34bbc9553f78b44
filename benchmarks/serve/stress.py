"""The scenarios of bad days: too much work, bad input for long, and restarts under load.

Enters: a ``Study``. Leaves: plain values.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import threading
import time
from typing import Any

from benchmarks.serve.contenders import Contender
from benchmarks.serve.hostile import attack
from benchmarks.serve.processes import MemoryWatch, Server, exchange
from benchmarks.serve.study import Study, begun, begun_s, finished, tell
from benchmarks.serve.tally import slope

GOOD_IN_A_ROW = 5
RECOVERED_WITHIN_TIMES = 3.0  # of the time of a lone request before
RECOVERY_LIMIT_S = 60.0
SHARE_UNDER_SOAK = SHARE_UNDER_RESTARTS = 0.5
RESTART_LIMIT_S = 40.0
LEFT_OUT_OF_SLOPE = 0.25  # the first quarter: buffers and caches still fill


def overload(study: Study) -> dict[str, Any]:
    """Open loop at three times the capacity; then one probe after the other until all is as before."""
    return {one.name: _overloaded(study, one) for one in study.contenders}


def _overloaded(study: Study, contender: Contender) -> dict[str, Any]:
    tell(f"overload: {contender.name} for {study.overload_s:.0f} s")
    with study.running(contender) as (server, _):
        capacity = study.closed(contender, server, study.connections)["per_s"]
        single = study.closed(contender, server, 1)["ok_ms"]
        before_mib = server.own_mib()
        rate = max(0.1, study.overload_times * capacity)
        load = ["--rate", rate, "--seconds", study.overload_s, "--announce"]
        with MemoryWatch(server) as watch:
            process = begun(study.load_command(contender.url(server.port), contender.body, *load))
            ends = begun_s(process) + study.overload_s
            result, recovery_s = _with_recovery(study, contender, server, process, ends, single["p50"])
        after_mib = server.own_mib()
    during = [mib for at, mib in watch.points if at <= study.overload_s] or [before_mib]
    return {
        "capacity_per_s": capacity,
        "rate_per_s": round(rate, 1),
        "single_p50_ms": single["p50"],
        "under_load": result,
        "memory_mib": {
            "before": round(before_mib, 1),
            "most_during": round(max(during), 1),
            "after": round(after_mib, 1),
        },
        "recovery_s": recovery_s,
    }


def _with_recovery(
    study: Study, contender: Contender, server: Server, process: Any, ends_s: float, single_ms: float
) -> tuple[dict[str, Any], float | None]:
    """Probe from the moment the last request was due, while the generator still waits for late answers."""
    found: list[float | None] = []
    prober = threading.Thread(
        target=lambda: found.append(_recovery_s(study, contender, server, ends_s, single_ms))
    )
    prober.start()
    result = finished(process)
    prober.join()
    return result, found[0] if found else None


def _recovery_s(
    study: Study, contender: Contender, server: Server, ends_s: float, single_ms: float
) -> float | None:
    """Seconds from the end of the load to the first of five good probes in a row; None after a minute."""
    requests = study.requests(contender, server)
    time.sleep(max(0.0, ends_s - time.perf_counter()))
    good, first_s, turn = 0, 0.0, 0
    while (began := time.perf_counter()) - ends_s < RECOVERY_LIMIT_S:
        status, _ = exchange(server.port, requests[turn % len(requests)], timeout_s=study.timeout_s)
        turn += 1
        took_ms = (time.perf_counter() - began) * 1e3
        if status is not None and 200 <= status < 300 and took_ms <= RECOVERED_WITHIN_TIMES * single_ms:
            first_s = began if good == 0 else first_s
            good += 1
            if good == GOOD_IN_A_ROW:
                return round(max(0.0, first_s - ends_s), 3)
        else:
            good = 0
            time.sleep(0.01)
    return None


def soak(study: Study) -> dict[str, Any]:
    """Valid load at half the capacity beside hostile requests, memory sampled all along: leafsight only."""
    found = {}
    for contender in study.ours:
        tell(f"soak: {contender.name} for {study.soak_s:.0f} s")
        with study.running(contender) as (server, _):
            capacity = study.closed(contender, server, study.connections)["per_s"]
            workers = server.workers()
            rate = max(0.1, SHARE_UNDER_SOAK * capacity)
            load = ["--rate", rate, "--seconds", study.soak_s, "--announce"]
            with MemoryWatch(server, every_s=max(0.2, min(5.0, study.soak_s / 60))) as watch:
                process = begun(study.load_command(contender.url(server.port), contender.body, *load))
                ends = begun_s(process) + study.soak_s
                photo = study.photographs[0]
                hostile = asyncio.run(attack(server.port, photo, study.seed, until_s=ends))
                result = finished(process)
            found[contender.name] = {
                "valid": result,
                "hostile": hostile,
                "memory": _memory_slope(watch.points),
                "workers_before": sorted(workers),
                "workers_after": sorted(server.workers()),
                "crashed_workers": len(workers - server.workers()),
                "still_running": server.is_running(),
            }
    return found


def _memory_slope(points: list[tuple[float, float]]) -> dict[str, Any]:
    late = [point for point in points if point[0] >= LEFT_OUT_OF_SLOPE * points[-1][0]]
    steepness, error = slope(late)
    return {
        "first_mib": round(points[0][1], 1),
        "last_mib": round(points[-1][1], 1),
        "slope_mib_per_hour": round(steepness * 3600, 2),
        "slope_error_mib_per_hour": round(error * 3600, 2),
        "samples": len(late),
        "points": [(round(at, 1), round(mib, 1)) for at, mib in points],
    }


def restarts(study: Study) -> dict[str, Any]:
    """SIGHUP to the supervisor again and again under open load, failed requests counted: leafsight only."""
    found = {}
    for contender in study.ours:
        tell(f"restarts: {study.restarts} of {contender.name}")
        with study.running(contender) as (server, _):
            capacity = study.closed(contender, server, study.connections)["per_s"]
            rate = max(0.1, SHARE_UNDER_RESTARTS * capacity)
            limit_s = study.restarts * (RESTART_LIMIT_S + 1) + 60
            command = study.load_command(contender.url(server.port), contender.body)
            process = begun([*command, "--rate", f"{rate:.2f}", "--seconds", f"{limit_s:.0f}", "--announce"])
            begun_s(process)
            time.sleep(1.0)  # so that connections are open and in use
            rng, took = random.Random(study.seed), []
            for _ in range(study.restarts):
                took.append(_restarted_s(server))
                if not server.is_running():
                    break
                time.sleep(rng.uniform(0.0, 0.5))
            process.send_signal(signal.SIGTERM)
            result = finished(process)
        finished_ones = [one for one in took if one is not None]
        found[contender.name] = {
            "asked": study.restarts,
            "restarts": len(finished_ones),
            "not_finished": len(took) - len(finished_ones),
            "longest_s": max(finished_ones, default=None),
            "supervisor_survived": len(took) == study.restarts,
            "under_load": result,
        }
    return found


def _restarted_s(server: Server) -> float | None:
    """SIGHUP, then wait until every worker is another process; None when that took too long."""
    before, began = server.workers(), time.perf_counter()
    with contextlib.suppress(ProcessLookupError):
        server.signal(signal.SIGHUP)
    while time.perf_counter() - began < RESTART_LIMIT_S and server.is_running():
        now = server.workers()
        if len(now) >= len(before) and not now & before:
            return round(time.perf_counter() - began, 3)
        time.sleep(0.05)
    return None
