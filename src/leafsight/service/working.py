"""The bounded queue before inference: what cannot be finished in time is refused before it begins.

Enters: pieces of work, each so many photographs. Leaves: their results, in order of arrival, or an
``OverloadError`` at once. Time is estimated from what the last photographs took. It does not know what the
work is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from leafsight.errors import OverloadError
from leafsight.service.metrics import Metrics

Result = TypeVar("Result")
FIRST_GUESS_S = 0.05
"""Seconds a photograph until one was measured."""
FILLED = 0.5
"""Share of the deadline up to which the queue is filled: what is taken must be in time although the machine
may slow down meanwhile. Filled to the deadline, the slowest were refused only when it had passed already."""
WEIGHT = 0.1
"""Of the newest measurement in the running mean: a change of speed is followed within some ten requests."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """A result and how it came about.

    Attributes:
        result: what the work returned.
        queued_s: before it began.
        worked_s: from its beginning to its end.
    """

    result: Result
    queued_s: float
    worked_s: float


class WorkQueue:
    """Work in the order of arrival on a few threads; used from the event loop.

    Args:
        threads: that work at once.
        deadline_s: from entering the queue to the result.
        metrics: told of waiting and refusals.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        *,
        threads: int,
        deadline_s: float,
        metrics: Metrics,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._threads, self._deadline_s, self._metrics, self._now = threads, deadline_s, metrics, now
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._each_s = FIRST_GUESS_S
        self.pending = 0

    def expected_s(self, photographs: int) -> float:
        """Seconds until so many more photographs would be done."""
        return (self.pending + photographs) * self._each_s / self._threads

    def check(self, photographs: int = 1) -> None:
        """Refuse work that cannot be finished in time; a single piece is always taken when nothing waits.

        Raises:
            OverloadError: with the time after which it is worth another try.
        """
        if self.pending and self.expected_s(photographs) > self._deadline_s * FILLED:
            self._metrics.refused("queue-full")
            raise self._overload()

    async def do(self, work: Callable[[], Result], photographs: int) -> Done[Result]:
        """Wait for the turn of ``work`` and run it on a thread.

        Raises:
            OverloadError: it could not be finished in time, and was not begun.
        """
        self.check(photographs)
        entered = self._now()
        self.pending += photographs
        self._metrics.waiting(self.pending)
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, self._timed, work, photographs, entered)
        # Counted down when the thread is done with it, not when the caller goes away.
        future.add_done_callback(lambda _: self._leave(photographs))
        done = await future
        self._metrics.waited(done.queued_s)
        return done

    def close(self) -> None:
        """Finish what was begun; what waits is cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _timed(self, work: Callable[[], Result], photographs: int, entered: float) -> Done[Result]:
        began = self._now()
        if began - entered + photographs * self._each_s > self._deadline_s and began - entered > 0.01:
            self._metrics.refused("deadline")
            raise self._overload()
        result = work()
        ended = self._now()
        if photographs:
            self._each_s += WEIGHT * ((ended - began) / photographs - self._each_s)
        return Done(result, began - entered, ended - began)

    def _leave(self, photographs: int) -> None:
        self.pending -= photographs
        self._metrics.waiting(self.pending)

    def _overload(self) -> OverloadError:
        return OverloadError(
            f"{self.pending} photographs wait, more could not be answered within {self._deadline_s:g} s",
            hint="try again after the seconds in Retry-After",
            retry_after_s=self.expected_s(0) / 2,
        )
