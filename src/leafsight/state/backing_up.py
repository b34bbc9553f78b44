"""Backups of a whole database, while it is in use.

Enters: an address, and a folder or file. Leaves: one file that was not there before, whole or not at all; no
secrets are in it. It does not know how it is read again (``restoring``), nor anything of photographs: they
are backed up with the tools of their folder or bucket.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from leafsight.errors import NotFoundError, StateError, UsageError
from leafsight.state.addresses import Address
from leafsight.state.database import Database
from leafsight.state.dumps import write_dump
from leafsight.state.ids import clock_ms
from leafsight.state.migrating import current_revision
from leafsight.state.private_files import new_private_file
from leafsight.state.tables import REVISION
from leafsight.state.trouble import RESTORE, translated

DUMP_SUFFIX = ".jsonl.gz"
WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Backup:
    """The file and its size in bytes."""

    path: Path
    bytes: int


def backup(url: str, target: Path, *, now: Callable[[], int] = clock_ms) -> Backup:
    """Save a whole database as one file, which ``restore`` reads into either kind of database.

    SQLite is saved as a SQLite file, PostgreSQL as compressed JSON lines; SQLite, too, when the name ends in
    ``.jsonl.gz``. The file is for this user alone: it holds what people sent.

    Args:
        url: an address, see ``Address``.
        target: a folder, where the file is named by the time in UTC, or a file that is not there yet.
        now: the clock, milliseconds since 1970 in UTC.

    Raises:
        UsageError: the address cannot be read, or the name does not end as it must.
        NotFoundError: there is no such SQLite file.
        ConflictError: the file is there already.
        StateError: the database is damaged, empty, or has not been migrated.
        StateBusyError: it does not answer.
        DiskFullError, PermissionDeniedError, StorageError: the file cannot be written.
    """
    address = Address(url)
    if address.kind == "sqlite" and not address.path.is_file():
        raise NotFoundError(f"{address} is not there", hint="check LEAFSIGHT_DATABASE_URL")
    suffix = ".db" if address.kind == "sqlite" else DUMP_SUFFIX
    created_ms = now()
    path = target / f"leafsight-{stamp(created_ms)}{suffix}" if target.is_dir() else target
    is_dump = path.name.endswith(DUMP_SUFFIX)
    if not is_dump and address.kind == "postgresql":
        raise UsageError(f"{path} must end in {DUMP_SUFFIX}", hint="or name a folder")
    with new_private_file(path) as part:
        if is_dump:
            _dump(address, part, created_ms)
        else:
            copy_sqlite(address, address.path, part)
    return Backup(path, path.stat().st_size)


def stamp(at_ms: int) -> str:
    """A time in UTC for a file name: ``20261005-143000``."""
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).strftime("%Y%m%d-%H%M%S")


def copy_sqlite(name: object, source: Path, target: Path) -> None:
    """Copy a SQLite database that may be in use, through SQLite itself, and check the copy.

    The copy is one file without a log beside it, and without the secrets.

    Args:
        name: the database in words for people.
        source: its file.
        target: an empty file.

    Raises:
        StateError: it is damaged, or no SQLite database.
        StateBusyError: somebody holds it.
    """
    with translated(str(name)):
        origin = f"{source.absolute().as_uri()}?mode=rw"
        with (
            closing(sqlite3.connect(origin, uri=True, timeout=WAIT_S)) as old,
            closing(sqlite3.connect(target, timeout=WAIT_S)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE").fetchone()
            _remove_secrets(new)
            found = new.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StateError(f"{name} is damaged: {found}", hint=RESTORE)


def _remove_secrets(copy: sqlite3.Connection) -> None:
    """Overwrite them: a row that is only deleted can still be read in the file."""
    names = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if names >= {"alembic_version", "secrets"}:  # else it is older than they are, or not ours
        copy.execute("PRAGMA journal_mode=MEMORY").fetchone()  # they are in no second file either
        copy.execute("PRAGMA secure_delete=ON").fetchone()
        copy.execute("DELETE FROM secrets")
        copy.commit()


def _dump(address: Address, part: Path, created_ms: int) -> None:
    database = Database(address, busy_timeout_s=WAIT_S, pooled=False)
    try:
        revision = current_revision(database)
        if revision != REVISION:
            state = "is empty" if revision is None else f"has revision {revision}, not {REVISION}"
            raise StateError(f"{address} {state}", hint="run: leafsight db migrate")
        with database.reading(one_moment=True) as connection, part.open("wb") as file:
            write_dump(connection, file, created_ms)
    finally:
        database.close()
