"""Counts and latencies of the predictions of a period.

Enters: a connection and when the period begins. Leaves: a summary. It does not know records. All is read from
one index (see ``tables``), whatever the width of the rows.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select

from leafsight.state.records import Day, Summary
from leafsight.state.tables import PREDICTIONS

DAY_MS = 86_400_000
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def summed(connection: Connection, since_ms: int) -> Summary:
    """The summary of all predictions since ``since_ms``, in a connection that sees one moment."""
    columns, latency = PREDICTIONS.c, PREDICTIONS.c.latency_ms
    day = (columns.created_ms // DAY_MS).label("day")
    kinds = (day, columns.verdict, columns.class_key)
    asked = select(*kinds, func.count(), func.sum(latency), func.max(latency)).group_by(*kinds)
    days: defaultdict[int, Counter[str]] = defaultdict(Counter)
    verdicts, classes = Counter[str](), Counter[str]()
    total_ms = largest_ms = 0.0
    for number, verdict, class_key, many, sum_ms, most_ms in connection.execute(
        asked.where(columns.created_ms >= since_ms)
    ):
        days[number][verdict] += many
        verdicts[verdict] += many
        if class_key is not None:
            classes[class_key] += many
        total_ms, largest_ms = total_ms + sum_ms, max(largest_ms, most_ms)
    predictions = verdicts.total()
    latency_ms = {} if not predictions else {"mean": total_ms / predictions, "max": largest_ms}
    return Summary(
        since_ms=since_ms,
        predictions=predictions,
        verdicts=_ordered(verdicts),
        classes=_ordered(classes),
        days=tuple(Day(_date(number), _ordered(days[number])) for number in sorted(days)),
        latency_ms={
            **latency_ms,
            **quantiles(connection, latency, columns.created_ms >= since_ms, predictions),
        },
    )


def _ordered(counts: Counter[str]) -> dict[str, int]:
    """Most frequent first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _date(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def quantiles(
    connection: Connection, latency: Column[Any], only: ColumnElement[bool], many: int
) -> dict[str, float]:
    """By nearest rank: the least value that at least this share does not exceed. One sort for all of them.

    Args:
        connection: one that sees one moment.
        latency: of which table.
        only: which of its rows.
        many: how many those are.
    """
    if not many:
        return {}
    place = func.row_number().over(order_by=latency).label("place")
    sorted_ = select(latency, place).where(only).subquery()
    ranks = {name: math.ceil(share * many - 1e-9) for name, share in QUANTILES.items()}  # 0.95 * 20 is 19
    asked = select(sorted_.c.place, sorted_.c.latency_ms).where(sorted_.c.place.in_(set(ranks.values())))
    found = {row.place: float(row.latency_ms) for row in connection.execute(asked)}
    return {name: found[rank] for name, rank in ranks.items()}
