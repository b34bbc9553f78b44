"""How many photographs were accepted since a retraining began.

Enters: the counts of the database. Leaves: differences of counts, kept as small facts. Numbers and not times,
because clocks are set back: who takes a decision back and takes another within a minute makes this a little
too small, and who takes it back and, minutes later, takes it again makes it too large by that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leafsight.state import State

BEGUN, TRAINED = "retraining-begun", "retraining-done"
"""Of the retraining that began last, and of the one that ended well last."""
AHEAD_MS = 60_000
"""A time that lies further ahead was written by a clock that was wrong."""


def accepted(state: State) -> int:
    """How many photographs are accepted now.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    states: Mapping[str, int] = state.contributions.counts()["states"]
    return states.get("accepted", 0)


def note_begun(state: State, job: str) -> None:
    """A retraining begins; one that goes on after its process died has begun already.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    old = state.marks.get(BEGUN)
    if old is None or old.get("job") != job:
        value = {"job": job, "accepted": accepted(state), "at_ms": state.now()}
        state.marks.put(BEGUN, value, expected=old)


def note_trained(state: State, job: str) -> None:
    """The retraining that began last has ended well.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    begun = state.marks.get(BEGUN)
    if begun is not None and begun.get("job") == job:
        state.marks.put(TRAINED, begun, expected=state.marks.get(TRAINED))


def since(mark: Mapping[str, Any] | None, accepted_now: int) -> int:
    """How many were accepted since then; all of them where nothing was noted."""
    return max(0, accepted_now - (int(mark["accepted"]) if mark else 0))


def lower(state: State) -> None:
    """Where photographs that were learned from are accepted no more, the next ones count from there.

    Once a minute and not with every decision: one that is taken back at once begins nothing.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    marks = {name: mark for name in (BEGUN, TRAINED) if (mark := state.marks.get(name)) is not None}
    if not marks:
        return
    now = accepted(state)
    for name, mark in marks.items():
        if int(mark["accepted"]) > now:
            state.marks.put(name, {**mark, "accepted": now}, expected=mark)


def trained_ms(state: State) -> int:
    """When the retraining began that ended well last: the caps of sources count from there.

    A time to come was written by a clock that was wrong, and would lift the caps: they count from the
    beginning then.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    mark = state.marks.get(TRAINED)
    at_ms = int(mark["at_ms"]) if mark else 0
    return at_ms if at_ms <= state.now() + AHEAD_MS else 0
