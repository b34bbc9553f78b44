"""What is older than the operator keeps is forgotten, photographs included, while the service runs.

Enters: the database and the store. Leaves: both without what is too old. Corrections, the predictions that
they correct, and uploads stay. Every process does it; doing it twice does no harm.

What is forgotten is gone, and the clock decides what is old: for one that runs ahead (no battery, a wrong
year typed in) everything is. So the clock has to be borne out first. It is, when predictions were recorded a
day to eight days ago by its own reckoning, which a clock that has leapt cannot show; or, where nobody asked
for so long, when this process has seen it go in step with the machine's other clock for a day. Where
keep_days is short, so are these times. A wrong clock is believed after a day all the same, and one that is
ahead by less than a week is not noticed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leafsight.state import Blobs, State

DAY_MS = 86_400_000
EVERY_S = 3600.0
PATIENCE_MS = DAY_MS
WINDOW_MS = 7 * DAY_MS
STEP_MS = 3_600_000
"""A clock that is set by less than this goes in step all the same."""
AHEAD = "the clock may be ahead: nothing was recorded a day to a week ago by it"
LOG = logging.getLogger("leafsight.service")


def running_ms() -> int:
    """Milliseconds since the machine started, sleep included where the system counts it."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)) // 1_000_000


class Forgetting:
    """Forgets what is old, once the clock is borne out.

    Args:
        state: the database.
        blobs: the store.
        keep_days: for how long predictions are remembered.
        now_ms: the clock on the wall.
        since_start_ms: a clock that never goes back and cannot be set.
    """

    def __init__(
        self,
        state: State,
        blobs: Blobs,
        *,
        keep_days: int,
        now_ms: Callable[[], int],
        since_start_ms: Callable[[], int] = running_ms,
    ) -> None:
        self._state, self._blobs, self._keep_days = state, blobs, keep_days
        self._now_ms, self._since_start_ms = now_ms, since_start_ms
        self._patience_ms = min(PATIENCE_MS, keep_days * DAY_MS // 4)
        self._window_ms = min(WINDOW_MS, keep_days * DAY_MS // 2)
        self._in_step_from = (now_ms(), since_start_ms())

    def look(self) -> int:
        """Remove predictions that are too old, if it is sure that they are; how many.

        Raises:
            StateBusyError, StateError: the database or the store does not answer.
        """
        from leafsight.state import database_clock_ms, has_predictions_between

        in_step = self._is_in_step()
        now_ms = min(self._now_ms(), database_clock_ms(self._state))
        last_ms = now_ms - self._patience_ms
        old_ms = now_ms - self._keep_days * DAY_MS
        recorded = has_predictions_between(self._state, last_ms - self._window_ms, last_ms)
        if not (in_step or recorded) and has_predictions_between(self._state, 0, old_ms):
            LOG.warning("old predictions not removed", extra={"fields": {"reason": AHEAD}})
            return 0
        return forget_old(self._state, self._blobs, now_ms=now_ms, keep_days=self._keep_days)

    def _is_in_step(self) -> bool:
        """Whether the clock on the wall went as fast as the one of the machine, for long enough."""
        now_ms, since_start_ms = self._now_ms(), self._since_start_ms()
        began_ms, from_ms = self._in_step_from
        went_ms = since_start_ms - from_ms
        if abs(now_ms - began_ms - went_ms) > STEP_MS:
            self._in_step_from = (now_ms, since_start_ms)
            return False
        return went_ms >= self._patience_ms


def forget_old(state: State, blobs: Blobs, *, now_ms: int, keep_days: int) -> int:
    """Remove predictions that are too old; how many.

    A photograph whose store does not answer just then is a stray, which ``leafsight db prune`` finds.

    Args:
        state: the database.
        blobs: the store.
        now_ms: the time, of which the caller is sure.
        keep_days: for how long predictions are remembered.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    from leafsight.state import prune

    blobs.check()
    pruned = prune(state, now_ms - keep_days * DAY_MS)
    for name in pruned.blobs:
        blobs.delete(name)
    removed = int(pruned.rows["predictions"])
    if removed:
        LOG.info("old predictions removed", extra={"fields": {"predictions": removed}})
    return removed
