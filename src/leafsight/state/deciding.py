"""Decisions about contributions: all that are asked for, or none.

Enters: ids and what is to become of them. Leaves: the records after. It does not know who may decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from leafsight.errors import NotFoundError, UsageError
from leafsight.state.contribution_rows import check_state, record_of
from leafsight.state.database import Database
from leafsight.state.ids import is_id
from leafsight.state.learning_records import ContributionRecord
from leafsight.state.tables import CONTRIBUTIONS, checked

MOST_DECIDED = 10_000
AT_ONCE = 500
"""Ids in one statement: below the least number of variables that either database takes."""


def decided(
    database: Database,
    ids: Sequence[str],
    state: str,
    *,
    label: str | None,
    by: str,
    reason: str,
    now_ms: int,
) -> tuple[ContributionRecord, ...]:
    """See ``Contributions.decide``."""
    check_state(state)
    if len(ids) > MOST_DECIDED:
        raise UsageError(f"{len(ids)} decisions are too many at once, the most is {MOST_DECIDED}")
    values = {"state": state, "decided_ms": now_ms, "decided_by": by, "reason": reason}
    values = checked(CONTRIBUTIONS, values if label is None else {**values, "label": label})
    found: dict[str, ContributionRecord] = {}
    # In the order of their ids: two who decide about the same ones wait for each other, in no deadlock.
    known = sorted({one for one in ids if is_id(one)})
    with database.writing() as connection:
        for start in range(0, len(known), AT_ONCE):
            found |= _changed(connection, known[start : start + AT_ONCE], values)
        for one in ids:
            if one not in found:
                raise NotFoundError(f"there is no contribution {one[:40]}", hint="check the id")
    return tuple(found[one] for one in ids)


def _changed(
    connection: Connection, ids: Sequence[str], values: Mapping[str, Any]
) -> dict[str, ContributionRecord]:
    """Change those of ``ids`` that are to change; all of them that there are, after."""
    columns = CONTRIBUTIONS.c
    these = columns.id.in_(ids)
    connection.execute(select(columns.id).where(these).order_by(columns.id).with_for_update())
    other = columns.state != values["state"]
    if "label" in values:
        other |= columns.label != values["label"]
    connection.execute(update(CONTRIBUTIONS).where(these, other).values(**values))
    rows = connection.execute(select(CONTRIBUTIONS).where(these))
    return {row.id: record_of(row) for row in rows}
