"""What the parts of a set-up used while a load lasted: processor, throttling, memory, and the counters of replicas."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import asdict
from typing import Any

from leafsight.errors import RemoteError
from leafsight.loadtest.asking import read_counters
from leafsight.loadtest.engines import Part, Running
from leafsight.loadtest.parts import Reading, read_machine

PERIOD_S = 0.5


class Watch:
    """Takes a reading of every part at the beginning, the end, and twice a second for the memory.

    Args:
        running: the set-up.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self._ended = threading.Event()
        self._most: dict[str, int] = {}
        self._queue: list[float] = []
        self._thread = threading.Thread(target=self._look_again, daemon=True, name="loadtest-watch")

    def __enter__(self) -> Watch:
        self._counters = self._read_counters()
        self._machine = read_machine()
        self._first = {part.name: part.read() for part in self._running.parts}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)
        self._last = {part.name: part.read() for part in self._running.parts}
        self._machine_after = read_machine()
        self._counters_after = self._read_counters()

    def _look_again(self) -> None:
        while not self._ended.wait(PERIOD_S):
            for part in self._running.parts:
                if (memory := part.read().memory_bytes) is not None:
                    self._most[part.name] = max(memory, self._most.get(part.name, 0))

    def _read_counters(self) -> list[dict[str, float] | None]:
        """Of each replica; None where they cannot be read. Outside of the load, so they cost it nothing."""
        found: list[dict[str, float] | None] = []
        for address in self._running.replicas:
            one = None
            with contextlib.suppress(RemoteError, ValueError):
                one = read_counters(address, self._running.key)
            found.append(one)
        return found

    def result(self, wall_s: float) -> dict[str, Any]:
        """Everything as plain values.

        Args:
            wall_s: how long the load lasted, with its last answer.
        """
        parts = [self._part(part, wall_s) for part in self._running.parts]
        pairs = zip(self._counters, self._counters_after, strict=True)
        return {
            "wall_s": round(wall_s, 3),
            "parts": parts,
            "machine_busy": self._machine_share(),
            "counters": [_difference(before, after) for before, after in pairs],
        }

    def _part(self, part: Part, wall_s: float) -> dict[str, Any]:
        before, after = self._first[part.name], self._last[part.name]
        used_s = _minus(after.cpu_s, before.cpu_s)
        periods = _minus(after.periods, before.periods)
        throttled = _minus(after.throttled_periods, before.throttled_periods)
        return {
            "name": part.name,
            "role": part.role,
            "cpus_allowed": part.cpus,
            "cpus_used": None if used_s is None or wall_s <= 0 else round(used_s / wall_s, 4),
            "throttled_share": round(throttled / periods, 4) if periods and throttled is not None else None,
            "throttled_s": _minus(after.throttled_s, before.throttled_s),
            "memory_limit_bytes": part.memory_bytes,
            "memory_most_bytes": self._most.get(part.name, after.memory_bytes),
            "memory_peak_bytes": after.peak_bytes,
            "ended": part.alive(),
            "readings": {"before": asdict(before), "after": asdict(after)},
        }

    def _machine_share(self) -> float | None:
        if self._machine is None or self._machine_after is None:
            return None
        busy, all_ = (self._machine_after[n] - self._machine[n] for n in (0, 1))
        return round(busy / all_, 4) if all_ > 0 else None


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
