"""A look at a database from outside: nothing is made, nothing is migrated, nothing stays.

Enters: an address, as ``open_state`` takes it. Leaves: plain facts, or one of our errors. It does not know
what is good or bad about them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, text

from leafsight.state.addresses import Address
from leafsight.state.claims import LEASE_MS
from leafsight.state.database import Database
from leafsight.state.ids import clock_ms
from leafsight.state.migrating import current_revision
from leafsight.state.tables import JOBS, KEYS, MARKS, REVISION
from leafsight.storage import os_errors_translated

DAY_MS = 86_400_000
MOST_WORDS = 200
"""Characters of what a failed job said."""


@dataclass(frozen=True, slots=True)
class JobsLook:
    """What there is to do, and what went wrong.

    Attributes:
        waiting: jobs that nobody works on.
        waited_ms: for how long the oldest of them has waited; 0 when there is none.
        held: jobs that somebody works on now.
        failed: jobs that failed within a day.
        failed_kind: of the newest of them, or empty.
        failed_said: what it said, or empty.
    """

    waiting: int
    waited_ms: int
    held: int
    failed: int
    failed_kind: str = ""
    failed_said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLook:
    """What a database is.

    Attributes:
        kind: which of the two.
        where: its address for people, without the password.
        server: name and version of the program.
        revision: of its tables; None when it is empty.
        wanted: the revision that this leafsight knows.
        took_ms: how long a write took, committed and undone; None when none was tried.
        clock_ms: what time its server has, milliseconds since 1970; None for a file.
        used, allowed: connections; None for a file.
        keys: whether a key was ever made; None when the tables are not of this revision.
        jobs: the same.
    """

    kind: Literal["sqlite", "postgresql"]
    where: str
    server: str
    revision: str | None
    wanted: str
    took_ms: float | None = None
    clock_ms: int | None = None
    used: int | None = None
    allowed: int | None = None
    keys: bool | None = None
    jobs: JobsLook | None = None


def look_at_database(url: str, *, wait_s: float, now: Callable[[], int] = clock_ms) -> DatabaseLook | None:
    """Look at a database; None where its file is not there.

    One row is written and removed in one transaction, where the tables are of this revision.

    Args:
        url: as of ``open_state``.
        wait_s: longest wait for a lock or a connection, in seconds.
        now: the clock, milliseconds since 1970 in UTC.

    Raises:
        UsageError: the address cannot be read.
        StateError: not ours, from a newer leafsight, damaged, not reachable so, or not to be written.
        StateBusyError: it is locked or does not answer.
        PermissionDeniedError, StorageError: the folder of its file may not be looked into.
    """
    address = Address(url)
    if address.kind == "sqlite":
        with os_errors_translated(address.path):
            if not address.path.exists():
                return None
    database = Database(address, busy_timeout_s=wait_s, pooled=False)
    try:
        revision = current_revision(database)
        facts = _of_server(database)
        if revision == REVISION:
            facts |= {"took_ms": _written(database, now()), "jobs": _jobs(database, now())}
            with database.reading() as connection:
                facts["keys"] = connection.execute(select(KEYS.c.id).limit(1)).first() is not None
    finally:
        database.close()
    where = str(address).removeprefix("the database ")
    return DatabaseLook(kind=address.kind, where=where, revision=revision, wanted=REVISION, **facts)


def _of_server(database: Database) -> dict[str, Any]:
    with database.reading() as connection:
        if database.is_sqlite:
            return {"server": f"SQLite {_one(connection, 'SELECT sqlite_version()')}"}
        seconds = _one(connection, "SELECT extract(epoch FROM clock_timestamp())")
        return {
            "server": f"PostgreSQL {_one(connection, 'SHOW server_version')}".split(" (")[0],
            "clock_ms": int(seconds * 1000),
            "used": int(
                str(_one(connection, "SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL"))
            ),
            "allowed": int(_one(connection, "SHOW max_connections"))
            - int(_one(connection, "SHOW superuser_reserved_connections")),
        }


def _one(connection: Connection, statement: str) -> Any:
    return connection.execute(text(statement)).scalar_one()


def _written(database: Database, now_ms: int) -> float:
    """A row comes and goes within one transaction, which is committed: the disk has to take it."""
    name = f"doctor-{secrets.token_hex(8)}"
    started = perf_counter()
    with database.writing() as connection:
        connection.execute(insert(MARKS), {"name": name, "updated_ms": now_ms, "value": {}})
        connection.execute(delete(MARKS).where(MARKS.c.name == name))
    return (perf_counter() - started) * 1e3


def _jobs(database: Database, now_ms: int) -> JobsLook:
    """A job that says nothing for longer than its lease is nobody's, as in ``claims``."""
    alive = select(JOBS.c.state, JOBS.c.updated_ms).where(JOBS.c.state.in_(("queued", "running")))
    failed = (JOBS.c.state == "failed", JOBS.c.updated_ms > now_ms - DAY_MS)
    newest = select(JOBS.c.kind, JOBS.c.error).where(*failed).order_by(JOBS.c.updated_ms.desc()).limit(1)
    with database.reading(one_moment=True) as connection:
        rows = connection.execute(alive).all()
        count = connection.execute(select(func.count()).select_from(JOBS).where(*failed)).scalar_one()
        last = connection.execute(newest).one_or_none()
    held = [at for state, at in rows if state == "running" and abs(now_ms - at) <= LEASE_MS]
    waiting = [at for state, at in rows if state == "queued" or abs(now_ms - at) > LEASE_MS]
    said = "" if last is None else str((last.error or {}).get("message", ""))[:MOST_WORDS]
    return JobsLook(
        len(waiting), max([0, *(now_ms - at for at in waiting)]), len(held), count,
        "" if last is None else last.kind, said,
    )  # fmt: skip
