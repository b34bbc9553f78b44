"""One open database: transactions for reading and for writing.

Enters: an address. Leaves: connections inside a transaction, one for each thread that asks, and errors of
ours. It does not know the tables or what is asked of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from leafsight.errors import StateError
from leafsight.state.addresses import Address
from leafsight.state.engines import LOSABLE, WRITES, make_engine
from leafsight.state.trouble import translated

GONE = "put the file back, or start the service again"


class Database:
    """Connections to one database; may be used by many threads, and after a fork.

    Args:
        address: where.
        busy_timeout_s: longest wait for a lock or a free connection, in seconds.
        pooled: keep connections open for the next use.
    """

    def __init__(self, address: Address, *, busy_timeout_s: float, pooled: bool = True) -> None:
        self.address = address
        self._engine = make_engine(address, busy_timeout_s=busy_timeout_s, pooled=pooled)
        self._kept = self._engine.execution_options(**{WRITES: True})
        self._losable = self._engine.execution_options(**{WRITES: True, LOSABLE: True})
        self._frozen = self._engine
        if address.kind == "postgresql":
            self._frozen = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._process = os.getpid()
        self._file = _file_number(address)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; else it is PostgreSQL."""
        return self.address.kind == "sqlite"

    @contextmanager
    def reading(self, *, one_moment: bool = False) -> Iterator[Connection]:
        """A connection to read with.

        Args:
            one_moment: every statement sees the database as it was at the first one. SQLite always does so.

        Raises:
            StateBusyError, StateError: see ``translated``.
        """
        engine = self._own(self._frozen if one_moment else self._engine)
        with translated(str(self.address)), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, losable: bool = False) -> Iterator[Connection]:
        """A connection whose changes are all there after the block, or none of them.

        Args:
            losable: a power cut may take away the last moments of this, for which nobody has to wait for the
                disk; of PostgreSQL so may a crash of its own, though not one of this process. What a person
                sent, and what somebody was told is kept, is never losable.

        Raises:
            StateBusyError, StateError, ConflictError, NotFoundError: see ``translated``.
        """
        engine = self._own(self._losable if losable else self._kept)
        with translated(str(self.address)), engine.begin() as connection:
            yield connection

    def _own(self, engine: Engine) -> Engine:
        # A connection must not be used by two processes; the parent's is left to the parent.
        if os.getpid() != self._process:
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return engine

    def check(self) -> None:
        """Ask the database for something small.

        Raises:
            StateBusyError, StateError: it does not answer; or its file is not the one that was opened, so
                that all that is written now would be lost.
        """
        if self._file != _file_number(self.address):
            raise StateError(f"{self.address} was taken away or replaced while in use", hint=GONE)
        with self.reading() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()

    def close(self) -> None:
        """Close every connection; SQLite then empties its log into the file."""
        self._engine.dispose()


def _file_number(address: Address) -> tuple[int, int] | None:
    if address.kind != "sqlite":
        return None
    try:
        found = address.path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)
