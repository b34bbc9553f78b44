"""A bounded look at the predictions of a window, for comparing one time with another.

Enters: a connection, a model, two moments. Leaves: at most some thousand predictions, spread evenly over the
window however many it holds, and since when the model answers. It does not know what is compared, nor how.

A window is one of ``created_ms``, what the clock said, and not of ids: those ascend whatever the clock does
(see ``ids``), so that after a clock that was ahead once they say a time to come. "Every hundredth" is a
choice of milliseconds, spread evenly: of a million predictions only the index is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, select

from leafsight.state.tables import PREDICTIONS

MOST_SAMPLED = 2000
PERIOD_MS, MODULUS, MULTIPLIER = 1_000_003, 2_147_483_647, 1_588_635_695
"""They spread milliseconds evenly, also those of who comes at every full second; products stay below 2^63.
The multiplier is L'Ecuyer's ("Efficient and portable combined random number generators", CACM 31, 1988)."""
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPrediction:
    """What of a prediction can be compared with others.

    Attributes:
        created_ms: when it was made.
        key_id: whose key asked, or None.
        verdict: a verdict of room ``inference``.
        class_key: of a diagnosis only.
        answer: the whole answer as plain values.
        quality: measures of the photograph.
        embedding: float16 ``[d]``, or None.
    """

    created_ms: int
    key_id: str | None
    verdict: str
    class_key: str | None
    answer: Mapping[str, Any]
    quality: Mapping[str, Any]
    embedding: np.ndarray | None = field(default=None, compare=False, repr=False)


def first_of(connection: Connection, model_hash: str, since_ms: int, until_ms: int) -> int | None:
    """When the model first answered in a window, None when it did not.

    Exact while the window holds no more than can be looked at, else of the evenly spread part.
    """
    rows = _thinned(connection, since_ms, until_ms, 2 * MOST_SAMPLED)
    wanted = select(func.min(PREDICTIONS.c.created_ms)).where(rows, PREDICTIONS.c.model_hash == model_hash)
    found = connection.execute(wanted).scalar_one()
    return None if found is None else int(found)


def sampled(
    connection: Connection, model_hash: str, since_ms: int, until_ms: int, most: int = MOST_SAMPLED
) -> tuple[SampledPrediction, ...]:
    """Predictions of one model from ``since_ms`` to before ``until_ms``, oldest first.

    About ``most`` at most, spread evenly; fewer where other models answered in the window too.
    """
    columns = PREDICTIONS.c
    narrow = (columns.created_ms, columns.key_id, columns.verdict, columns.class_key)
    wanted = select(*narrow, columns.answer, columns.quality, columns.embedding).where(
        _thinned(connection, since_ms, until_ms, most), columns.model_hash == model_hash
    )
    rows = connection.execute(wanted.order_by(columns.created_ms, columns.id).limit(2 * most)).mappings()
    return tuple(_record(row) for row in rows)


def by_hour(connection: Connection, since_ms: int) -> dict[int, dict[str, int]]:
    """How many of each verdict in each hour of the clock since a moment; keys are the hours' beginnings."""
    columns = PREDICTIONS.c
    hour = (columns.created_ms // HOUR_MS).label("hour")
    wanted = select(hour, columns.verdict, func.count()).where(columns.created_ms >= since_ms)
    found: dict[int, dict[str, int]] = {}
    rows = connection.execute(wanted.group_by(hour, columns.verdict).order_by(hour, columns.verdict))
    for number, verdict, many in rows:
        found.setdefault(int(number) * HOUR_MS, {})[verdict] = int(many)
    return found


def stored_photographs(connection: Connection) -> int:
    """How many predictions have a photograph that is kept."""
    wanted = select(func.count()).where(PREDICTIONS.c.photo_blob.is_not(None))
    return int(connection.execute(wanted).scalar_one())


def _thinned(connection: Connection, since_ms: int, until_ms: int, most: int) -> ColumnElement[bool]:
    """Which rows belong to the window, and to the part of it that is looked at."""
    moment = PREDICTIONS.c.created_ms
    window = and_(moment >= since_ms, moment < until_ms)
    many = int(connection.execute(select(func.count(moment)).where(window)).scalar_one())
    if many <= most:
        return window
    place = moment % PERIOD_MS * MULTIPLIER % MODULUS
    return and_(window, place < round(MODULUS * most / many))


def _record(row: Mapping[Any, Any]) -> SampledPrediction:
    values = dict(row)
    if values["embedding"] is not None:
        values["embedding"] = np.frombuffer(values["embedding"], dtype="<f2").astype(np.float16)
    return SampledPrediction(**values)
