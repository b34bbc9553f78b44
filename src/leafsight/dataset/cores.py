"""How many threads are worth starting."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Cores this process may use; containers and batch systems give fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
