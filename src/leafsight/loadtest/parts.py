"""Readings of processor and memory of the parts of a set-up: control groups, or trees of processes.

Enters: a process id. Leaves: counters. Linux only; what cannot be read is None and said so in the report,
never 0.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc")
NS, US = 1e-9, 1e-6


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters of one part at one moment.

    Attributes:
        cpu_s: processor time so far.
        periods: scheduling periods under a quota so far.
        throttled_periods: those in which the quota was used up before the end.
        throttled_s: for so long threads had to wait because of the quota, summed over processors.
        memory_bytes: now, without the page cache.
        peak_bytes: most so far, with the page cache (that is what the limit counts).
    """

    cpu_s: float | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled_s: float | None = None
    memory_bytes: int | None = None
    peak_bytes: int | None = None


def read_container(process_id: int) -> Reading:
    """The counters of the control groups that a process of this machine is in; version 1 and 2."""
    paths = _cgroup_paths(process_id)
    if "" in paths and (CGROUPS / "cgroup.controllers").exists():
        return _version_2(CGROUPS / paths[""].lstrip("/"))
    return _version_1(paths)


def _cgroup_paths(process_id: int) -> dict[str, str]:
    """Controller -> path, as /proc tells."""
    with contextlib.suppress(OSError):
        lines = (PROC / str(process_id) / "cgroup").read_text().splitlines()
        found = {}
        for line in lines:
            _, controllers, path = line.split(":", 2)
            found.update(dict.fromkeys(controllers.split(","), path))
        return found
    return {}


def _version_1(paths: dict[str, str]) -> Reading:
    def folder(controller: str, *roots: str) -> Path:
        path = paths.get(controller, "").lstrip("/")
        return next((CGROUPS / root / path for root in roots if (CGROUPS / root / path).exists()), Path("/-"))

    cpu = folder("cpu", "cpu", "cpu,cpuacct")
    account, memory = folder("cpuacct", "cpuacct", "cpu,cpuacct"), folder("memory", "memory")
    stat, used = _pairs(cpu / "cpu.stat"), _number(account / "cpuacct.usage")
    throttled = stat.get("throttled_time")
    return Reading(
        cpu_s=None if used is None else used * NS,
        periods=stat.get("nr_periods"),
        throttled_periods=stat.get("nr_throttled"),
        throttled_s=None if throttled is None else throttled * NS,
        memory_bytes=_pairs(memory / "memory.stat").get("total_rss"),
        peak_bytes=_number(memory / "memory.max_usage_in_bytes"),
    )


def _version_2(folder: Path) -> Reading:
    stat = _pairs(folder / "cpu.stat")
    used, throttled = stat.get("usage_usec"), stat.get("throttled_usec")
    return Reading(
        cpu_s=None if used is None else used * US,
        periods=stat.get("nr_periods"),
        throttled_periods=stat.get("nr_throttled"),
        throttled_s=None if throttled is None else throttled * US,
        memory_bytes=_pairs(folder / "memory.stat").get("anon"),
        peak_bytes=_number(folder / "memory.peak"),
    )


def _pairs(path: Path) -> dict[str, int]:
    with contextlib.suppress(OSError, ValueError):
        return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}
    return {}


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return None


def read_processes(process_id: int) -> Reading:
    """Processor time and resident memory of a process and its descendants, summed.

    Time of descendants that have ended is not in it unless their parent, still alive, has waited for them.
    """
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    used_s, memory, found = 0.0, 0, False
    for one in _family(process_id):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
            used_s += (
                sum(int(fields[at]) for at in (11, 12, 13, 14)) / ticks
            )  # own, and of waited-for children
            memory += _proportional_bytes(one) or int(fields[21]) * page
            found = True
    return Reading(cpu_s=used_s, memory_bytes=memory) if found else Reading()


def _proportional_bytes(process_id: int) -> int | None:
    """PSS: a page that processes share counts by its share, so that a sum counts it once."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = (PROC / str(process_id) / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return None


def _family(process_id: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [process_id]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += parents.get(one, [])
    return found


def read_machine() -> tuple[float, float] | None:
    """Busy and all processor time of this machine so far, in ticks; None where /proc does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        values = [int(one) for one in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
        idle = values[3] + values[4]
        return float(sum(values) - idle), float(sum(values))
    return None
