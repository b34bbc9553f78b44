"""Contributions: photographs with a class that people gave for learning from, and what became of each.

Enters: records, and decisions about them. Leaves: records, counts, and long rows of records that are never in
memory at once. It does not know photographs, who may decide, nor which classes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, Row, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from leafsight.errors import NotFoundError, UsageError
from leafsight.state.contribution_rows import (
    ANY_FINDING,
    LIGHT,
    embedding_values,
    finding_values,
    group_values,
    look_alike_of,
    record_of,
    row_of,
    wanted,
)
from leafsight.state.database import Database
from leafsight.state.deciding import decided
from leafsight.state.ids import ID_CHARS
from leafsight.state.learning_records import CONTRIBUTION_STATES, ContributionRecord, LookAlike
from leafsight.state.paging import PAGE, read_one, read_page
from leafsight.state.records import Page
from leafsight.state.tables import CONTRIBUTIONS, checked

AT_ONCE = 500
"""Rows of one statement: below the least number of variables that either database takes."""
NEWEST = "f" * ID_CHARS
"""No id is above it."""
_One = TypeVar("_One")


class Contributions:
    """What people gave for learning from. Nothing here is ever pruned.

    Args:
        database: open.
        now: milliseconds since 1970 in UTC.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def add_many(self, records: Sequence[ContributionRecord]) -> tuple[str, ...]:
        """Keep records, all or none of them; what is there already is left as it is.

        There already is one of the same id, of the same upload and name, or of the same prediction. So a job
        that is begun again adds nothing twice. Others wait meanwhile: some thousand at a time are enough.

        Returns:
            The ids of those that were added.

        Raises:
            UsageError: a value does not fit; the message names it.
            NotFoundError: there is no such upload or prediction.
            StateBusyError, StateError: see ``Database``.
        """
        rows = sorted((row_of(record) for record in records), key=_order)
        make = sqlite.insert if self._database.is_sqlite else postgresql.insert
        new = make(CONTRIBUTIONS).on_conflict_do_nothing().returning(CONTRIBUTIONS.c.id)
        added: set[str] = set()
        with self._database.writing() as connection:
            for start in range(0, len(rows), AT_ONCE):
                added.update(connection.execute(new, rows[start : start + AT_ONCE]).scalars())
        return tuple(record.id for record in records if record.id in added)

    def get(self, contribution_id: str) -> ContributionRecord | None:
        """The record with this id; None when there is none.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        row = read_one(self._database, CONTRIBUTIONS, contribution_id)
        return None if row is None else record_of(row)

    def page(
        self,
        after: str | None = None,
        limit: int = PAGE,
        *,
        state: str | None = None,
        upload_id: str | None = None,
        label: str | None = None,
        key_id: str | None = None,
        finding: str | None = None,
    ) -> Page[ContributionRecord]:
        """Records, newest first; see ``read_page``.

        ``finding`` is the kind of a finding; ``any`` asks for those with some, ``none`` for those without.
        """
        only = wanted(state=state, upload_id=upload_id, label=label, key_id=key_id, finding=finding)
        # In so many words, as SQLite else does not take the index of a class that is asked for.
        after = NEWEST if after is None else after
        return read_page(self._database, CONTRIBUTIONS, record_of, after, limit, only=only)

    def ids(
        self,
        *,
        state: str | None = None,
        upload_id: str | None = None,
        label: str | None = None,
        key_id: str | None = None,
        finding: str | None = None,
    ) -> Iterator[str]:
        """The ids of all records of which this holds (as ``page``), oldest first, some hundred at a time."""
        only = wanted(state=state, upload_id=upload_id, label=label, key_id=key_id, finding=finding)
        return self._all((CONTRIBUTIONS.c.id,), only, lambda row: str(row.id))

    def counts(self, *, key_id: str | None = None) -> dict[str, Any]:
        """How many there are, of one key or all.

        Returns:
            ``states``: by state, those without any left out; ``labels``: label -> by state, sorted by label;
            ``doubtful``: how many wait with a finding.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        only = wanted(key_id=key_id)
        # One sum for each state, not groups by class and state: the index is in the order of classes.
        each = [func.sum(case((CONTRIBUTIONS.c.state == one, 1), else_=0)) for one in CONTRIBUTION_STATES]
        by_label = select(CONTRIBUTIONS.c.label, *each).where(only).group_by(CONTRIBUTIONS.c.label)
        doubtful = select(func.count()).where(only, wanted(state="waiting", finding=ANY_FINDING))
        with self._database.reading(one_moment=True) as connection:
            rows = sorted(tuple(row) for row in connection.execute(by_label))
            doubts = int(connection.execute(doubtful.select_from(CONTRIBUTIONS)).scalar_one())
        labels = {label: _without_none(map(int, many)) for label, *many in rows}
        states = _without_none(
            sum(one.get(state, 0) for one in labels.values()) for state in CONTRIBUTION_STATES
        )
        return {"states": states, "labels": labels, "doubtful": doubts}

    def decide(
        self,
        ids: Sequence[str],
        state: str,
        *,
        label: str | None = None,
        by: str = "",
        reason: str = "",
    ) -> tuple[ContributionRecord, ...]:
        """Accept, reject, or let wait again: all of them, or none. Any state may follow any other.

        One that has this state and label already is left as it is, with the time and the reason of the
        decision that made it so.

        Args:
            ids: at most 10,000.
            state: ``waiting``, ``accepted`` or ``rejected``.
            label: what they are to be learned as; None leaves each as it is.
            by: who decided.
            reason: why.

        Returns:
            The records after, in the order of ``ids``.

        Raises:
            NotFoundError: there is none of one of these ids; the message names the first.
            UsageError: a value does not fit, or there are too many ids.
            StateBusyError, StateError: see ``Database``.
        """
        return decided(self._database, ids, state, label=label, by=by, reason=reason, now_ms=self._now())

    def annotate(
        self,
        contribution_id: str,
        *,
        findings: Sequence[Mapping[str, Any]] | None = None,
        embedding: np.ndarray | None = None,
        embedded_by: str | None = None,
        group_id: str | None = None,
    ) -> ContributionRecord:
        """Say what was found about one later; what is None stays.

        A power cut may lose the last moments of it: whoever found it can find it again.

        Args:
            contribution_id: which.
            findings: in place of the ones before.
            embedding: float16 ``[d]``, together with ``embedded_by``.
            embedded_by: the backbone that made it.
            group_id: the first contribution of those that show the same.

        Raises:
            NotFoundError: there is no such contribution.
            UsageError: a value does not fit, or one of the two about the embedding is missing.
            StateBusyError, StateError: see ``Database``.
        """
        values: dict[str, Any] = {} if findings is None else finding_values(findings)
        if (embedding is None) != (embedded_by is None):
            raise UsageError("an embedding and embedded_by belong together", hint="give both, or neither")
        if embedding is not None and embedded_by is not None:
            values |= embedding_values(embedding, embedded_by)
        if group_id is not None:
            values |= group_values(group_id)
        values = checked(CONTRIBUTIONS, values)
        this = CONTRIBUTIONS.c.id == contribution_id
        with self._database.writing(losable=True) as connection:
            if values:
                connection.execute(update(CONTRIBUTIONS).where(this).values(**values))
            row = connection.execute(select(CONTRIBUTIONS).where(this)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no contribution {contribution_id[:40]}", hint="check the id")
        return record_of(row)

    def accepted_since(self, since_ms: int) -> int:
        """How many of those that are accepted now were decided about at or after a moment.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        only = (CONTRIBUTIONS.c.state == "accepted", CONTRIBUTIONS.c.decided_ms >= since_ms)
        with self._database.reading() as connection:
            found = connection.execute(select(func.count()).select_from(CONTRIBUTIONS).where(*only))
            return int(found.scalar_one())

    def all_accepted(self) -> Iterator[ContributionRecord]:
        """Every accepted record, in the order of ids.

        Some hundred at a time, each time as the database is then: nobody waits while they are read, and what
        is decided meanwhile may be seen or not.

        Raises:
            StateBusyError, StateError: see ``Database``; at any record.
        """
        return self._all(tuple(CONTRIBUTIONS.c), wanted(state="accepted"), record_of)

    def of_upload(self, upload_id: str) -> Iterator[ContributionRecord]:
        """Every record of one upload, in the order of ids; read as ``all_accepted``."""
        return self._all(tuple(CONTRIBUTIONS.c), wanted(upload_id=upload_id), record_of)

    def look_alikes(self) -> Iterator[LookAlike]:
        """Of every record what tells whether another shows the same; read as ``all_accepted``."""
        return self._all(LIGHT, wanted(), look_alike_of)

    def _all(
        self,
        columns: Sequence[ColumnElement[Any]],
        only: ColumnElement[bool],
        made: Callable[[Row[Any]], _One],
    ) -> Iterator[_One]:
        last = ""
        some = select(*columns).where(only).order_by(CONTRIBUTIONS.c.id).limit(AT_ONCE)
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(some.where(CONTRIBUTIONS.c.id > last)).all()
            yield from map(made, rows)
            if len(rows) < AT_ONCE:
                return
            last = rows[-1].id


def _without_none(many: Iterable[int]) -> dict[str, int]:
    return {state: count for state, count in zip(CONTRIBUTION_STATES, many, strict=True) if count}


def _order(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for all who add the same ones: they wait for each other, in no deadlock."""
    return (row["upload_id"] or "", row["prediction_id"] or "", row["name"], row["id"])
