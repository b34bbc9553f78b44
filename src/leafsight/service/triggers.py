"""What begins a retraining by itself: enough accepted photographs, time, or drift.

Enters: the counts of the database, and the clock. Leaves: at most one retraining that waits. It does not
know how one is done. Nothing begins where nothing new was accepted: the same photographs give the same
model.

A retraining that failed counts as begun: what made it fail may do so again, and would every minute. So does
one that somebody cancelled while it waited: they would be asked again every minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leafsight.service.newly_accepted import AHEAD_MS, BEGUN, accepted, note_begun, since
from leafsight.service.options import ServiceOptions
from leafsight.service.retrainings import COUNT, DRIFT, KIND, SCHEDULE, ask_for, under_way

if TYPE_CHECKING:
    from leafsight.state import JobRecord, State

CLOCK = "retraining-clock"
"""Since when time is counted, after which retraining, and which drift has begun one already."""
BY = "leafsight"
HOUR_MS = 3_600_000


def look(state: State, options: ServiceOptions) -> JobRecord | None:
    """Ask for a retraining if it is time for one; safe to do in several processes at once.

    Args:
        state: the database.
        options: of the service.

    Returns:
        The retraining, when one was asked for.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    if not (options.retrain_after or options.retrain_every_h or options.retrain_on_drift):
        return None
    ahead = under_way(state)
    if not ahead and (unwanted := _unwanted(state)) is not None:
        note_begun(state, unwanted)
    begun = state.marks.get(BEGUN)
    clock = _clock(state, begun)
    new = since(begun, accepted(state))
    if not new or any(one.state == "queued" or one.id != clock["of"] for one in ahead):
        return None  # one waits, or was taken up this moment and has not counted yet what it learns from
    drift = _drift(state) if options.retrain_on_drift else None
    why = _why(
        options, new, state.now() - clock["from_ms"], drift is not None and drift != clock.get("drift")
    )
    if why is None:
        return None
    job = ask_for(state, path="quick", why=why, by=BY)
    if why == DRIFT:  # not before: what was asked for twice is one retraining, what was forgotten is none
        state.marks.put(CLOCK, {**clock, "drift": drift}, expected=clock)
    return job


def _why(options: ServiceOptions, new: int, waited_ms: int, drifted: bool) -> str | None:
    if options.retrain_after and new >= options.retrain_after:
        return COUNT
    if options.retrain_every_h and waited_ms >= options.retrain_every_h * HOUR_MS:
        return SCHEDULE
    return DRIFT if drifted else None


def _unwanted(state: State) -> str | None:
    """The newest retraining, where it was asked for here and cancelled."""
    newest = state.jobs.page(None, 1, kind=KIND).records
    if newest and newest[0].state == "cancelled" and newest[0].request.get("by") == BY:
        return newest[0].id
    return None


def _clock(state: State, begun: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Since when time is counted: since a retraining was seen to have begun, by the clock of who saw it.

    A clock that was set back since then begins anew: it would have to come to that time again.
    """
    job, now_ms = begun and begun.get("job"), state.now()
    clock = state.marks.get(CLOCK)
    if clock is not None and clock.get("of") == job and clock["from_ms"] <= now_ms + AHEAD_MS:
        return clock
    new = {"from_ms": now_ms, "of": job, "drift": clock and clock.get("drift")}
    state.marks.put(CLOCK, new, expected=clock)  # where another was quicker, the next look sees it
    return new


def _drift(state: State) -> str | None:
    """Names the drift that there is now: of which model, since when."""
    from leafsight.monitoring import drift_now

    found = drift_now(state)
    if found.get("state") != "drift":
        return None
    return f"{found.get('model')} {found.get('since_ms')}"
