"""What went wrong in the database, in our words.

Enters: exceptions of SQLAlchemy, sqlite3 and psycopg. Leaves: one of our errors, with what to do. It does not
know what was asked of the database.

The codes: https://www.sqlite.org/rescode.html and
https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from leafsight.errors import (
    ConflictError,
    LeafsightError,
    NotFoundError,
    StateBusyError,
    StateError,
    StateFullError,
)

AGAIN = "try again in a moment"
RESTORE = "stop the service and restore a backup: leafsight db restore FILE --force"
FREE = "free some space; what was saved before is untouched"

FOREIGN_KEY_CODES = {sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, "23503"}
# Connections refused or lost, statements cancelled, locks not had, deadlocks, no connection or memory left.
BUSY_STATES = ("08", "57P", "57014", "55P03", "40", "53300", "53200")
ACCESS_STATES = ("28", "3D000")
ACCESS_WORDS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn an exception of the database raised inside into one of our errors.

    Args:
        where: the database in words for people, without a password.

    Raises:
        StateBusyError: locked, timed out, connection refused or lost.
        StateFullError: the disk is full.
        StateError: damaged, read-only, not reachable with this address, or anything else.
        ConflictError: a row with this id is there already.
        NotFoundError: a row that is referred to is not there.
        LeafsightError: raised while values were made ready for the database; as it was.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise StateBusyError(f"{where} has no connection free", hint=AGAIN) from error
    except StatementError as error:
        raise our_error(error, where) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise our_error(error, where) from error


def our_error(error: Exception, where: str) -> LeafsightError:
    """The error to raise for ``error``."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(cause, LeafsightError):
        return cause
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause, where)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return _from_postgresql(cause, where, lost=lost)


def _from_sqlite(error: sqlite3.Error, where: str) -> LeafsightError:
    code = getattr(error, "sqlite_errorcode", None) or 0
    if code in FOREIGN_KEY_CODES:
        return _not_there()
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StateBusyError(f"{where} is locked by another process", hint=AGAIN)
        case sqlite3.SQLITE_FULL:
            return _full(where)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(where, error)
        case sqlite3.SQLITE_READONLY:
            return StateError(
                f"{where} cannot be written", hint="check the owner and mode of file and folder"
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StateError(f"{where} cannot be opened", hint="check that the folder exists and is yours")
        case sqlite3.SQLITE_IOERR:
            return StateError(
                f"the disk failed under {where}: {error}", hint="check the disk and its free space"
            )
        case sqlite3.SQLITE_CONSTRAINT:
            return _there_already()
    return StateError(f"{where}: {error}")


def _from_postgresql(error: BaseException, where: str, *, lost: bool) -> LeafsightError:
    code = getattr(error, "sqlstate", None) or ""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if code == "23503":
        return _not_there()
    if code == "23505":
        return _there_already()
    if code == "53100":
        return _full(where)
    if code.startswith("XX00") and code != "XX000":
        return _damaged(where, error)
    if code == "25006":
        return StateError(
            f"{where} is read-only", hint="this may be a stand-by; use the address of the primary"
        )
    if code.startswith(ACCESS_STATES) or (not code and any(word in str(error) for word in ACCESS_WORDS)):
        return StateError(f"{where} does not let us in: {said}", hint="check LEAFSIGHT_DATABASE_URL")
    if lost or code.startswith(BUSY_STATES) or (not code and type(error).__name__ == "OperationalError"):
        return StateBusyError(f"{where} does not answer: {said}", hint=AGAIN)
    return StateError(f"{where}: {said}")


def _full(where: str) -> StateFullError:
    return StateFullError(f"the disk under {where} is full", hint=FREE)


def _damaged(where: str, error: BaseException) -> StateError:
    return StateError(f"{where} is damaged: {error}", hint=RESTORE)


def _not_there() -> NotFoundError:
    return NotFoundError("what this refers to is not there", hint="check the id")


def _there_already() -> ConflictError:
    return ConflictError("a record with this id is there already", hint="make a new id")
