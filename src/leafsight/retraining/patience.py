"""Waiting for what comes back: a database that restarts, a store that does not answer.

Enters: something to do that may be done again. Leaves: what it gives. It does not know what it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from leafsight.errors import StateBusyError

PATIENCE_S = 600.0
"""Longest wait in one go. A restart takes seconds, a failover a minute; later a person has to look."""
FIRST_S, LONGEST_S = 0.5, 10.0

T = TypeVar("T")


def patiently(
    do: Callable[[], T],
    *,
    most_s: float = PATIENCE_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Do something again while what it needs does not answer.

    Args:
        do: may be begun any number of times.
        most_s: after so long without an answer it is given up.
        sleep: waits, seconds.
        clock: seconds.

    Raises:
        StateBusyError: it did not answer for ``most_s``.
        Exception: whatever else ``do`` raises.
    """
    until, pause_s = clock() + most_s, FIRST_S
    while True:
        began_s = clock()
        try:
            return do()
        except StateBusyError:
            now_s = clock()
            if now_s - began_s > most_s / 2:
                until = now_s + most_s  # it had answered for long before: a new trouble, a new patience
            if now_s >= until:
                raise
            sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_S)
