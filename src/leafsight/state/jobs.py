"""Jobs: long work, from the queue to its end, in steps that are never undone; what ended may begin anew.

Enters: records, and what became of them. Leaves: records. It does not know what a job does; who works one off
holds it as ``claims`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text, update

from leafsight.errors import ConflictError, NotFoundError
from leafsight.state.database import Database
from leafsight.state.paging import PAGE, read_one, read_page
from leafsight.state.records import JobRecord, JobState, Page, values_of
from leafsight.state.tables import JOBS, checked

BEFORE: dict[JobState, tuple[JobState, ...]] = {
    "running": ("queued",),
    "done": ("running",),
    "failed": ("queued", "running"),
    "cancelled": ("queued", "running"),
}
"""state -> the states that it may follow."""
ALIVE: tuple[JobState, ...] = ("queued", "running")


class Jobs:
    """Long work."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def add(self, record: JobRecord) -> None:
        """Keep a job.

        Raises:
            UsageError: a value does not fit.
            ConflictError: the id is there already.
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.writing() as connection:
            add_job(connection, record)

    def add_alone(self, record: JobRecord) -> JobRecord:
        """Keep a job, unless one of its kind with the same request is queued or running.

        Returns:
            The record, or the one that is under way.

        Raises:
            UsageError, ConflictError, StateBusyError, StateError: as ``add``.
        """
        return self.add_unless(record, lambda found: found.request == record.request)

    def add_unless(self, record: JobRecord, is_it: Callable[[JobRecord], bool]) -> JobRecord:
        """Keep a job, unless one of its kind that is queued or running is what is wanted.

        Of several who ask at once, each sees what the one before it kept.

        Args:
            record: to keep.
            is_it: whether one that is there already will do; asked of each, the oldest first.

        Returns:
            The record, or the one that is there.

        Raises:
            UsageError, ConflictError, StateBusyError, StateError: as ``add``.
        """
        row = checked(JOBS, values_of(record))
        same = select(JOBS).where(JOBS.c.kind == record.kind, JOBS.c.state.in_(ALIVE)).order_by(JOBS.c.id)
        with self._database.writing() as connection:
            if not self._database.is_sqlite:  # SQLite lets one write at a time anyway
                connection.execute(text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))
            for found in map(record_of, connection.execute(same)):
                if is_it(found):
                    return found
            connection.execute(insert(JOBS), row)
        return record

    def again(self, record: JobRecord) -> bool:
        """Queue a job anew that is done over and over under one id; whether it was not under way already.

        Raises:
            UsageError, StateBusyError, StateError: as ``add``.
        """
        try:
            with self._database.writing() as connection:
                begin_again(connection, record)
        except ConflictError:
            return False
        return True

    def some(self, job_ids: Collection[str]) -> dict[str, JobRecord]:
        """Those records of these ids that there are, by id.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(JOBS).where(JOBS.c.id.in_(job_ids))).all()
        return {row.id: record_of(row) for row in rows}

    def get(self, job_id: str) -> JobRecord | None:
        """The record with this id; None when there is none.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        row = read_one(self._database, JOBS, job_id)
        return None if row is None else record_of(row)

    def page(
        self, after: str | None = None, limit: int = PAGE, *, kind: str | None = None
    ) -> Page[JobRecord]:
        """Records, newest first, of one kind or all; see ``read_page``."""
        only = None if kind is None else JOBS.c.kind == kind
        return read_page(self._database, JOBS, record_of, after, limit, only=only)

    def update(
        self,
        job_id: str,
        *,
        state: JobState | None = None,
        progress: Mapping[str, Any] | None = None,
        result: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> JobRecord:
        """Say what became of a job; what is None stays.

        A job goes from ``queued`` to ``running`` to ``done`` or ``failed``, and to ``cancelled`` while it is
        not at its end. Of two who set it to ``running`` only one succeeds, so that this is how to claim it.

        Returns:
            The record after.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: this state may not follow the one that it has, or it has ended.
            UsageError: a value does not fit.
            StateBusyError, StateError: see ``Database``.
        """
        said = {"state": state, "progress": progress, "result": result, "error": error}
        values = {name: value for name, value in said.items() if value is not None}
        allowed = ALIVE if state is None else BEFORE.get(state, ())
        wanted = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state.in_(allowed))
        values = checked(JOBS, {**values, "updated_ms": self._now()})
        with self._database.writing() as connection:
            row = connection.execute(wanted.values(**values).returning(*JOBS.c)).one_or_none()
            if row is not None:
                return record_of(row)
            found = connection.execute(select(JOBS.c.state).where(JOBS.c.id == job_id)).scalar_one_or_none()
        if found is None:
            raise NotFoundError("there is no job with this id", hint="check the id")
        wish = f"cannot become {state}" if state else "has ended"
        raise ConflictError(f"this job is {found} and {wish}", hint="look at it again")

    def cancel(self, job_id: str) -> JobRecord:
        """Cancel a job; doing it twice is no error.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: it is done or has failed.
            StateBusyError, StateError: see ``Database``.
        """
        try:
            return self.update(job_id, state="cancelled")
        except ConflictError:
            record = self.get(job_id)
            if record is None or record.state != "cancelled":
                raise
            return record


def add_job(connection: Connection, record: JobRecord) -> None:
    """Keep a job within a transaction of something else.

    Raises:
        UsageError: a value does not fit.
    """
    connection.execute(insert(JOBS), checked(JOBS, values_of(record)))


def begin_again(connection: Connection, record: JobRecord) -> JobRecord:
    """Put a job that has ended back into the queue as if it had not been begun, within a transaction.

    Args:
        connection: of the transaction.
        record: names the job and says what time it is; kept as it is when there is no such job.

    Raises:
        ConflictError: the job has not ended.
        UsageError: a value does not fit.
    """
    anew: dict[str, Any] = {"state": "queued", "progress": {}, "result": None, "error": None}
    wanted = update(JOBS).where(JOBS.c.id == record.id, JOBS.c.state.not_in(ALIVE))
    row = connection.execute(
        wanted.values(**checked(JOBS, {**anew, "updated_ms": record.updated_ms})).returning(*JOBS.c)
    ).one_or_none()
    if row is not None:
        return record_of(row)
    found = connection.execute(select(JOBS.c.state).where(JOBS.c.id == record.id)).scalar_one_or_none()
    if found is not None:
        raise ConflictError(f"this job is {found} already", hint="wait for its end, or cancel it")
    add_job(connection, record)
    return record


def record_of(row: Row[Any]) -> JobRecord:
    """A row as a record."""
    return JobRecord(**row._mapping)
