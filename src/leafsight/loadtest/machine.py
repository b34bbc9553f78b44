"""What the study ran on, as far as /proc and Python tell."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SPEED_S, BLOCK = 0.2, bytes(2**18)
LIBRARIES = ("leafsight", "locust", "onnxruntime", "numpy", "uvicorn", "fastapi", "psycopg")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, kernel, versions, load before."""
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "system": platform.system(),
        "cgroups": 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1,
        "python": platform.python_version(),
        "versions": versions,
        "load_before": round(os.getloadavg()[0], 2),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def speed_mb_s() -> float:
    """Megabytes that a processor hashes in a second of its time (BLAKE2b, within its own caches).

    A virtual processor is a share of a real one, and how large a share depends on its neighbours: the same
    request then costs more seconds of processor time, and nothing in this machine says so.
    """
    begun_s, blocks = time.process_time(), 0
    while (passed_s := time.process_time() - begun_s) < SPEED_S:
        hashlib.blake2b(BLOCK).digest()
        blocks += 1
    return blocks * len(BLOCK) / 1e6 / passed_s


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or "not known"
