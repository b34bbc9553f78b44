"""Looking after a database: what is in it, what time it has, and removing what is old.

Enters: an open state. Leaves: counts and sizes. It does not know photographs; it names those to be removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, func, select, text

from leafsight.state.opening import State
from leafsight.state.records import Pruned
from leafsight.state.tables import ANSWERS, METADATA, PREDICTIONS, USAGE

SHORT_LIVED_MS = 2 * 86_400_000


@dataclass(frozen=True, slots=True)
class Description:
    """What a database is and holds.

    Attributes:
        kind: which of the two.
        where: its address for people, without the password.
        revision: of its tables.
        rows: by table.
        size_bytes: on disk, the log included.
    """

    kind: Literal["sqlite", "postgresql"]
    where: str
    revision: str
    rows: Mapping[str, int]
    size_bytes: int


def describe(state: State) -> Description:
    """Count all rows; on a large database this takes a while.

    Raises:
        StateBusyError, StateError: see ``Database``.
    """
    address = state.database.address
    with state.database.reading(one_moment=True) as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
        }
        revision = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
        if address.kind == "postgresql":
            sized = text("SELECT pg_database_size(current_database())")
            size_bytes = int(connection.execute(sized).scalar_one())
        else:
            parts = [Path(f"{address.path}{suffix}") for suffix in ("", "-wal")]
            size_bytes = sum(part.stat().st_size for part in parts if part.exists())
    where = str(address).removeprefix("the database ")
    return Description(address.kind, where, revision, rows, size_bytes)


def has_predictions_between(state: State, from_ms: int, until_ms: int) -> bool:
    """Whether any prediction was made in a window, milliseconds since 1970 in UTC; its end is not in it.

    Raises:
        StateBusyError, StateError: see ``Database``.
    """
    made = PREDICTIONS.c.created_ms
    one = select(made).where(made >= from_ms, made < until_ms).limit(1)
    with state.database.reading() as connection:
        return connection.execute(one).first() is not None


def database_clock_ms(state: State) -> int:
    """What the clock of the database says, in milliseconds: that of its server, or ours for a file.

    Raises:
        StateBusyError, StateError: see ``Database``.
    """
    if state.database.is_sqlite:
        return state.now()
    with state.database.reading() as connection:
        seconds = connection.execute(text("SELECT extract(epoch FROM now())")).scalar_one()
    return int(seconds * 1000)


def prune(state: State, before_ms: int) -> Pruned:
    """Remove predictions that are older, and of usage and kept answers all beyond two days.

    Never removed: corrections and contributions, the predictions that they are about, declared classes,
    marks, uploads, jobs, keys, secrets.

    Args:
        state: open.
        before_ms: milliseconds since 1970 in UTC.

    Returns:
        How many rows, and the stored photographs to remove.

    Raises:
        StateBusyError, StateError: see ``Database``; what was removed until then stays removed.
    """
    found = state.predictions.prune(before_ms)
    shadows = found.rows["shadows"] + state.shadows.prune(before_ms)
    short_lived = state.now() - SHORT_LIVED_MS
    with state.database.writing(losable=True) as connection:
        usage = connection.execute(delete(USAGE).where(USAGE.c.start_ms < short_lived)).rowcount
        answers = connection.execute(delete(ANSWERS).where(ANSWERS.c.started_ms < short_lived)).rowcount
    rows = {**found.rows, "shadows": shadows, "usage": usage, "answers": answers}
    return Pruned(rows, found.blobs)
