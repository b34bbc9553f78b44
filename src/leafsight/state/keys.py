"""Keys: who may ask for what. The secret is shown once and kept only as its hash.

Enters: names, scopes and limits; later a token. Leaves: records, without the secret. It does not know
requests. The secret has 256 random bits, so that one round of SHA-256 is enough: there is nothing to guess,
unlike with passwords (NIST SP 800-63B, 5.1.2.2, asks for no more from 112 bits on).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text, update

from leafsight.errors import NotFoundError, UsageError
from leafsight.state.database import Database
from leafsight.state.ids import is_id, new_id
from leafsight.state.records import SCOPES, KeyRecord, values_of
from leafsight.state.tables import KEYS, checked

PREFIX = "ls"
SECRET_BYTES = 32
TOKEN = re.compile(r"ls_([0-9a-f]{32})_([0-9a-f]{64})")
# Looked up and compared with when a token has not the form of one, so that it takes as long.
NOBODY, NO_SECRET = "0" * 32, "0" * 64


class Keys:
    """Who may do what."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def make(
        self,
        name: str,
        scopes: Sequence[str],
        rate_per_minute: int | None = None,
        photographs_per_day: int | None = None,
    ) -> tuple[KeyRecord, str]:
        """A new key.

        Args:
            name: for people.
            scopes: of ``predict``, ``upload`` and ``admin``, at least one.
            rate_per_minute: most requests in a minute; None for no limit.
            photographs_per_day: most photographs in a day; None for no limit.

        Returns:
            The record, and the token ``ls_<id>_<secret>``, which cannot be had again.

        Raises:
            UsageError: no name, an unknown scope, or a limit below 1.
            StateBusyError, StateError: see ``Database``.
        """
        record, token, row = self._new(name, scopes, rate_per_minute, photographs_per_day)
        with self._database.writing() as connection:
            connection.execute(insert(KEYS), row)
        return record, token

    def make_first(self, name: str, scopes: Sequence[str]) -> tuple[KeyRecord, str] | None:
        """A new key, if there was never one before; of several who ask at once, one gets it.

        Returns:
            As ``make``; None where a key was made before, even if it is revoked.

        Raises:
            UsageError, StateBusyError, StateError: as ``make``.
        """
        record, token, row = self._new(name, scopes)
        with self._database.writing() as connection:
            if not self._database.is_sqlite:  # SQLite lets one write at a time anyway
                connection.execute(text("LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE"))
            if _any(connection):
                return None
            connection.execute(insert(KEYS), row)
        return record, token

    def _new(
        self,
        name: str,
        scopes: Sequence[str],
        rate_per_minute: int | None = None,
        photographs_per_day: int | None = None,
    ) -> tuple[KeyRecord, str, dict[str, Any]]:
        """The record, the token and the row of a key that is not kept yet."""
        if not name.strip():
            raise UsageError("a key needs a name")
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise UsageError(f"there is no scope '{unknown[0]}'", hint=f"scopes are {', '.join(SCOPES)}")
        if not scopes:
            raise UsageError("a key needs a scope", hint=f"scopes are {', '.join(SCOPES)}")
        limits = {"rate_per_minute": rate_per_minute, "photographs_per_day": photographs_per_day}
        for what, limit in limits.items():
            if limit is not None and limit < 1:
                raise UsageError(f"{what} is {limit}, it must be 1 or more", hint="leave it out for no limit")
        secret, now_ms = secrets.token_hex(SECRET_BYTES), self._now()
        record = KeyRecord(
            id=new_id(now_ms),
            name=name,
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            created_ms=now_ms,
            **limits,
        )
        row = {**values_of(record), "scopes": list(record.scopes), "secret_sha256": _sha256(secret)}
        return record, f"{PREFIX}_{record.id}_{secret}", checked(KEYS, row)

    def verify(self, token: str) -> KeyRecord | None:
        """The key of a token; None when it is malformed, unknown, wrong or revoked.

        All four take the same way: one hash, one look-up, one comparison that does not stop early.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        match = TOKEN.fullmatch(token)
        key_id, secret = match.groups() if match else (NOBODY, NO_SECRET)
        given = _sha256(secret)
        with self._database.reading() as connection:
            row = connection.execute(select(KEYS).where(KEYS.c.id == key_id)).one_or_none()
        same = hmac.compare_digest(given, NO_SECRET if row is None else row.secret_sha256)
        return _record(row) if row is not None and same and match and row.revoked_ms is None else None

    def list(self) -> tuple[KeyRecord, ...]:
        """All keys, oldest first, revoked ones included.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            return tuple(_record(row) for row in connection.execute(select(KEYS).order_by(KEYS.c.id)))

    def revoke(self, key_id: str) -> KeyRecord:
        """Let a key open nothing any more, at once; doing it twice is no error and keeps the first time.

        Raises:
            NotFoundError: there is no such key.
            StateBusyError, StateError: see ``Database``.
        """
        this = KEYS.c.id == key_id
        with self._database.writing() as connection:
            if is_id(key_id):
                alive = update(KEYS).where(this, KEYS.c.revoked_ms.is_(None))
                connection.execute(alive.values(revoked_ms=self._now()))
                if (row := connection.execute(select(KEYS).where(this)).one_or_none()) is not None:
                    return _record(row)
        raise NotFoundError("there is no key with this id", hint="see: leafsight keys ls")

    def any(self) -> bool:
        """Whether a key was ever made, revoked or not: revoking the last one must not open the service.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            return _any(connection)


def _any(connection: Connection) -> bool:
    return connection.execute(select(KEYS.c.id).limit(1)).first() is not None


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(row: Row[Any]) -> KeyRecord:
    values = {name: row._mapping[name] for name in KeyRecord.__slots__}
    values["scopes"] = tuple(values["scopes"])
    return KeyRecord(**values)
