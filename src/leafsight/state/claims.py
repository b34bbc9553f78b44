"""Who works a job off: one process at a time, for as long as it says that it is alive.

Enters: kinds of jobs and what became of them. Leaves: jobs that are nobody else's. It does not know what a
job does.

A job is held by whoever wrote its ``updated_ms`` last. Every word about it is written only where that
number still stands, and changes it: a process that stopped for a while and lost its job to another cannot
write about it any more. A job whose number is older than the lease belongs to nobody; one that lies that far
ahead, too, because then the clock went back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, or_, select, update

from leafsight.state.database import Database
from leafsight.state.jobs import record_of
from leafsight.state.records import JobRecord
from leafsight.state.tables import JOBS, checked

LEASE_MS = 15_000
"""Longest silence of who holds a job."""
MOST_TRIES = 3
"""A job during which its process died this often is not begun again."""
TRY = "try"
"""Where ``progress`` says how often the job was begun."""
MOST_CANDIDATES = 20
GIVEN_UP = {
    "type": "gave-up",
    "status": 500,
    "message": f"the process that worked on this died {MOST_TRIES} times",
    "hint": "there may be too little memory; look into the log of the server, and ask again",
}


@dataclass(frozen=True, slots=True)
class Ahead:
    """What there is to do: ids of jobs that may be claimed now, and of those that somebody holds."""

    free: tuple[str, ...]
    held: tuple[str, ...]


class Claims:
    """Jobs as those who work them off see them.

    Args:
        database: open.
        now: milliseconds since 1970 in UTC.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def ahead(self, kinds: Collection[str]) -> Ahead:
        """What there is to do of these kinds.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        alive = select(JOBS.c.id, JOBS.c.state, JOBS.c.updated_ms).where(
            JOBS.c.kind.in_(kinds), JOBS.c.state.in_(("queued", "running"))
        )
        now_ms = self._now()
        with self._database.reading() as connection:
            rows = connection.execute(alive).all()
        free = {one for one, state, updated in rows if state == "queued" or abs(now_ms - updated) > LEASE_MS}
        held = tuple(one for one, _, _ in rows if one not in free)
        return Ahead(tuple(one for one, _, _ in rows if one in free), held)

    def claim(self, kinds: Collection[str]) -> JobRecord | None:
        """The oldest job that nobody holds, now held by the caller; None when there is none.

        One that was begun ``MOST_TRIES`` times has failed: its process died each time.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        now_ms = self._now()
        free = (
            select(JOBS)
            .where(JOBS.c.kind.in_(kinds), _nobodys(now_ms))
            .order_by(JOBS.c.id)
            .limit(MOST_CANDIDATES)
        )
        with self._database.reading() as connection:
            found = [record_of(row) for row in connection.execute(free)]
        for one in found:
            progress = {TRY: tries_of(one) + 1}
            if tries_of(one) >= MOST_TRIES:
                self._change(one, one.state, {"state": "failed", "error": GIVEN_UP})
            elif (
                mine := self._change(one, one.state, {"state": "running", "progress": progress})
            ) is not None:
                return mine
        return None

    def beat(self, job: JobRecord, progress: Mapping[str, Any]) -> JobRecord | None:
        """Say that the holder is alive and how far it is; None when it holds the job no more.

        Raises:
            UsageError: the progress does not fit.
            StateBusyError, StateError: see ``Database``.
        """
        said = {**progress, TRY: tries_of(job)}
        return self._change(job, "running", {"progress": said}, losable=True)

    def finish(
        self,
        job: JobRecord,
        state: Literal["done", "failed"],
        *,
        result: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> JobRecord | None:
        """Say how it ended; None when the caller holds the job no more.

        Raises:
            UsageError: a value does not fit.
            StateBusyError, StateError: see ``Database``.
        """
        values = {"state": state, "result": result, "error": error}
        return self._change(job, "running", {name: one for name, one in values.items() if one is not None})

    def hand_back(self, job: JobRecord) -> JobRecord | None:
        """Put it back into the queue as if it had not been begun; None when the caller holds it no more.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        tries = max(0, tries_of(job) - 1)
        return self._change(job, "running", {"state": "queued", "progress": {TRY: tries} if tries else {}})

    def _change(
        self, job: JobRecord, state: str, values: Mapping[str, Any], *, losable: bool = False
    ) -> JobRecord | None:
        now_ms = self._now()
        if now_ms == job.updated_ms:
            now_ms += 1
        row = checked(JOBS, {**values, "updated_ms": now_ms})
        held = and_(JOBS.c.id == job.id, JOBS.c.state == state, JOBS.c.updated_ms == job.updated_ms)
        with self._database.writing(losable=losable) as connection:
            changed = connection.execute(
                update(JOBS).where(held).values(**row).returning(*JOBS.c)
            ).one_or_none()
        return None if changed is None else record_of(changed)


def tries_of(job: JobRecord) -> int:
    """How often a job was begun."""
    tries = job.progress.get(TRY, 0)
    return tries if isinstance(tries, int) else 0


def _nobodys(now_ms: int) -> ColumnElement[bool]:
    silent = or_(JOBS.c.updated_ms < now_ms - LEASE_MS, JOBS.c.updated_ms > now_ms + LEASE_MS)
    return or_(JOBS.c.state == "queued", and_(JOBS.c.state == "running", silent))
