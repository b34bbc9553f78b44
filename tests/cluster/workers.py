"""The processes of this test run's cluster, found by its key, and what may befall them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
FIND_S = 120


def processes(named: str) -> list[int]:
    """Those of our cluster whose title begins with ``ray::`` and ``named``."""
    key = f"RAY_AUTH_TOKEN={os.environ['RAY_AUTH_TOKEN']}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
            if title.startswith(f"ray::{named}".encode()) and key in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended meanwhile
    return sorted(found)


def kill_one(named: str) -> int:
    """End one of them as the kernel does when memory is short."""
    chosen = waited_for(lambda: processes(named))[0]
    os.kill(chosen, signal.SIGKILL)
    return chosen


def waited_for(look: Callable[[], Found]) -> Found:
    """What ``look`` gives as soon as it is something."""
    end_s = time.monotonic() + FIND_S
    while time.monotonic() < end_s:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing came within {FIND_S} s")
