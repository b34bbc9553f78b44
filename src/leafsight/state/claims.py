"""Who works a job off: one process at a time, for as long as it says that it is alive.

Enters: kinds of jobs and what became of them. Leaves: jobs that are nobody else's. It does not know what a
job does.

A job is held by whoever wrote its ``updated_ms`` last. Every word about it is written only where that
number still stands, and changes it: a process that stopped for a while and lost its job to another cannot
write about it any more. A job whose number is older than the lease belongs to nobody; one that lies that far
ahead, too, because then the clock went back.

A job may be worked off in steps of which each is done once. Its progress then says how many are done
(``done_steps``), and only deaths without a further step are counted against it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, text, update

from leafsight.state.database import Database
from leafsight.state.jobs import record_of
from leafsight.state.records import JobRecord
from leafsight.state.tables import JOBS, checked

LEASE_MS = 15_000
"""Longest silence of who holds a job."""
MOST_TRIES = 3
"""A job during which its process died this often, and got no further, is not begun again."""
TRY = "try"
"""Where ``progress`` says how often the job was begun since it got further."""
DONE_STEPS, STEPS_BEFORE = "done_steps", "steps_before"
"""Where it says how many steps are done, and how many were when the job was begun."""
MOST_CANDIDATES = 20
GIVEN_UP = {
    "type": "gave-up",
    "status": 500,
    "message": f"the process that worked on this died {MOST_TRIES} times",
    "hint": "there may be too little memory; look into the log of the server or job worker, and ask again",
}


@dataclass(frozen=True, slots=True)
class Ahead:
    """What there is to do: ids of jobs that may be claimed now, and of those that somebody holds."""

    free: tuple[str, ...]
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs of one kind have not ended.

    Attributes:
        waiting: that nobody holds.
        running: that somebody holds.
    """

    waiting: int
    running: int


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

    def queues(self) -> dict[str, Queue]:
        """For each kind of job, how many wait and run; kinds without any are left out. Quick.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        waiting = func.sum(case((_nobodys(self._now()), 1), else_=0))
        counted = select(JOBS.c.kind, waiting, func.count()).where(JOBS.c.state.in_(("queued", "running")))
        with self._database.reading() as connection:
            rows = connection.execute(counted.group_by(JOBS.c.kind)).all()
        return {kind: Queue(int(free), int(every) - int(free)) for kind, free, every in rows}

    def claim(
        self, kinds: Collection[str], *, alone: bool = False, leaving: Collection[str] = ()
    ) -> JobRecord | None:
        """The oldest job that nobody holds, now held by the caller; None when there is none.

        One that was begun ``MOST_TRIES`` times without getting further has failed: its process died each
        time.

        Args:
            kinds: of jobs.
            alone: only while nobody holds any other job of these kinds, so that one at a time is worked off
                on this database.
            leaving: ids of jobs that are left to themselves for now.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        if not alone:
            with self._database.reading() as connection:
                found = _free(connection, kinds, self._now(), leaving)
            for one in found:
                with self._database.writing() as connection:
                    mine = self._begin(connection, one)
                if mine is not None:
                    return mine
            return None
        ahead = self.ahead(kinds)
        if ahead.held or not set(ahead.free) - set(leaving):
            return None  # mostly so, and then others need not wait for the lock
        with self._database.writing() as connection:
            return self._begin_alone(connection, kinds, leaving)

    def _begin_alone(
        self, connection: Connection, kinds: Collection[str], leaving: Collection[str]
    ) -> JobRecord | None:
        """As ``claim``, in a transaction beside which nobody else writes about jobs."""
        if not self._database.is_sqlite:  # SQLite lets one write at a time anyway
            connection.execute(text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))
        now_ms = self._now()
        held = select(JOBS.c.id).where(JOBS.c.kind.in_(kinds), JOBS.c.state == "running", ~_nobodys(now_ms))
        if connection.execute(held.limit(1)).first() is not None:
            return None
        for one in _free(connection, kinds, now_ms, leaving):
            if (mine := self._begin(connection, one)) is not None:
                return mine
        return None

    def _begin(self, connection: Connection, job: JobRecord) -> JobRecord | None:
        """Take a job that is nobody's, or give it up; None when it is not ours now."""
        done, before = _number(job, DONE_STEPS), _number(job, STEPS_BEFORE)
        tries = tries_of(job) if done <= before else 0
        if tries >= MOST_TRIES:
            self._change(connection, job, job.state, {"state": "failed", "error": GIVEN_UP})
            return None
        steps = {DONE_STEPS: done, STEPS_BEFORE: max(done, before)} if done or before else {}
        progress = {TRY: tries + 1, **steps}
        return self._change(connection, job, job.state, {"state": "running", "progress": progress})

    def beat(self, job: JobRecord, progress: Mapping[str, Any]) -> JobRecord | None:
        """Say that the holder is alive and how far it is; None when it holds the job no more.

        ``done_steps`` in the progress is the number of steps that will not be done again; left out, it is as
        it was.

        Raises:
            UsageError: the progress does not fit.
            StateBusyError, StateError: see ``Database``.
        """
        ours = {TRY: tries_of(job), **_kept(job, STEPS_BEFORE)}
        said = {**_kept(job, DONE_STEPS), **progress, **ours}
        with self._database.writing(losable=True) as connection:
            return self._change(connection, job, "running", {"progress": said})

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
        said = {name: one for name, one in values.items() if one is not None}
        with self._database.writing() as connection:
            return self._change(connection, job, "running", said)

    def hand_back(self, job: JobRecord) -> JobRecord | None:
        """Put it back into the queue as if it had not been begun; None when the caller holds it no more.

        Steps that are done stay so.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        tries = max(0, tries_of(job) - 1)
        progress = {**({TRY: tries} if tries else {}), **_kept(job, DONE_STEPS, STEPS_BEFORE)}
        with self._database.writing() as connection:
            return self._change(connection, job, "running", {"state": "queued", "progress": progress})

    def _change(
        self, connection: Connection, job: JobRecord, state: str, values: Mapping[str, Any]
    ) -> JobRecord | None:
        now_ms = self._now()
        if now_ms == job.updated_ms:
            now_ms += 1
        row = checked(JOBS, {**values, "updated_ms": now_ms})
        held = and_(JOBS.c.id == job.id, JOBS.c.state == state, JOBS.c.updated_ms == job.updated_ms)
        changed = connection.execute(update(JOBS).where(held).values(**row).returning(*JOBS.c)).one_or_none()
        return None if changed is None else record_of(changed)


def tries_of(job: JobRecord) -> int:
    """How often a job was begun since it got further."""
    return _number(job, TRY)


def _number(job: JobRecord, name: str) -> int:
    found = job.progress.get(name, 0)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0


def _kept(job: JobRecord, *names: str) -> dict[str, Any]:
    return {name: job.progress[name] for name in names if name in job.progress}


def _free(
    connection: Connection, kinds: Collection[str], now_ms: int, leaving: Collection[str]
) -> list[JobRecord]:
    """Jobs that are nobody's, oldest first, but for those that are left to themselves."""
    free = select(JOBS).where(JOBS.c.kind.in_(kinds), _nobodys(now_ms), JOBS.c.id.not_in(leaving))
    rows = connection.execute(free.order_by(JOBS.c.id).limit(MOST_CANDIDATES))
    return [record_of(row) for row in rows]


def _nobodys(now_ms: int) -> ColumnElement[bool]:
    silent = or_(JOBS.c.updated_ms < now_ms - LEASE_MS, JOBS.c.updated_ms > now_ms + LEASE_MS)
    return or_(JOBS.c.state == "queued", and_(JOBS.c.state == "running", silent))
