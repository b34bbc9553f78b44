"""What the parts of a set-up used while a load lasted: processor, throttling, memory, own counters."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any, NamedTuple

from leafsight.errors import RemoteError
from leafsight.loadtest.asking import read_counters
from leafsight.loadtest.engines import Part, Running
from leafsight.loadtest.parts import Reading, read_machine

PERIOD_S = 0.5


class Look(NamedTuple):
    """All parts at one moment.

    Attributes:
        at_s: by the clock that all processes of a machine share (``time.monotonic``).
        machine: busy and all ticks of its processors.
        parts: a reading of each.
    """

    at_s: float
    machine: tuple[float, float] | None
    parts: dict[str, Reading]


class Watch:
    """Takes a reading of every part at the beginning, the end, and twice a second for the memory.

    Args:
        running: the set-up.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self._ended = threading.Event()
        self._looks: list[Look] = []
        self._thread = threading.Thread(target=self._look_again, daemon=True, name="loadtest-watch")

    def __enter__(self) -> Watch:
        self._counters = self._read_counters()
        self._looks.append(self._look())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)
        self._looks.append(self._look())
        self._counters_after = self._read_counters()

    def _look_again(self) -> None:
        while not self._ended.wait(PERIOD_S):
            self._looks.append(self._look())

    def _look(self) -> Look:
        return Look(
            time.monotonic(), read_machine(), {part.name: part.read() for part in self._running.parts}
        )

    def _read_counters(self) -> list[dict[str, float] | None]:
        """Of each replica; None where they cannot be read. Outside of the load, so they cost it nothing."""
        found: list[dict[str, float] | None] = []
        for address in self._running.replicas:
            one = None
            with contextlib.suppress(RemoteError, ValueError):
                one = read_counters(address, self._running.key)
            found.append(one)
        return found

    def result(self, from_s: float, until_s: float, generator_cpus: float) -> dict[str, Any]:
        """Everything as plain values, in the measured time.

        Counters are those of the whole load, with its warm-up and its last answers.

        Args:
            from_s: begin of the measured time, by ``time.monotonic``.
            until_s: its end.
            generator_cpus: processors that the generator used.
        """
        first = min(self._looks, key=lambda one: abs(one.at_s - from_s))
        last = min(self._looks, key=lambda one: abs(one.at_s - until_s))
        pairs = zip(self._counters, self._counters_after, strict=True)
        return {
            "window_s": round(last.at_s - first.at_s, 3),
            "parts": (parts := [self._part(part, first, last) for part in self._running.parts]),
            "machine_busy": (busy := _machine_share(first, last)),
            "others_cpus": _others(parts, busy, generator_cpus),
            "counters": [_difference(before, after) for before, after in pairs],
        }

    def _part(self, part: Part, first: Look, last: Look) -> dict[str, Any]:
        before, after, wall_s = first.parts[part.name], last.parts[part.name], last.at_s - first.at_s
        used_s = _minus(after.cpu_s, before.cpu_s)
        periods = _minus(after.periods, before.periods)
        throttled = _minus(after.throttled_periods, before.throttled_periods)
        memory = [look.parts[part.name].memory_bytes or 0 for look in self._looks]
        return {
            "name": part.name,
            "role": part.role,
            "cpus_allowed": part.cpus,
            "cpus_used": None if used_s is None or wall_s <= 0 else round(used_s / wall_s, 4),
            "throttled_share": round(throttled / periods, 4) if periods and throttled is not None else None,
            "throttled_s": _minus(after.throttled_s, before.throttled_s),
            "memory_limit_bytes": part.memory_bytes,
            "memory_most_bytes": max(memory) or None,
            "memory_peak_bytes": self._looks[-1].parts[part.name].peak_bytes,
            "ended": part.ended(),
        }


def _machine_share(first: Look, last: Look) -> float | None:
    if first.machine is None or last.machine is None:
        return None
    busy, all_ = (last.machine[n] - first.machine[n] for n in (0, 1))
    return round(busy / all_, 4) if all_ > 0 else None


def _others(parts: list[dict[str, Any]], busy: float | None, generator_cpus: float) -> float | None:
    """Processors that nothing of the study used: other programs, the engine, the kernel for others."""
    used: list[float | None] = [part["cpus_used"] for part in parts]
    known = [one for one in used if one is not None]
    if busy is None or not used or len(known) < len(used):
        return None
    return round(max(0.0, busy * (os.cpu_count() or 1) - sum(known) - generator_cpus), 4)


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else round(after - before, 6)


def _difference(before: dict[str, float] | None, after: dict[str, float] | None) -> dict[str, float] | None:
    """What was counted in between; gauges of processes are left out."""
    if before is None or after is None:
        return None
    kept = ("_total", "_sum", "_count")
    return {
        name: round(value - before.get(name, 0.0), 6)
        for name, value in after.items()
        if name.partition("{")[0].endswith(kept) and value != before.get(name, 0.0)
    }
