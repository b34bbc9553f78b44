"""Answers kept for idempotency keys: a request that is sent again gets the answer of the first.

Enters: the key that the sender chose, who that is, the route, a hash of the request; later the answer.
Leaves: the answer, or that this request is the first. It does not know HTTP beyond status, headers and body
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from leafsight.errors import ConflictError
from leafsight.state.database import Database
from leafsight.state.records import StoredAnswer
from leafsight.state.tables import ANSWERS, checked

STALE_MS = 60_000


class Answers:
    """The answers of requests with an idempotency key."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def begin(self, key: str, key_id: str | None, route: str, request_sha256: str) -> StoredAnswer | None:
        """Say that a request begins.

        A request that did not end within a minute is taken for lost, and may be done again. That minute is
        counted both ways, as the clock may have gone back.

        Args:
            key: the sender's.
            key_id: whose; keys of two senders never meet, nor those for two routes.
            route: method and path.
            request_sha256: of the body, hex.

        Returns:
            None when the request is to be carried out (then ``finish`` or ``forget``); else its answer.

        Raises:
            ConflictError: the key was used for another request, or the same one is being carried out.
            UsageError: the key has more than 200 characters.
            StateBusyError, StateError: see ``Database``.
        """
        names = {"key": key, "key_id": key_id or "", "route": route, "request_sha256": request_sha256}
        row = checked(ANSWERS, {**names, "started_ms": self._now()})
        this = _this(key, key_id, route)
        make = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.writing() as connection:
            new = make(ANSWERS).values(**row).on_conflict_do_nothing().returning(ANSWERS.c.key)
            if connection.execute(new).first() is not None:
                return None
            # Held until the end, so that of two who find it stale only one goes on.
            found = connection.execute(select(ANSWERS).where(this).with_for_update()).one_or_none()
            if found is None:
                raise ConflictError("this request was given up just now", hint="send it again")
            if found.request_sha256 != request_sha256:
                raise ConflictError(
                    "this idempotency key was used for another request", hint="make a new key"
                )
            if found.status is not None:
                return StoredAnswer(found.status, found.headers or {}, found.body or b"")
            if abs(row["started_ms"] - found.started_ms) <= STALE_MS:
                raise ConflictError("this request is being carried out", hint="ask again in a moment")
            connection.execute(update(ANSWERS).where(this).values(started_ms=row["started_ms"]))
        return None

    def finish(
        self,
        key: str,
        key_id: str | None,
        route: str,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        """Keep the answer; when two carried out the same request, the first answer stays.

        Raises:
            UsageError: the answer is over 8 MiB.
            StateBusyError, StateError: see ``Database``.
        """
        values = checked(ANSWERS, {"status": status, "headers": dict(headers), "body": body})
        unanswered = update(ANSWERS).where(_this(key, key_id, route), ANSWERS.c.status.is_(None))
        with self._database.writing() as connection:
            connection.execute(unanswered.values(**values))

    def forget(self, key: str, key_id: str | None, route: str) -> None:
        """Say that a request failed without an answer to keep, so that it may be sent again at once.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.writing() as connection:
            connection.execute(delete(ANSWERS).where(_this(key, key_id, route), ANSWERS.c.status.is_(None)))


def _this(key: str, key_id: str | None, route: str) -> ColumnElement[bool]:
    return and_(ANSWERS.c.key == key, ANSWERS.c.key_id == (key_id or ""), ANSWERS.c.route == route)
