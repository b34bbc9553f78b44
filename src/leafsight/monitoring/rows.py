"""The newest predictions of one model, as little of them as can be compared.

Enters: the database and a model. Leaves: rows, newest first, never more than asked for. It does not know what
is compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from leafsight.state import PredictionRecord, State

PAGE = 200
MOST_READ = 6000
"""Rows that are read at most for one look, those of other models too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One prediction.

    Attributes:
        id: of the prediction.
        created_ms: when it was made.
        key_id: whose key asked, empty without keys.
        verdict: a verdict of room ``inference``.
        class_key: of a diagnosis only.
        probability: of the most probable class, whatever the verdict; NaN where there is none.
        unfamiliarity: NaN where the model cannot say.
        latency_ms: from the whole request to the answer.
        quality: measures of the photograph that are numbers.
        embedding: float32 ``[d]``, or None.
    """

    id: str
    created_ms: int
    key_id: str
    verdict: str
    class_key: str | None
    probability: float
    unfamiliarity: float
    latency_ms: float
    quality: Mapping[str, float] = field(default_factory=dict)
    embedding: np.ndarray | None = field(default=None, compare=False, repr=False)


def newest_rows(state: State, model_hash: str, *, since_ms: int, most: int) -> Iterator[Row]:
    """Predictions of one model made since a moment, newest first.

    Args:
        state: the database.
        model_hash: of the model; answers of others are passed over.
        since_ms: older ones are not wanted.
        most: rows at most; no more than ``MOST_READ`` are read for them.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    after: str | None = None
    found = read = 0
    while read < MOST_READ:
        page = state.predictions.page(after, PAGE)
        for record in page.records:
            read += 1
            if record.created_ms < since_ms or found >= most:
                return
            if record.model_hash == model_hash:
                found += 1
                yield row_of(record)
        after = page.next
        if after is None:
            return


def row_of(record: PredictionRecord) -> Row:
    """What of a prediction can be compared."""
    embedding = record.embedding
    usable = embedding is not None and bool(np.isfinite(embedding).all())
    return Row(
        id=record.id,
        created_ms=record.created_ms,
        key_id=record.key_id or "",
        verdict=record.verdict,
        class_key=record.class_key,
        probability=_top(record.answer),
        unfamiliarity=_number(record.answer.get("unfamiliarity")),
        latency_ms=record.latency_ms,
        quality={name: value for name, one in record.quality.items() if math.isfinite(value := _number(one))},
        embedding=embedding.astype(np.float32) if usable and embedding is not None else None,
    )


def _top(answer: Mapping[str, Any]) -> float:
    top = answer.get("top")
    first = top[0] if isinstance(top, list) and top else {}
    return _number(first.get("probability")) if isinstance(first, dict) else math.nan


def _number(value: Any) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else math.nan
