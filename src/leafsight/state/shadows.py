"""What another model would have answered to the same photographs.

Enters: records, one for each answer. Leaves: how often it agreed with the model that did answer, and how long
it took. It does not know models. Records go when their predictions go.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, not_, select
from sqlalchemy.dialects import postgresql, sqlite

from leafsight.state.database import Database
from leafsight.state.learning_records import ShadowRecord, ShadowSummary
from leafsight.state.records import values_of
from leafsight.state.summing import quantiles
from leafsight.state.tables import PREDICTIONS, SHADOWS, checked

AT_ONCE = 500
DIAGNOSIS = "diagnosis"


class Shadows:
    """Answers that nobody was given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_many(self, records: Sequence[ShadowRecord]) -> None:
        """Keep records; a second answer of the same model to the same prediction is left out.

        A power cut may lose the last moments before it, as nobody but the service made these rows.

        Raises:
            UsageError: a value does not fit; the message names it.
            StateBusyError, StateError: see ``Database``.
        """
        if not records:
            return
        rows = [checked(SHADOWS, values_of(record)) for record in records]
        make = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.writing(losable=True) as connection:
            connection.execute(make(SHADOWS).on_conflict_do_nothing(), rows)

    def summary(self, model_hash: str, since_ms: int) -> ShadowSummary:
        """How one model did since a moment.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading(one_moment=True) as connection:
            return _summed(connection, model_hash, since_ms)

    def of(self, prediction_ids: Sequence[str], model_hash: str) -> dict[str, ShadowRecord]:
        """What one model would have answered to these predictions, by the prediction; absent if unknown.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        found: dict[str, ShadowRecord] = {}
        with self._database.reading() as connection:
            for start in range(0, len(prediction_ids), AT_ONCE):
                these = SHADOWS.c.prediction_id.in_(prediction_ids[start : start + AT_ONCE])
                rows = connection.execute(select(SHADOWS).where(these, SHADOWS.c.model_hash == model_hash))
                found |= {row.prediction_id: ShadowRecord(**row._mapping) for row in rows}
        return found

    def prune(self, before_ms: int) -> int:
        """Remove what is older and whose prediction is not there any more; how many.

        Those whose prediction is there go with it, see ``Predictions.prune``.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        known = select(PREDICTIONS.c.id).where(PREDICTIONS.c.id == SHADOWS.c.prediction_id).exists()
        old = select(SHADOWS.c.id).where(SHADOWS.c.created_ms < before_ms, ~known)
        chosen = old.order_by(SHADOWS.c.created_ms).limit(AT_ONCE)
        removed = 0
        while True:
            with self._database.writing(losable=True) as connection:
                ids = list(connection.execute(chosen).scalars())
                connection.execute(delete(SHADOWS).where(SHADOWS.c.id.in_(ids)))
            removed += len(ids)
            if len(ids) < AT_ONCE:
                return removed


def remove_shadows_of(connection: Connection, prediction_ids: Sequence[str]) -> int:
    """Remove the answers to some predictions, within the transaction that removes those; how many."""
    return connection.execute(delete(SHADOWS).where(SHADOWS.c.prediction_id.in_(prediction_ids))).rowcount


def _summed(connection: Connection, model_hash: str, since_ms: int) -> ShadowSummary:
    shadow, answer = SHADOWS.c, PREDICTIONS.c
    these = and_(shadow.model_hash == model_hash, shadow.created_ms >= since_ms)
    same_class = func.coalesce(answer.class_key, "") == func.coalesce(shadow.class_key, "")
    asked = select(
        shadow.verdict,
        func.count(),
        func.count(answer.id),
        _many(and_(answer.verdict == shadow.verdict, same_class)),
        _many(and_(answer.verdict == DIAGNOSIS, shadow.verdict == DIAGNOSIS, not_(same_class))),
        func.sum(shadow.latency_ms),
        func.max(shadow.latency_ms),
    ).select_from(SHADOWS.outerjoin(PREDICTIONS, answer.id == shadow.prediction_id))
    rows = connection.execute(asked.where(these).group_by(shadow.verdict)).all()
    many = sum(int(row[1]) for row in rows)
    latency_ms = quantiles(connection, shadow.latency_ms, these, many)
    if many:
        latency_ms |= {"mean": sum(row[5] for row in rows) / many, "max": max(row[6] for row in rows)}
    return ShadowSummary(
        model_hash=model_hash,
        since_ms=since_ms,
        photographs=many,
        verdicts={row[0]: int(row[1]) for row in sorted(rows, key=lambda row: (-row[1], row[0]))},
        compared=sum(int(row[2]) for row in rows),
        same=sum(int(row[3]) for row in rows),
        classes_differ=sum(int(row[4]) for row in rows),
        latency_ms=latency_ms,
    )


def _many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
