"""One page of a table, newest first.

Enters: a table, where the last page ended, and how many rows. Leaves: rows and where this page ends. It does
not know what the rows mean.

The cursor is the id of the last record (https://use-the-index-luke.com/no-offset), so that a page is as quick
deep in the table as at its start, and records that come in meanwhile neither shift nor repeat any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, select

from leafsight.errors import UsageError
from leafsight.state.database import Database
from leafsight.state.ids import is_id
from leafsight.state.limits import check_page
from leafsight.state.records import Page, Record

PAGE = 50


def read_page(
    database: Database,
    table: Table,
    made: Callable[[Row[Any]], Record],
    after: str | None,
    limit: int,
    *,
    only: ColumnElement[bool] | None = None,
) -> Page[Record]:
    """The records before ``after``, newest first.

    Args:
        database: open.
        table: with a column ``id``.
        made: a record from a row.
        after: ``next`` of the page before; None for the first.
        limit: how many, 1..200.
        only: what holds of those that are wanted; None for all.

    Raises:
        UsageError: ``after`` is no cursor, or ``limit`` is out of its range.
        StateBusyError, StateError: see ``Database``.
    """
    check_page(limit)
    if after is not None and not is_id(after):
        raise UsageError("this is no cursor of a page", hint="take it from 'next' of the page before")
    wanted = select(table).order_by(table.c.id.desc()).limit(limit + 1)
    if after is not None:
        wanted = wanted.where(table.c.id < after)
    if only is not None:
        wanted = wanted.where(only)
    with database.reading() as connection:
        rows = connection.execute(wanted).all()
    records = tuple(made(row) for row in rows[:limit])
    return Page(records, rows[limit - 1].id if len(rows) > limit else None)


def read_one(database: Database, table: Table, record_id: str) -> Row[Any] | None:
    """The row with this id; None when there is none, also when it has not the form of an id.

    Raises:
        StateBusyError, StateError: see ``Database``.
    """
    if not is_id(record_id):
        return None
    with database.reading() as connection:
        return connection.execute(select(table).where(table.c.id == record_id)).one_or_none()
