"""After a fault: is all there that was acknowledged, and does the work that was asked for come to an end?"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.faults.rows import Row
from benchmarks.faults.setup import FullSetUp

from leafsight.errors import RemoteError
from leafsight.loadtest.asking import ask
from leafsight.loadtest.checking import find_lost
from leafsight.loadtest.engines import Running
from leafsight.loadtest.outcomes import OK, UPLOAD

PATIENCE_S, LOOK_S, TRIES = 120.0, 1.0, 5
"""Patience with jobs: so long none of them may have ended."""
ENDED = ("done", "failed", "cancelled")


def check_kept(setup: FullSetUp, rows: Sequence[Row]) -> dict[str, Any]:
    """What was accepted and cannot be found, and the jobs of uploads."""
    running = Running((setup.admin,), (), setup.key, (), 0.0)
    found = find_lost(running, [row.as_outcome() for row in rows])
    uploads = [one for row in rows if row.deed == UPLOAD and row.kind == OK for one in row.ids]
    return {**found, "jobs": check_jobs(setup, uploads)}


def check_jobs(setup: FullSetUp, uploads: Sequence[str]) -> dict[str, Any]:
    """Wait for the job of each upload; one that failed is begun again by hand, as docs/service.md says.

    Returns:
        How the jobs ended at first, the errors of those that failed, how those ended that were begun again,
        and those that did not end.
    """
    states = _ends(setup, uploads)
    failed = sorted(one for one, job in states.items() if job.get("state") == "failed")
    again: dict[str, dict[str, Any]] = {}
    for one in failed:
        ask(setup.admin, "POST", f"/v1/uploads/{one}/check", key=setup.key, body=b"")
    if failed:
        again = _ends(setup, failed)
    errors = Counter(str((states[one].get("error") or {}).get("message", "")) for one in failed)
    return {
        "uploads": len(uploads),
        "states": dict(Counter(str(job.get("state")) for job in states.values())),
        "errors": dict(errors),
        "again": dict(Counter(str(job.get("state")) for job in again.values())),
        "without_an_end": sorted(
            one for one, job in {**states, **again}.items() if job.get("state") not in ENDED
        ),
    }


def _ends(setup: FullSetUp, uploads: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The job of each upload when it has ended, or as it is when patience ends."""
    found: dict[str, dict[str, Any]] = {}
    left, until = list(uploads), time.monotonic() + PATIENCE_S
    while left and time.monotonic() < until:
        found |= {one: _job(setup, one) for one in left}
        still = [one for one in left if found[one].get("state") not in ENDED]
        if len(still) < len(left):
            until = time.monotonic() + PATIENCE_S
        left = still
        if left:
            time.sleep(LOOK_S)
    return found


def _job(setup: FullSetUp, upload: str) -> dict[str, Any]:
    for _ in range(TRIES):
        try:
            status, body = ask(setup.admin, "GET", f"/v1/uploads/{upload}", key=setup.key)
        except RemoteError:
            status, body = 0, b""
        if status == 200:
            return dict(json.loads(body).get("job") or {"state": "no job"})
        if status == 404:
            return {"state": "lost"}
        time.sleep(LOOK_S)
    return {"state": f"status {status}"}
