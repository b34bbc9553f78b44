"""Corrections: what people say the photographs really show.

Enters and leaves: records. It does not know who may correct, nor which classes there are.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, select

from leafsight.errors import NotFoundError
from leafsight.state.database import Database
from leafsight.state.ids import is_id
from leafsight.state.jobs import add_job
from leafsight.state.paging import PAGE, read_page
from leafsight.state.records import CorrectionRecord, JobRecord, Page, values_of
from leafsight.state.tables import CORRECTIONS, checked


class Corrections:
    """What people said about predictions. Nothing here is ever pruned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: CorrectionRecord, job: JobRecord | None = None) -> None:
        """Keep a correction, and the job that learns from it: both, or neither.

        Raises:
            NotFoundError: there is no such prediction.
            UsageError: a value does not fit, such as a note of more than 2000 characters.
            ConflictError: the id is there already.
            StateBusyError, StateError: see ``Database``.
        """
        row = values_of(record)
        row["is_right"] = row.pop("right")
        values = checked(CORRECTIONS, row)
        try:
            with self._database.writing() as connection:
                connection.execute(insert(CORRECTIONS), values)
                if job is not None:
                    add_job(connection, job)
        except NotFoundError as error:
            raise NotFoundError(
                "there is no prediction with this id", hint="it may have been pruned"
            ) from error

    def of(self, prediction_id: str) -> tuple[CorrectionRecord, ...]:
        """The corrections of one prediction, oldest first; empty when there are none.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        if not is_id(prediction_id):
            return ()
        wanted = select(CORRECTIONS).where(CORRECTIONS.c.prediction_id == prediction_id)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(CORRECTIONS.c.id)).all()
        return tuple(_record(row) for row in rows)

    def page(self, after: str | None = None, limit: int = PAGE) -> Page[CorrectionRecord]:
        """Records, newest first; see ``read_page``."""
        return read_page(self._database, CORRECTIONS, _record, after, limit)

    def counts(self, since_ms: int) -> dict[str, int]:
        """How many since a moment said that the prediction was ``right``, and how many ``wrong``.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        wanted = select(CORRECTIONS.c.is_right, func.count()).where(CORRECTIONS.c.created_ms >= since_ms)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.group_by(CORRECTIONS.c.is_right)).all()
        found = {bool(is_right): int(many) for is_right, many in rows}
        return {"right": found.get(True, 0), "wrong": found.get(False, 0)}


def _record(row: Row[Any]) -> CorrectionRecord:
    values = dict(row._mapping)
    return CorrectionRecord(right=values.pop("is_right"), **values)
