"""Secrets that all processes on one database share, to sign what another of them is to recognise.

Enters: the name of a secret. Leaves: 32 random bytes, the same for everybody who asks by that name. It does
not know what is signed. Unlike the secrets of keys they are kept as they are, since whoever signs needs them;
so they are in no backup (``tables.CARRIED``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from leafsight.state.database import Database
from leafsight.state.tables import SECRETS, checked

SECRET_BYTES = 32


class Secrets:
    """What all processes on one database share, and nobody else knows.

    Args:
        database: open.
        now: milliseconds since 1970 in UTC.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._known: dict[str, bytes] = {}

    def known(self, name: str) -> bytes | None:
        """The secret, when this process has asked for it before; the database is left alone."""
        return self._known.get(name)

    def of(self, name: str) -> bytes:
        """The secret of this name; whoever asks first makes it. The database is asked once a process.

        Raises:
            UsageError: the name is too long.
            StateBusyError, StateError: see ``Database``.
        """
        if (known := self._known.get(name)) is not None:
            return known
        wanted = select(SECRETS.c.value).where(SECRETS.c.name == name)
        with self._database.reading() as connection:
            found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            row = {"name": name, "created_ms": self._now(), "value": secrets.token_bytes(SECRET_BYTES)}
            make = sqlite.insert if self._database.is_sqlite else postgresql.insert
            new = make(SECRETS).values(**checked(SECRETS, row)).on_conflict_do_nothing()
            # Not losable: others may go on with it after the database lost its last moments.
            with self._database.writing() as connection:
                connection.execute(new)
                found = connection.execute(wanted).scalar_one()
        self._known[name] = bytes(found)
        return self._known[name]
