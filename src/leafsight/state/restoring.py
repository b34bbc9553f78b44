"""A backup read into a database, of either kind.

Enters: a backup file and an address. Leaves: a database with the rows of the backup, all of them or as it was
before. It does not know how backups are made (``backing_up``, ``dumps``).

The backup is first read into a temporary SQLite file, checked, and brought to the newest revision there. Only
then the database is touched, in one transaction. Secrets of the database stay, and none is ever taken from a
file: whoever made the file would know it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, delete, func, insert, select, text

from leafsight.errors import ConflictError, NotFoundError, StateError
from leafsight.state.addresses import Address
from leafsight.state.backing_up import WAIT_S, copy_sqlite, stamp
from leafsight.state.database import Database
from leafsight.state.dumps import ROWS_AT_ONCE, DumpFile, unpacked
from leafsight.state.ids import clock_ms
from leafsight.state.migrating import current_revision, migrate
from leafsight.state.tables import CARRIED, SECRETS, checked
from leafsight.storage import os_errors_translated

SQLITE_MAGIC, GZIP_MAGIC = b"SQLite format 3\x00", b"\x1f\x8b"
NOT_FROM_FILES = ("alembic_version", SECRETS.name)


@dataclass(frozen=True, slots=True)
class Restored:
    """Rows by table; and where a damaged database was moved, or None."""

    rows: dict[str, int]
    moved_to: Path | None = None


def restore(file: Path, url: str, *, force: bool = False, now: Callable[[], int] = clock_ms) -> Restored:
    """Put the rows of a backup into a database.

    Args:
        file: what ``backup`` made.
        url: an address, see ``Address``; the database is made when it is not there.
        force: replace what the database holds. A damaged SQLite file is moved aside, never deleted.
        now: the clock, milliseconds since 1970 in UTC.

    Raises:
        UsageError: the address cannot be read.
        ConflictError: the database is not empty, and not ``force``.
        StateError: the file is no backup, damaged, or from a newer leafsight; or the database cannot be used.
        StateBusyError: the database does not answer.
        DiskFullError, PermissionDeniedError, StorageError: a file cannot be read or written.
    """
    address = Address(url)
    with os_errors_translated(file), file.open("rb") as opened:
        magic = opened.read(len(SQLITE_MAGIC))
    beside = address.path.parent if address.kind == "sqlite" else None
    with _temporary_folder(beside) as folder:
        staged = folder / "staged.db"
        if magic == SQLITE_MAGIC:
            _stage_sqlite(file, staged)
        elif magic.startswith(GZIP_MAGIC):
            _stage_dump(file, staged)
        else:
            raise StateError(f"{file} is no backup of leafsight", hint="make one with: leafsight db backup")
        migrate(_sqlite_url(staged))
        moved_to = _move_aside(address, now()) if force and _is_damaged(address) else None
        migrate(url)
        return Restored(_copy(staged, address, force=force), moved_to)


@contextmanager
def _temporary_folder(beside: Path | None) -> Iterator[Path]:
    if beside is not None:
        with os_errors_translated(beside):
            beside.mkdir(parents=True, exist_ok=True)
    with (
        os_errors_translated(beside or Path(tempfile.gettempdir())),
        tempfile.TemporaryDirectory(prefix=".leafsight-restore-", dir=beside) as name,
    ):
        yield Path(name)


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _stage_sqlite(file: Path, staged: Path) -> None:
    copy_sqlite(file, file, staged)
    database = Database(Address(_sqlite_url(staged)), busy_timeout_s=WAIT_S, pooled=False)
    try:
        if current_revision(database) is None:
            raise StateError(f"{file} is no backup of leafsight", hint="make one with: leafsight db backup")
    finally:
        database.close()


def _stage_dump(file: Path, staged: Path) -> None:
    dump = DumpFile(file)
    migrate(_sqlite_url(staged), to=dump.revision)
    database = Database(Address(_sqlite_url(staged)), busy_timeout_s=WAIT_S, pooled=False)
    try:
        with database.writing(losable=True) as connection:
            # as they were at that revision, not as ``tables`` has them now
            old = MetaData()
            old.reflect(connection)
            for name, row in dump.rows():
                if name not in old.tables or name in NOT_FROM_FILES:
                    raise StateError(f"{file} has rows of an unknown table", hint="use another backup")
                connection.execute(insert(old.tables[name]), unpacked(old.tables[name], row, file))
    except (ConflictError, NotFoundError) as error:
        raise StateError(
            f"{file} has rows that do not belong together: {error.message}", hint="use another backup"
        ) from error
    finally:
        database.close()


def _copy(staged: Path, address: Address, *, force: bool) -> dict[str, int]:
    source = Database(Address(_sqlite_url(staged)), busy_timeout_s=WAIT_S, pooled=False)
    target = Database(address, busy_timeout_s=WAIT_S, pooled=False)
    try:
        with source.reading() as old, target.writing() as new:
            _hold_all(new, address)
            if any(_count(new).values()):
                if not force:
                    raise ConflictError(
                        f"{address} is not empty",
                        hint="back it up, then use --force to replace what it holds",
                    )
                for table in reversed(CARRIED):
                    new.execute(delete(table))
            for table in CARRIED:
                rows = old.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings()
                for some in rows.partitions(ROWS_AT_ONCE):
                    new.execute(insert(table), [checked(table, dict(row)) for row in some])
            return _count(new)
    finally:
        source.close()
        target.close()


def _hold_all(connection: Connection, address: Address) -> None:
    """Keep other writers out until the end; SQLite has done so already."""
    if address.kind == "postgresql":
        names = ", ".join(table.name for table in CARRIED)
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _count(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in CARRIED
    }


def _is_damaged(address: Address) -> bool:
    if address.kind != "sqlite" or not address.path.is_file():
        return False
    try:
        with closing(sqlite3.connect(address.path, timeout=WAIT_S)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _move_aside(address: Address, at_ms: int) -> Path:
    aside = address.path.with_name(f"{address.path.name}.damaged-{stamp(at_ms)}")
    with os_errors_translated(aside):
        for suffix in ("-wal", "-shm", ""):  # the log first: without its file it would meet the new one
            part = Path(f"{address.path}{suffix}")
            if part.exists():
                part.rename(f"{aside}{suffix}")
    return aside
