"""What the generator can drive at most, so that its own limits stand beside what it measures."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from leafsight.loadtest.arithmetic import spread_ms
from leafsight.loadtest.generators import drive_order
from leafsight.loadtest.orders import Order

SECONDS, CONNECTIONS, END_S = 4.0, 4, 10.0


def calibrate(order: Order, folder: Path) -> dict[str, Any]:
    """Drive a server that only reads: a closed loop, then arrivals at half of its rate.

    Args:
        order: with the photographs of the study; its addresses and load are replaced.
        folder: for its files.

    Raises:
        RemoteError: the generator failed.
    """
    server = subprocess.Popen(
        [sys.executable, "-m", "leafsight.loadtest.trivial"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = f"127.0.0.1:{int(server.stdout.readline())}"
        return _measured(replace(order, addresses=(address,), expected="", key="", https=False), folder)
    finally:
        server.terminate()
        server.wait(END_S)
        if server.stdout is not None:
            server.stdout.close()


def _measured(order: Order, folder: Path) -> dict[str, Any]:
    out = str(folder / "calibration.jsonl.gz")
    base = replace(order, out=out, warm_s=0.0, seconds=SECONDS, users=0, closed=0)
    closed = drive_order(replace(base, closed=CONNECTIONS, rate_per_s=0.0), folder)
    most = sum(not one.failed for one in closed.outcomes) / closed.wall_s
    rate = max(1.0, most / 2)
    opened = drive_order(replace(base, rate_per_s=rate), folder)
    return {
        "most_per_s": round(most, 1),
        "cpu_share_at_most": round(closed.cpu_share, 3),
        "half_rate_per_s": round(rate, 1),
        "half_rate_cpu_share": round(opened.cpu_share, 3),
        "half_rate_late_ms": spread_ms(one.late_s for one in opened.outcomes),
        "half_rate_took_ms": spread_ms(one.took_s for one in opened.outcomes),
        "failed": sum(one.failed for one in [*closed.outcomes, *opened.outcomes]),
    }
