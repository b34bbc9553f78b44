"""Changing a small fact that several processes change, such that no change is lost.

Enters: the name of a mark and how its value changes. Leaves: the value that is there afterwards. It does not
know what the facts mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from leafsight.errors import StateBusyError

if TYPE_CHECKING:
    from leafsight.state import State

Value = dict[str, Any]
MOST_TRIES = 20


def change_mark(state: State, name: str, change: Callable[[Value], Value | None]) -> tuple[Value, bool]:
    """Change a mark as if nobody else did.

    Args:
        state: the database.
        name: of the mark.
        change: gives the new value for a copy of the present one (empty where there is none), or None to
            leave it; may be called several times.

    Returns:
        The value that is there now, and whether this call changed it.

    Raises:
        StateBusyError: others changed it at every try.
        StateError: see ``state``.
    """
    for _ in range(MOST_TRIES):
        present: Mapping[str, Any] | None = state.marks.get(name)
        wanted = change(dict(present or {}))
        if wanted is None:
            return dict(present or {}), False
        if state.marks.put(name, wanted, expected=present):
            return wanted, True
    raise StateBusyError(f"the mark {name!r} changes all the time", hint="try again")
