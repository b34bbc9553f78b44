"""Predictions: put in by the batch, read one by one or by the page, summed up, and removed when old.

Enters: records. Leaves: the same records, counts, and the names of photographs that are not needed any more.
It does not know how a prediction is made, nor where photographs are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, or_, select

from leafsight.errors import UsageError
from leafsight.state.database import Database
from leafsight.state.paging import PAGE, read_one, read_page
from leafsight.state.records import Page, PredictionRecord, Pruned, Summary, values_of
from leafsight.state.samples import (
    MOST_SAMPLED,
    SampledPrediction,
    by_hour,
    first_of,
    sampled,
    stored_photographs,
)
from leafsight.state.shadows import remove_shadows_of
from leafsight.state.summing import summed
from leafsight.state.tables import CONTRIBUTIONS, CORRECTIONS, PREDICTIONS, checked

PRUNED_AT_ONCE = 500
INSERT = insert(PREDICTIONS)


class Predictions:
    """The answers of the model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_many(self, records: Sequence[PredictionRecord]) -> None:
        """Keep records, all or none of them.

        They are there whatever is killed: callers are told so. On PostgreSQL, and where a photograph is
        stored with one of them, they survive a power cut, too; on SQLite without one the last moments before
        it may be lost, as nobody but the service made these rows.

        Raises:
            UsageError: a value does not fit; the message names it.
            ConflictError: an id is there already.
            StateBusyError, StateError: see ``Database``.
        """
        if not records:
            return
        rows = [checked(PREDICTIONS, _row(record)) for record in records]
        # What PostgreSQL does not wait for dies with its processes, not only with the power.
        losable = self._database.is_sqlite and all(record.photo_blob is None for record in records)
        with self._database.writing(losable=losable) as connection:
            connection.execute(INSERT, rows)

    def get(self, prediction_id: str) -> PredictionRecord | None:
        """The record with this id; None when there is none.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        row = read_one(self._database, PREDICTIONS, prediction_id)
        return None if row is None else _record(row)

    def page(
        self, after: str | None = None, limit: int = PAGE, plant_id: str | None = None
    ) -> Page[PredictionRecord]:
        """Records, newest first, of one plant or all; see ``read_page``."""
        only = None if plant_id is None else PREDICTIONS.c.plant_id == plant_id
        return read_page(self._database, PREDICTIONS, _record, after, limit, only=only)

    def summary(self, since_ms: int) -> Summary:
        """Counts of verdicts and classes, and latency, since a moment.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading(one_moment=True) as connection:
            return summed(connection, since_ms)

    def by_hour(self, since_ms: int) -> dict[int, dict[str, int]]:
        """How many of each verdict in each hour since a moment, by the hour's beginning in milliseconds.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            return by_hour(connection, since_ms)

    def first_of(self, model_hash: str, since_ms: int, until_ms: int) -> int | None:
        """When a model first answered in a window (milliseconds), None when it did not.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            return first_of(connection, model_hash, since_ms, until_ms)

    def sample(
        self, model_hash: str, since_ms: int, until_ms: int, most: int = MOST_SAMPLED
    ) -> tuple[SampledPrediction, ...]:
        """Predictions of one model in a window, oldest first; of many an even part, some ``most``.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading(one_moment=True) as connection:
            return sampled(connection, model_hash, since_ms, until_ms, most)

    def stored_photographs(self) -> int:
        """How many predictions have a photograph that is kept.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            return stored_photographs(connection)

    def prune(self, before_ms: int) -> Pruned:
        """Remove what is older, with what others would have answered; but not what is to be learned from.

        That is predictions that somebody corrected, and those that a contribution came from.

        Some hundred rows at a time, so that others can write in between; stopped half-way it can be done
        again.

        Returns:
            How many, and the stored photographs that are not needed any more.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        removed, shadows, blobs = 0, 0, set[str]()
        while True:
            with self._database.writing() as connection:
                gone = _remove_some(connection, before_ms)
                shadows += remove_shadows_of(connection, [one for one, _ in gone])
                names = {name for _, name in gone if name is not None}
                blobs |= names - _needed(connection, names)
            removed += len(gone)
            if not gone:
                return Pruned({"predictions": removed, "shadows": shadows}, tuple(sorted(blobs)))


def _remove_some(connection: Connection, before_ms: int) -> list[tuple[str, str | None]]:
    """Ids of those that were removed, and the names of their photographs."""
    taught = or_(
        select(CORRECTIONS.c.id).where(CORRECTIONS.c.prediction_id == PREDICTIONS.c.id).exists(),
        select(CONTRIBUTIONS.c.id).where(CONTRIBUTIONS.c.prediction_id == PREDICTIONS.c.id).exists(),
    )
    old = select(PREDICTIONS.c.id).where(PREDICTIONS.c.created_ms < before_ms, ~taught)
    chosen = old.order_by(PREDICTIONS.c.created_ms).limit(PRUNED_AT_ONCE)
    if connection.dialect.name == "postgresql":
        # Not those that are being corrected at this moment; and after this nobody can begin to.
        chosen = chosen.with_for_update(skip_locked=True)
    ids = list(connection.execute(chosen).scalars())
    if not ids:
        return []
    gone = delete(PREDICTIONS).where(PREDICTIONS.c.id.in_(ids), ~taught)
    removed = connection.execute(gone.returning(PREDICTIONS.c.id, PREDICTIONS.c.photo_blob))
    return [(row.id, row.photo_blob) for row in removed]


def _needed(connection: Connection, names: set[str]) -> set[str]:
    if not names:
        return set()
    found: set[str] = set()
    for column in (PREDICTIONS.c.photo_blob, CONTRIBUTIONS.c.blob):
        found.update(connection.execute(select(column).where(column.in_(names))).scalars())
    return found


def _row(record: PredictionRecord) -> dict[str, Any]:
    row = values_of(record)
    embedding = record.embedding
    if embedding is not None:
        if embedding.dtype != np.float16 or embedding.ndim != 1:
            raise UsageError(f"embedding is {embedding.dtype}{list(embedding.shape)}, it must be float16 [d]")
        row["embedding"] = embedding.astype("<f2").tobytes()
    return row


def _record(row: Row[Any]) -> PredictionRecord:
    values = dict(row._mapping)
    if values["embedding"] is not None:
        values["embedding"] = np.frombuffer(values["embedding"], dtype="<f2").astype(np.float16)
    return PredictionRecord(**values)
