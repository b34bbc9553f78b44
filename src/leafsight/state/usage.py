"""Usage: how much each key asked for in this minute and on this day.

Enters: a key, a window, an amount, the time. Leaves: the total of the window. It does not know limits.
Windows begin at full minutes and days of UTC.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from leafsight.state.database import Database
from leafsight.state.tables import USAGE, checked

WINDOWS_MS = {"minute": 60_000, "day": 86_400_000}


class Usage:
    """How much each key asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    def count(self, key_id: str | None, window: Literal["minute", "day"], amount: int, now_ms: int) -> int:
        """Add to the window that ``now_ms`` is in.

        One statement, so that many processes may count at once. A power cut may lose the last moments.

        Args:
            key_id: whose; None for those without a key, or any other name for whom to count.
            window: which length.
            amount: 0 or more; with 0 nothing is written.
            now_ms: milliseconds since 1970 in UTC.

        Returns:
            The total of the window, this amount included.

        Raises:
            UsageError: the amount is negative or far too large.
            StateBusyError, StateError: see ``Database``.
        """
        start_ms = now_ms - now_ms % WINDOWS_MS[window]
        row = checked(USAGE, {"key_id": key_id or "", "span": window, "start_ms": start_ms, "amount": amount})
        if amount == 0:
            same = [USAGE.c[name] == row[name] for name in ("key_id", "span", "start_ms")]
            with self._database.reading() as connection:
                return connection.execute(select(USAGE.c.amount).where(*same)).scalar_one_or_none() or 0
        with self._database.writing(losable=True) as connection:
            return int(connection.execute(self._upsert(row)).scalar_one())

    def _upsert(self, row: dict[str, Any]) -> Insert:
        new = self._insert(USAGE).values(**row)
        added: Insert = new.on_conflict_do_update(
            index_elements=["key_id", "span", "start_ms"],
            set_={"amount": USAGE.c.amount + new.excluded.amount},
        ).returning(USAGE.c.amount)
        return added
