"""Connections to the two databases, set up so that waiting ends and nothing acknowledged is lost.

Enters: an address and how long to wait for others. Leaves: SQLAlchemy engines. It does not know the tables.

SQLite: write-ahead log (readers and the one writer do not wait for each other), ``BEGIN IMMEDIATE`` for
writes (a transaction that begins by reading and then writes would meet another such one in a deadlock,
https://www.sqlite.org/lang_transaction.html), foreign keys enforced. PostgreSQL: time limits for statements
and locks, and a connection is tried before it is used again.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from leafsight.errors import StateError
from leafsight.state.addresses import Address
from leafsight.state.limits import json_text
from leafsight.storage import os_errors_translated

WRITES = "leafsight_writes"
LOSABLE = "leafsight_losable"
STATEMENT_TIMEOUT_S = 30.0
MOST_CONNECT_TIMEOUT_S = 10
MAX_CONNECTIONS = 10
WAL_BYTES = 64 * 1024 * 1024


def make_engine(address: Address, *, busy_timeout_s: float, pooled: bool = True) -> Engine:
    """An engine for ``address``; nothing is opened yet, but the folder of a SQLite file is made.

    Args:
        address: where.
        busy_timeout_s: longest wait for a lock or a free connection, in seconds.
        pooled: keep connections open for the next use.

    Raises:
        PermissionDeniedError, DiskFullError, StorageError: the folder or file cannot be made.
    """
    words: dict[str, Any] = {"json_serializer": json_text, "hide_parameters": True}
    if not pooled:
        words["poolclass"] = NullPool
    else:
        words |= {"pool_size": MAX_CONNECTIONS, "max_overflow": 0, "pool_timeout": busy_timeout_s}
    if address.kind == "sqlite":
        _make_private_file(address.path)
        engine = create_engine(address.url, **words, connect_args={"timeout": busy_timeout_s})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # libpq takes whole seconds, and less than two as two
    wait_s = min(max(2, math.ceil(busy_timeout_s)), MOST_CONNECT_TIMEOUT_S)
    arguments = {
        "connect_timeout": wait_s,
        "keepalives_idle": 30,
        "tcp_user_timeout": wait_s * 1000,
        "application_name": "leafsight",
    }
    engine = create_engine(address.url, **words, pool_pre_ping=pooled, connect_args=arguments)
    event.listen(engine, "connect", _PostgresqlSetUp(busy_timeout_s))
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _set_up_sqlite(connection: Any, record: Any) -> None:
    # sqlite3 would begin transactions by itself, and late; ours begin in _begin_sqlite
    connection.isolation_level = None
    for pragma in (
        "foreign_keys=ON",
        f"journal_size_limit={WAL_BYTES}",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


class _PostgresqlSetUp:
    def __init__(self, busy_timeout_s: float) -> None:
        self._lines = (
            f"SET lock_timeout = {round(busy_timeout_s * 1000)}",
            f"SET statement_timeout = {round(STATEMENT_TIMEOUT_S * 1000)}",
            f"SET idle_in_transaction_session_timeout = {round(STATEMENT_TIMEOUT_S * 1000)}",
        )

    def __call__(self, connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            for line in self._lines:
                cursor.execute(line)
        connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    words = connection.get_execution_options()
    # Past SQLAlchemy, whose care around a statement would take longer than these do.
    driver = connection.connection.driver_connection
    assert driver is not None
    if not words.get(WRITES):
        driver.execute("BEGIN")
        return
    # The level may be set only between transactions, and stays with the connection until it is set again.
    driver.execute(f"PRAGMA synchronous={'NORMAL' if words.get(LOSABLE) else 'FULL'}")
    driver.execute("BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(LOSABLE):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


def _make_private_file(path: Path) -> None:
    """Make an empty file that others cannot read, unless there is one; SQLite gives its mode to the log."""
    with os_errors_translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def use_write_ahead_log(address: Address, *, busy_timeout_s: float) -> None:
    """Switch a SQLite file to the write-ahead log, for good; needs a moment without other users.

    Raises:
        StateError: the file system cannot do it.
        sqlite3.OperationalError: others did not leave such a moment.
    """
    deadline_s = time.monotonic() + busy_timeout_s
    connection = sqlite3.connect(address.path, timeout=busy_timeout_s, isolation_level=None)
    try:
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                # Switching does not always wait (https://www.sqlite.org/wal.html), and two servers may meet.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.01)
    finally:
        connection.close()
    if mode != "wal":
        raise StateError(
            f"{address} cannot use a write-ahead log here",
            hint="put it on a local disk, not on a network share",
        )
