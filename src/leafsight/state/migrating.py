"""The tables brought to what this version of leafsight wants.

Enters: an address. Leaves: a database at the newest revision, whoever else started at the same moment; or an
error when a newer leafsight was there before. It does not know the steps (``migrations``).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from leafsight.errors import StateError
from leafsight.state.addresses import Address
from leafsight.state.database import Database
from leafsight.state.engines import use_write_ahead_log
from leafsight.state.tables import METADATA, REVISION, REVISIONS
from leafsight.state.trouble import translated

# Chosen once, for pg_advisory_xact_lock: "leaf" in ASCII. Others who lock by number must take another one.
LOCK_NUMBER = 0x6C656166
LOCK_WAIT_S = 60.0
STEPS = Path(__file__).parent / "migrations"

# Alembic keeps its context in its module, so that two threads would take each other's.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Migrated:
    """The revision before, None for an empty database, and the revision now."""

    before: str | None
    now: str


def migrate(url: str, *, wait_s: float = LOCK_WAIT_S, to: str = REVISION) -> Migrated:
    """Bring a database to the newest revision; nothing to do when it is there.

    All steps are one transaction: after a failure or a power cut the database is as before.

    Args:
        url: an address, see ``Address``.
        wait_s: longest wait for others who do the same, in seconds.
        to: an older revision, to read an old backup into; only for an empty database.

    Raises:
        UsageError: the address cannot be read.
        StateError: a newer leafsight made this database, or it belongs to another program.
        StateBusyError: it is locked or does not answer.
    """
    address = Address(url)
    database = Database(address, busy_timeout_s=wait_s, pooled=False)
    try:
        before = current_revision(database)
        if before in (to, REVISION):
            return Migrated(before, before)
        if address.kind == "sqlite":
            with translated(str(address)):
                use_write_ahead_log(address, busy_timeout_s=wait_s)
        with database.writing() as connection, _ONE_AT_A_TIME:
            if address.kind == "postgresql":
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})"))
            before = _revision(connection, address)  # another server may have been quicker
            if before not in (to, REVISION):
                _run_steps(connection, to)
        return Migrated(before, to)
    finally:
        database.close()


def current_revision(database: Database) -> str | None:
    """The revision of an open database; None when it is empty.

    Raises:
        StateError: from a newer leafsight, or not ours.
        StateBusyError: it is locked or does not answer.
    """
    with database.reading() as connection:
        return _revision(connection, database.address)


def _revision(connection: Connection, address: Address) -> str | None:
    names = set(inspect(connection).get_table_names())
    if "alembic_version" not in names:
        if taken := names & set(METADATA.tables):
            raise StateError(
                f"{address} has tables of another program: {', '.join(sorted(taken))}",
                hint="give leafsight a database of its own",
            )
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None and found > REVISION:
        raise StateError(
            f"{address} was made by a newer leafsight (revision {found}, this one knows {REVISION})",
            hint="install the newest leafsight: pip install -U leafsight",
        )
    if found not in (None, *REVISIONS):
        raise StateError(
            f"{address} has revision {found}, which leafsight never had",
            hint="give leafsight a database of its own",
        )
    return None if found is None else str(found)


def _run_steps(connection: Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # A percent sign would be read as the beginning of a variable.
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    command.upgrade(config, to)
