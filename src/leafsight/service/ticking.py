"""What the service looks after by itself, once a minute, in one process of all that share a database.

Enters: the time. Leaves: retrainings that were asked for, uploads in parts that were brought to their end
or forgotten, and what ``monitoring`` looks after. A process that dies at it is followed by another within
minutes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from leafsight.errors import LeafsightError
from leafsight.service import parted_uploads, triggers
from leafsight.service.clerk_bell import TRAIN, WORK, Bell
from leafsight.service.drift_job import queue_look
from leafsight.service.newly_accepted import lower
from leafsight.service.parts import Parts
from leafsight.service.recheck_job import recheck_where_another_serves

if TYPE_CHECKING:
    from leafsight.state import State

MARK = "look"
EVERY_MS = 60_000
LONGEST_MS = 600_000
"""A look that lasts longer was left by a process that died."""
FIRST_S, EVERY_S = 5.0, 60.0
LOG = logging.getLogger("leafsight.service")


class Ticking:
    """One for each process.

    Args:
        bell: rung when there is something to do for the clerk or the trainer.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._nudged: asyncio.Event | None = None
        self._monitor: Any = None

    def nudge(self) -> None:
        """Something was accepted: look now whether it is enough for a retraining."""
        if self._nudged is not None:
            self._nudged.set()

    async def run(self, parts: Parts) -> None:
        """Look until this is cancelled."""
        self._nudged = asyncio.Event()
        wait_s = FIRST_S
        try:
            while True:
                nudged = await self._wait(wait_s)
                wait_s = EVERY_S
                if nudged:
                    await self._try(lambda: self._trigger(parts))
                    continue
                await self._try(lambda: self._look(parts))
                await self._try(lambda: self._watch(parts))
        finally:
            if self._monitor is not None:
                self._monitor.close()

    async def _wait(self, seconds: float) -> bool:
        """Whether somebody said that there is something to look at."""
        assert self._nudged is not None
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            return False
        self._nudged.clear()
        return True

    async def _try(self, look: Callable[[], Any]) -> None:
        """Beside the event loop; what fails is looked at again in a minute."""
        try:
            await asyncio.to_thread(look)
        except LeafsightError as error:
            LOG.warning("not looked after", extra={"fields": {"reason": error.message}})
        except Exception:
            LOG.exception("not looked after")  # a bug there must not end the looks

    def _look(self, parts: Parts) -> None:
        """All that is due, if this minute is ours."""
        held = take(parts.state)
        if held is None:
            return
        try:
            lower(parts.state)
            self._trigger(parts)
            if recheck_where_another_serves(parts.state, parts.model.now.id):
                self._bell.ring(WORK)
            if parted_uploads.look_after(parts):
                self._bell.ring(WORK)
        finally:
            leave(parts.state, held)

    def _watch(self, parts: Parts) -> None:
        if self._monitor is None:
            self._monitor = _monitor(parts, self._bell)
        self._monitor.tick()

    def _trigger(self, parts: Parts) -> None:
        if triggers.look(parts.state, parts.options) is not None:
            self._bell.ring(TRAIN)


def take(state: State) -> Mapping[str, Any] | None:
    """Take this minute, unless another process has it; what to give to ``leave``.

    The time is counted both ways, as the clock may have gone back.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    now_ms, last = state.now(), state.marks.get(MARK)
    if last is not None:
        rest_ms = LONGEST_MS if last.get("busy") else EVERY_MS
        if abs(now_ms - last["at_ms"]) < rest_ms:
            return None
    mine = {"at_ms": now_ms, "busy": True}
    return mine if state.marks.put(MARK, mine, expected=last) else None


def leave(state: State, held: Mapping[str, Any]) -> None:
    """The look is over."""
    state.marks.put(MARK, {"at_ms": held["at_ms"], "busy": False}, expected=held)


def _monitor(parts: Parts, bell: Bell) -> Any:
    from leafsight.monitoring import Monitor

    def drift_elsewhere() -> None:
        if queue_look(parts.state, parts.model.now.id):
            bell.ring(WORK)

    return Monitor(
        parts.state,
        parts.registry,
        alert_url=parts.options.alert_url,
        model=parts.options.model,
        watch_minutes=parts.options.watch_minutes,
        now_ms=parts.now_ms,
        counts=parts.metrics.request_counts,
        drift_elsewhere=drift_elsewhere,
    )
