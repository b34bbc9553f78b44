"""The look for drift of the model in service, its limits set once and kept, its last answer in a mark.

Enters: the database, the registry. Leaves: what ``drift`` says, and since when; an alert when drift begins.
It does not know HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leafsight.errors import BundleError
from leafsight.monitoring.alerting import alert
from leafsight.monitoring.drift import enough_rows, look_for_drift, unknown_drift
from leafsight.monitoring.drift_limits import SIZES, LimitTable, limits_of
from leafsight.monitoring.marks import Value, change_mark
from leafsight.monitoring.reference import Reference, reference_of
from leafsight.monitoring.rows import newest_rows

if TYPE_CHECKING:
    from leafsight.bundle import Bundle
    from leafsight.state import State

DRIFT, LIMITS = "drift", "drift-limits"
MOST_ROWS = 2000
"""Looked through for a window: where one sender sends much, most of theirs is passed over."""
MOST_AGE_MS = 30 * 86_400_000
NO_MEMORY = (
    "This model remembers no photographs, so there is nothing to compare with but an earlier time of its own."
)


class DriftLooks:
    """Looks for drift; keeps the reference of one model. Safe to use from several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._model = ""
        self._kept: tuple[Reference, LimitTable] | None = None

    def look(self, state: State, model: str, opened: Callable[[], Bundle], *, now_ms: int) -> dict[str, Any]:
        """Hold the newest photographs of a model against its reference; nothing is written but limits.

        Args:
            state: the database.
            model: hash of its bundle.
            opened: gives the bundle; asked when it is another model than the last time.
            now_ms: the clock.

        Raises:
            StateBusyError, StateError: the database does not answer.
        """
        kept = self._of(state, model, opened)
        if kept is None:
            return {**unknown_drift(model, NO_MEMORY), "at_ms": now_ms}
        rows = newest_rows(state, model, since_ms=now_ms - MOST_AGE_MS, most=MOST_ROWS)
        return {**look_for_drift(*kept, enough_rows(rows, max(SIZES))), "at_ms": now_ms}

    def _of(
        self, state: State, model: str, opened: Callable[[], Bundle]
    ) -> tuple[Reference, LimitTable] | None:
        with self._guard:
            if self._model != model:
                try:
                    reference = reference_of(opened())
                except BundleError:  # it serves all the same
                    reference = None
                self._kept = None if reference is None else (reference, _limits(state, reference))
                self._model = model
            return self._kept


def note_drift(state: State, found: dict[str, Any], *, now_ms: int) -> dict[str, Any]:
    """Keep what was found, with ``since_ms``; the beginning of drift is an alert.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """

    def change(before: Value) -> Value:
        lasts = before.get("state") == found["state"] and before.get("model") == found["model"]
        return {**found, "since_ms": before["since_ms"] if lasts and "since_ms" in before else now_ms}

    kept, _ = change_mark(state, DRIFT, change)
    if kept["state"] == "drift":
        alert(
            state,
            "drift",
            kept["said"],
            event=f"{kept['model']} {kept['since_ms']}",
            now_ms=now_ms,
            hint="GET /v1/insight shows the photographs that drifted most; label some and retrain",
            details={"model": kept["model"], "photographs": [one["id"] for one in kept["drifted"][:10]]},
        )
    return kept


def drift_now(state: State) -> dict[str, Any]:
    """What the last look found, and ``since_ms``: since when every look found the same state.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    return dict(state.marks.get(DRIFT) or unknown_drift("", "Nobody has looked for drift yet."))


def _limits(state: State, reference: Reference) -> LimitTable:
    """Those that were set before, by whichever process, or new ones."""
    kept = state.marks.get(LIMITS) or {}
    if kept.get("model") == reference.model and kept.get("sizes") == list(SIZES):
        table = LimitTable.from_dict(kept)
        if table is not None:
            return table
    table = limits_of(reference)
    state.marks.put(LIMITS, {"model": reference.model, "sizes": list(SIZES), **table.to_dict()})
    return table
