"""The bounded queue before inference: what cannot be finished in time is refused before it begins.

Enters: pieces of work, each so many photographs. Leaves: their results, in order of arrival, or an
``OverloadError`` at once. Time is estimated from what the last photographs took. It does not know what the
work is.

Pieces that are alike and wait one behind the other are done together: what is done beside the network is then
done with warm caches, and the event loop and the database are woken once for all of them. Nobody waits for
others to come.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from leafsight.errors import OverloadError
from leafsight.service.metrics import Metrics

Item = TypeVar("Item")
Result = TypeVar("Result")
FIRST_GUESS_S = 0.05
"""Seconds a photograph until one was measured."""
FILLED = 0.5
"""Share of the deadline up to which the queue is filled: what is taken must be in time although the machine
may slow down meanwhile. Filled to the deadline, the slowest were refused only when it had passed already."""
WEIGHT = 0.1
"""Of the newest measurement in the running mean: a change of speed is followed within some ten requests."""
TOGETHER = 4
"""Photographs that are done together at most: the first of them waits for the last."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """A result and how it came about.

    Attributes:
        result: what the work returned.
        queued_s: before it began.
        worked_s: from its beginning to its end; of all that was done together.
        together: how many photographs that were.
    """

    result: Result
    queued_s: float
    worked_s: float
    together: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """One piece of work in the line; ``like`` is equal for those that may be done together."""

    work: Callable[[Sequence[Any]], Sequence[Any]]
    item: Any
    photographs: int
    like: Hashable | None
    entered: float
    answer: asyncio.Future[Done[Any]]


class WorkQueue:
    """Work in the order of arrival on a few threads; used from the event loop.

    Args:
        threads: that work at once.
        deadline_s: from entering the queue to the result.
        metrics: told of waiting and refusals.
        together: photographs that are done together at most, unless larger passes of the network are quicker;
            1 does each piece by itself.
        told: how many photographs wait or are being worked on, whenever that changes; on the event loop.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        *,
        threads: int,
        deadline_s: float,
        metrics: Metrics,
        together: int = TOGETHER,
        told: Callable[[int], None] = lambda photographs: None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._threads, self._deadline_s, self._metrics, self._now = threads, deadline_s, metrics, now
        self._told = told
        self._together = self._at_least = together
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._each_s = FIRST_GUESS_S
        self._line: deque[_Place] = deque()
        self._guard = threading.Lock()
        self._busy = 0
        self.pending = 0

    def suit(self, pass_size: int) -> None:
        """Take as many photographs together as go through the network at once, or more."""
        self._together = max(self._at_least, pass_size)
        self._metrics.pass_size(pass_size)

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
        """Wait for the turn of ``work`` and run it on a thread, by itself.

        Raises:
            OverloadError: it could not be finished in time, and was not begun.
        """
        return await self._stand(lambda _: [work()], None, photographs, None)

    async def do_together(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        item: Item,
        photographs: int,
        like: Hashable,
    ) -> Done[Result]:
        """The same for work that may be done together with others.

        Args:
            work: gives one result for each item. When it fails for several it is done for each alone, so that
                the failure is only theirs whose it is.
            item: of this caller.
            photographs: in it.
            like: items with an equal one may be done together.

        Raises:
            OverloadError: it could not be finished in time, and was not begun.
        """
        return await self._stand(work, item, photographs, like)

    def close(self) -> None:
        """Finish what was begun; what waits is cancelled."""
        with self._guard:
            left, self._line = self._line, deque()
        for place in left:
            _tell(place, place.answer.cancel)
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _stand(
        self,
        work: Callable[[Sequence[Any]], Sequence[Result]],
        item: Any,
        photographs: int,
        like: Hashable | None,
    ) -> Done[Result]:
        self.check(photographs)
        answer: asyncio.Future[Done[Result]] = asyncio.get_running_loop().create_future()
        self._count(photographs)
        with self._guard:
            self._line.append(_Place(work, item, photographs, like, self._now(), answer))
            wake = self._busy < self._threads
            self._busy += wake
        if wake:
            self._pool.submit(self._work_off)
        done = await answer
        self._metrics.waited(done.queued_s)
        return done

    def _work_off(self) -> None:
        """On a thread: one group after the other until nothing waits."""
        while True:
            with self._guard:
                group = self._take()
                if not group:
                    self._busy -= 1
                    return
            try:
                outcomes = self._done(group)
            except Exception as error:  # such as a full disk under the counters: nobody may wait for ever
                outcomes = [error] * len(group)
            _tell(group[0], self._deliver, group, outcomes)

    def _take(self) -> list[_Place]:
        """The first of the line, and those behind it that are like it, as long as none is late for it."""
        if not self._line:
            return []
        group = [first] = [self._line.popleft()]
        photographs = first.photographs
        waited_s = self._now() - first.entered
        while first.like is not None and self._line and self._line[0].like == first.like:
            photographs += self._line[0].photographs
            if photographs > self._together or waited_s + photographs * self._each_s > self._deadline_s:
                break
            group.append(self._line.popleft())
        return group

    def _done(self, group: list[_Place]) -> list[Done[Any] | BaseException]:
        """What came of each place: its result or its error."""
        began = self._now()
        outcomes: dict[_Place, Done[Any] | BaseException] = {}
        for place in group:
            waited_s = began - place.entered
            if place.answer.cancelled():
                outcomes[place] = asyncio.CancelledError()
            elif waited_s + place.photographs * self._each_s > self._deadline_s and waited_s > 0.01:
                self._metrics.refused("deadline")
                outcomes[place] = self._overload()
        in_time = [place for place in group if place not in outcomes]
        if in_time:
            results = _results(in_time)
            worked_s = self._now() - began
            together = sum(place.photographs for place in in_time)
            self._learn(together, worked_s)
            for place, result in zip(in_time, results, strict=True):
                done = Done(result, began - place.entered, worked_s, together)
                outcomes[place] = result if isinstance(result, BaseException) else done
        return [outcomes[place] for place in group]

    def _learn(self, photographs: int, seconds: float) -> None:
        self._metrics.together(photographs)
        if photographs:
            self._each_s += WEIGHT * (seconds / photographs - self._each_s)

    def _deliver(self, group: list[_Place], outcomes: list[Done[Any] | BaseException]) -> None:
        """On the event loop. Counted down now, not when the caller went away."""
        self._count(-sum(place.photographs for place in group))
        for place, outcome in zip(group, outcomes, strict=True):
            if place.answer.done():  # the caller is gone
                continue
            if isinstance(outcome, BaseException):
                place.answer.set_exception(outcome)
            else:
                place.answer.set_result(outcome)

    def _count(self, photographs: int) -> None:
        self.pending += photographs
        self._metrics.waiting(self.pending)
        self._told(self.pending)

    def _overload(self) -> OverloadError:
        return OverloadError(
            f"{self.pending} photographs wait, more could not be answered within {self._deadline_s:g} s",
            hint="try again after the seconds in Retry-After",
            retry_after_s=self.expected_s(0) / 2,
        )


def _results(group: list[_Place]) -> Sequence[Any]:
    """A result or an error for each place: together, or one by one when something is wrong with one."""
    try:
        return group[0].work([place.item for place in group])
    except BaseException as error:
        if len(group) == 1:
            # No future takes a StopIteration.
            return [RuntimeError(repr(error)) if isinstance(error, StopIteration) else error]
    return [_results([place])[0] for place in group]


def _tell(place: _Place, what: Callable[..., object], *words: object) -> None:
    """Say it on the loop of the caller; nobody listens any more when that is closed."""
    with contextlib.suppress(RuntimeError):
        place.answer.get_loop().call_soon_threadsafe(what, *words)
