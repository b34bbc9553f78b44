"""Keeps what was answered, several answers in one write, off the event loop.

Enters: records of predictions. Leaves: whether they are kept. An answer is worth more than its record: when
the database does not take it, the answer goes out all the same and says so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from leafsight.errors import LeafsightError, StateBusyError
from leafsight.service.metrics import Metrics

if TYPE_CHECKING:
    from leafsight.state import PredictionRecord, State

Result = TypeVar("Result")
LOG = logging.getLogger("leafsight.service")
MOST_AT_ONCE = 256
PAUSE_S = 2.0
"""A database that was locked is left alone for so long: answers do not queue up behind its lock."""


class Recorder:
    """One thread that talks to the database.

    Args:
        state: the database.
        metrics: told of what could not be kept.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, state: State, metrics: Metrics, now: Callable[[], float] = time.monotonic) -> None:
        self._state, self._metrics, self._now = state, metrics, now
        self._busy_until = now()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="state")
        self._waiting: list[tuple[Sequence[PredictionRecord], asyncio.Future[bool]]] = []
        self._writing = False

    async def do(self, work: Callable[[], Result]) -> Result:
        """Run something with the database on its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def keep(self, records: Sequence[PredictionRecord]) -> bool:
        """Write predictions together with those of other requests; whether they are kept."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((records, kept))
        if not self._writing:
            self._writing = True
            self._task = loop.create_task(self._write())
        return await kept

    def close(self) -> None:
        """Finish what is being written."""
        self._pool.shutdown(wait=True)

    async def _write(self) -> None:
        """While one write runs the next ones gather: a slow disk makes larger writes, not a longer queue."""
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                groups = [group for group, _ in some]
                kept = await self.do(partial(self._add_groups, groups))
                for (_, future), one in zip(some, kept, strict=True):
                    if not future.done():
                        future.set_result(one)
        finally:
            self._writing = False

    def _add_groups(self, groups: list[Sequence[PredictionRecord]]) -> list[bool]:
        """Together; one by one when something is wrong with one, so that it costs nobody else theirs."""
        if self._now() < self._busy_until or not self._add([one for group in groups for one in group]):
            if self._now() < self._busy_until or len(groups) == 1:
                self._metrics.unrecorded(sum(map(len, groups)))
                return [False] * len(groups)
            kept = [self._add(group) for group in groups]
            self._metrics.unrecorded(
                sum(len(group) for group, one in zip(groups, kept, strict=True) if not one)
            )
            return kept
        return [True] * len(groups)

    def _add(self, records: Sequence[PredictionRecord]) -> bool:
        try:
            self._state.predictions.add_many(records)
        except StateBusyError as error:
            self._busy_until = self._now() + PAUSE_S
            LOG.warning("predictions not kept", extra={"fields": {"reason": error.message}})
            return False
        except LeafsightError as error:
            LOG.warning("predictions not kept", extra={"fields": {"reason": error.message}})
            return False
        except Exception:
            LOG.exception("predictions not kept")  # a bug; whoever waits for this gets an answer all the same
            return False
        return True
