"""Starts the generators, each in a process of its own, and reads what they leave.

Enters: an order. Leaves: outcomes, and what the generator itself used. A generator that does not end in
time is ended, and its load is an error, not a result.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.errors import RemoteError, require
from leafsight.loadtest.orders import Order
from leafsight.loadtest.outcomes import Outcome, read_outcomes

GRACE_S, LOCUST_GRACE_S, END_S = 30.0, 60.0, 10.0
STOP_S, LOCUST_EARLY_S = 15, 3
"""Locust reads its clock before it has loaded the photographs, and ends early by as long as that took."""
BUSY_SHARE, MOST_LATE_MS = 0.8, 20.0
"""Of a core, and of the 99th percentile of lateness: above either, the generator is what was measured."""


@dataclass(frozen=True, slots=True)
class Driven:
    """One load as the generator saw it.

    Attributes:
        outcomes: every request.
        cpu_share: of one processor, that the generator used.
        begun_s: when the load began, by ``time.monotonic``.
        wall_s: from there to the last answer.
        priority: of the generator on this machine, see ``priority``.
    """

    outcomes: list[Outcome]
    cpu_share: float
    begun_s: float
    wall_s: float
    priority: str = ""


def drive_order(order: Order, folder: Path) -> Driven:
    """Carry out an order in a process of its own and wait for its end.

    Args:
        order: what to do.
        folder: for its files.

    Raises:
        RemoteError: the generator failed, or did not end in time.
        MissingExtraError: people are wanted, and Locust is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "order.json"
    order.write(path)
    try:
        cost = _people(order, path) if order.users else _photographs(order, path)
    finally:
        path.unlink(missing_ok=True)  # it holds a key
    outcomes = read_outcomes(Path(order.out))
    share = cost["cpu_s"] / max(cost["wall_s"], 1e-9)
    return Driven(outcomes, share, cost["begun_s"], cost["wall_s"], cost["priority"])


def _photographs(order: Order, path: Path) -> dict[str, Any]:
    limit_s = order.warm_s + order.seconds + order.timeout_s + GRACE_S
    words = [sys.executable, "-m", "leafsight.loadtest.driving", str(path)]
    told = _run(words, dict(os.environ), limit_s, path.parent / "generator.log")
    found: dict[str, Any] = json.loads(told)
    return found


def _people(order: Order, path: Path) -> dict[str, Any]:
    _require_locust()
    words = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("people_locust.py"))]
    words += ["--headless", "--users", str(order.users), "--spawn-rate", str(order.users)]
    run_s = math.ceil(order.warm_s + order.seconds) + LOCUST_EARLY_S
    words += ["--run-time", f"{run_s}s", "--stop-timeout", str(STOP_S)]
    words += ["--host", f"{'https' if order.https else 'http'}://{order.addresses[0]}", "--only-summary"]
    limit_s = order.warm_s + order.seconds + STOP_S + LOCUST_GRACE_S
    _run(words, os.environ | {"LOADTEST_ORDER": str(path)}, limit_s, path.parent / "locust.log")
    cost = Path(order.out + ".cost")
    found: dict[str, Any] = json.loads(cost.read_text(encoding="utf-8"))
    cost.unlink()
    return found


def _require_locust() -> None:
    """See that it is installed, without importing it: gevent must come first in a process.

    Raises:
        MissingExtraError: it is not.
    """
    from importlib.util import find_spec

    if find_spec("locust") is None:
        require("locust", "loadtest")


def _run(words: list[str], environment: dict[str, str], limit_s: float, log: Path) -> str:
    """Run a generator to its end; its stdout.

    Raises:
        RemoteError: it failed, or did not end in time.
    """
    with log.open("ab") as talk:
        process = subprocess.Popen(  # noqa: S603 (our own commands)
            words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=talk
        )
        try:
            told, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired as error:
            raise RemoteError(
                f"the generator did not end within {limit_s:.0f} s", hint=f"read {log}"
            ) from error
        finally:
            if process.poll() is None:
                _end(process)
    if process.returncode:
        raise RemoteError(f"the generator failed with {process.returncode}", hint=f"read {log}")
    return told.decode()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
        return
    process.kill()
    process.wait()


def bound_by_generator(cpu_share: float, late_p99_ms: float | None) -> str:
    """Why a load says something of the generator and nothing of the server; empty when it does not."""
    if cpu_share > BUSY_SHARE:
        return f"the generator used {100 * cpu_share:.0f} % of a processor"
    if late_p99_ms is not None and late_p99_ms > MOST_LATE_MS:
        return f"the generator was {late_p99_ms:.0f} ms late (p99)"
    return ""
