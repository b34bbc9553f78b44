"""Whether the newest photographs look like those that the model was made for.

Enters: the newest rows of one model, its reference and limits. Leaves: plain values: ``state``, one sentence,
the windows that were looked at, and the photographs that lie farthest. It does not know where rows come from.

Two questions are kept apart. "Drift" is: photographs unlike any of the training domain, or answers with more
doubt than there. "Another mix" is: photographs of the domain in other shares, such as one crop only; that is
how one farm looks, and raises no alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leafsight.monitoring.drift_limits import (
    FALSE_ALARMS,
    FAR,
    LEAST_VISITS,
    MIXED,
    LimitTable,
    window_measures,
)
from leafsight.monitoring.reference import Columns, Reference
from leafsight.monitoring.rows import Row

State = Literal["unknown", "too_few", "none", "drift"]
HOUR_MS = 3_600_000
MOST_SHOWN = 20
WORDS = {
    "look": "photographs lie farther from the training domain than its own",
    "doubt": "the model is less sure than of its own photographs",
}
MIX_WORDS = {"mix_of_looks": "the looks", "mix_of_classes": "the conditions that are named"}


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """The newest photographs, of each occasion only so many."""

    places: np.ndarray
    occasions: int
    visit: float


def look_for_drift(reference: Reference, table: LimitTable, rows: Sequence[Row]) -> dict[str, Any]:
    """Hold the newest photographs against the reference.

    Args:
        reference: of the model that gave the rows.
        table: its limits.
        rows: newest first; those without an embedding are passed over.
    """
    usable = [row for row in rows if row.embedding is not None and row.embedding.shape == _width(reference)]
    sizes = sorted({size for by in table.limits.values() for size in by})
    found: dict[str, Any] = {
        "model": reference.model,
        "photographs": len(usable),
        "windows": [],
        "drifted": [],
        "sizes": sizes,
        "least": {"photographs": sizes[0], "occasions": LEAST_VISITS},
        "false_alarms": FALSE_ALARMS,
        "reference_photographs": len(reference.group),
        "quality": "the bundle remembers no quality measures; see drift against an earlier time for those",
    }
    if usable:
        columns = reference.measure(np.stack([row.embedding for row in usable if row.embedding is not None]))
        found["windows"] = _judged(reference, table, usable, columns, sizes)
        found["drifted"] = _farthest(reference, usable, columns)
    state = _state(found["windows"])
    mixed = sorted({one["name"] for window in found["windows"] for one in window["measures"] if _is_mix(one)})
    return {
        **found,
        "state": state,
        "mix": {"differs": bool(mixed), "measures": mixed},
        "said": _said(state, found["windows"], mixed, len(usable), found["least"]),
    }


def enough_rows(rows: Iterable[Row], size: int) -> list[Row]:
    """As many of the newest rows as fill a window of ``size``; all of them where they do not."""
    found: list[Row] = []
    counted: Counter[tuple[int, str]] = Counter()
    filled = 0
    for row in rows:
        found.append(row)
        occasion = (row.created_ms // HOUR_MS, row.key_id)
        counted[occasion] += row.embedding is not None
        filled += row.embedding is not None and counted[occasion] <= size // LEAST_VISITS
        if filled >= size:
            break
    return found


def unknown_drift(model: str, why: str) -> dict[str, Any]:
    """What is said where there is nothing to compare with."""
    return {"state": "unknown", "said": why, "model": model, "windows": [], "drifted": [], "photographs": 0}


def _width(reference: Reference) -> tuple[int, ...]:
    return reference.space.mean.shape


def _judged(
    reference: Reference, table: LimitTable, rows: Sequence[Row], columns: Columns, sizes: Sequence[int]
) -> list[dict[str, Any]]:
    values, own = columns.table(reference.n_classes), reference.table()
    usual = own.mean(axis=0, dtype=np.float64)
    windows = []
    for size in sizes:
        window = _window(rows, size)
        limits = None if window is None else table.of(size, window.visit)
        if window is None or limits is None:
            continue
        mean = values[window.places].mean(axis=0, dtype=np.float64)
        measured = window_measures(mean, usual, len(own))
        windows.append(
            {
                "photographs": size,
                "occasions": window.occasions,
                "visit": limits[0],
                "since_ms": min(rows[place].created_ms for place in window.places),
                "measures": [
                    {
                        "name": name,
                        "value": _round(float(measured[name])),
                        "limit": limits[1][name],
                        "over": bool(float(measured[name]) > limits[1][name]),
                        "alarms": name in FAR,
                    }
                    for name in (*FAR, *MIXED)
                ],
            }
        )
    return windows


def _window(rows: Sequence[Row], size: int) -> _Window | None:
    """The newest rows with at most an eighth from one occasion: what one key sent within an hour."""
    most = size // LEAST_VISITS
    taken: list[int] = []
    counted: Counter[tuple[int, str]] = Counter()
    for place, row in enumerate(rows):
        occasion = (row.created_ms // HOUR_MS, row.key_id)
        if counted[occasion] < most:
            counted[occasion] += 1
            taken.append(place)
            if len(taken) == size:
                # How large the visit is that a photograph is of, on average over photographs.
                visit = sum(many * many for many in counted.values()) / size
                return _Window(np.array(taken), len(counted), visit)
    return None


def _farthest(reference: Reference, rows: Sequence[Row], columns: Columns) -> list[dict[str, Any]]:
    """The photographs that drifted most, beside what is rare at home."""
    rare = float(np.quantile(reference.columns.look, 1 - FALSE_ALARMS))
    order = np.argsort(-columns.look, kind="stable")[:MOST_SHOWN]
    return [
        {
            "id": rows[place].id,
            "created_at": rows[place].created_ms,
            "verdict": rows[place].verdict,
            "class_key": rows[place].class_key,
            "steps": _round(float(columns.look[place])),
            "of_rare": _round(float(columns.look[place]) / max(rare, 1e-9)),
        }
        for place in order
    ]


def _state(windows: Sequence[dict[str, Any]]) -> State:
    if not windows:
        return "too_few"
    over = any(one["over"] and one["alarms"] for window in windows for one in window["measures"])
    return "drift" if over else "none"


def _is_mix(one: dict[str, Any]) -> bool:
    return bool(one["over"] and not one["alarms"])


def _said(
    state: State, windows: Sequence[dict[str, Any]], mixed: Sequence[str], many: int, least: dict[str, int]
) -> str:
    if state == "too_few":
        return (
            f"Too few photographs to tell: {many} came, at least {least['photographs']} on "
            f"{least['occasions']} occasions are needed. An occasion is what one key sent within an hour."
        )
    mix = (
        f" Another mix than it was made for: {' and '.join(MIX_WORDS[name] for name in mixed)}."
        if mixed
        else ""
    )
    if state == "none":
        last = windows[-1]["photographs"]
        return f"The newest {last} photographs are like those that the model was made for.{mix}"
    first = next(
        window for window in windows if any(one["over"] and one["alarms"] for one in window["measures"])
    )
    over = [one for one in first["measures"] if one["over"] and one["alarms"]]
    parts = [
        f"{WORDS[one['name']]} ({one['value']:.2g}, by chance at most {one['limit']:.2g})" for one in over
    ]
    return f"Drift in the newest {first['photographs']} photographs: {', and '.join(parts)}.{mix}"


def _round(value: float) -> float:
    return float(f"{value:.4g}")
