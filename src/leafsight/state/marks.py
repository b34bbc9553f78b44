"""Marks: small facts by name that all processes on one database share, such as when the last retraining was.

Enters: a name and a value. Leaves: the value that was put last. It does not know what a mark means.

A mark may be put only if it is still what the caller read before, so that of two who act on the same fact
one does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from leafsight.errors import UsageError
from leafsight.state.database import Database
from leafsight.state.limits import json_text
from leafsight.state.tables import MARKS, checked

MAX_MARK_BYTES = 64 * 1024


class _Whatever:
    """The type of ``WHATEVER``."""


WHATEVER: Final = _Whatever()
"""Any value, or none, may have been there before."""


class Marks:
    """Small facts by name.

    Args:
        database: open.
        now: milliseconds since 1970 in UTC.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    def get(self, name: str) -> Mapping[str, Any] | None:
        """The value that was put last; None when none was.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        wanted = select(MARKS.c.value).where(MARKS.c.name == name)
        with self._database.reading() as connection:
            found: Mapping[str, Any] | None = connection.execute(wanted).scalar_one_or_none()
        return found

    def put(
        self,
        name: str,
        value: Mapping[str, Any],
        *,
        expected: Mapping[str, Any] | _Whatever | None = WHATEVER,
    ) -> bool:
        """Put a value.

        Args:
            name: at most 100 characters.
            value: at most 64 KiB of JSON.
            expected: what must be there now, None for nothing; left out, whatever is there is replaced.

        Returns:
            Whether it was put: false when something else than ``expected`` is there.

        Raises:
            UsageError: the name or the value is too long, or no JSON.
            StateBusyError, StateError: see ``Database``.
        """
        text = json_text(dict(value))
        if len(text) > MAX_MARK_BYTES:
            raise UsageError(f"a mark has {len(text)} bytes of JSON, the most is {MAX_MARK_BYTES}")
        row = checked(MARKS, {"name": name, "updated_ms": self._now(), "value": json.loads(text)})
        with self._database.writing() as connection:
            if expected is None:
                return self._make(connection, row)
            if isinstance(expected, _Whatever):
                return self._make(connection, row) or self._replace(connection, row)
            return _still(connection, name, expected) and self._replace(connection, row)

    def remove(self, name: str, *, expected: Mapping[str, Any] | _Whatever = WHATEVER) -> bool:
        """Take a mark away.

        Args:
            name: which.
            expected: what must be there now; left out, whatever it is.

        Returns:
            Whether it was taken away: false when there is none, or something else than ``expected``.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.writing() as connection:
            if not isinstance(expected, _Whatever) and not _still(connection, name, expected):
                return False
            return connection.execute(delete(MARKS).where(MARKS.c.name == name)).rowcount > 0

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """The names of all marks that begin so, sorted.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        # not LIKE: in SQLite it takes small letters for large ones
        wanted = select(MARKS.c.name).where(func.substr(MARKS.c.name, 1, len(prefix)) == prefix)
        with self._database.reading() as connection:
            return tuple(sorted(connection.execute(wanted).scalars()))

    def _make(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        new = self._insert(MARKS).values(**row).on_conflict_do_nothing().returning(MARKS.c.name)
        return connection.execute(new).first() is not None

    def _replace(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        connection.execute(update(MARKS).where(MARKS.c.name == row["name"]).values(**row))
        return True


def _still(connection: Connection, name: str, expected: Mapping[str, Any]) -> bool:
    """Whether this is what is there, and stays so until the end of the transaction.

    So of two who expect the same only one goes on.
    """
    held = select(MARKS.c.value).where(MARKS.c.name == name).with_for_update()
    found = connection.execute(held).scalar_one_or_none()
    return found is not None and bool(found == json.loads(json_text(dict(expected))))
