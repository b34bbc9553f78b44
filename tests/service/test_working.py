"""The bounded queue: nothing is late, what cannot be in time is refused before it begins."""

from __future__ import annotations

import asyncio
import threading

import pytest

from leafsight.errors import OverloadError
from leafsight.service.metrics import Metrics
from leafsight.service.working import FILLED, FIRST_GUESS_S, WorkQueue


class Clock:
    """Goes on only when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def queue(clock: Clock, *, deadline_s: float = 1.0, threads: int = 1) -> WorkQueue:
    return WorkQueue(threads=threads, deadline_s=deadline_s, metrics=Metrics(), now=clock)


def test_work_is_done_in_the_order_of_arrival() -> None:
    order: list[int] = []

    async def run() -> None:
        waiting = queue(Clock())
        await asyncio.gather(*(waiting.do(lambda n=n: order.append(n), 1) for n in range(8)))
        assert waiting.pending == 0
        waiting.close()

    asyncio.run(run())
    assert order == list(range(8))


def test_more_than_can_be_done_in_time_is_refused_at_once_with_a_time_to_come_back() -> None:
    async def run() -> None:
        waiting = queue(Clock(), deadline_s=4 * FIRST_GUESS_S / FILLED)
        gate = threading.Event()
        held = [asyncio.create_task(waiting.do(gate.wait, 1)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadError) as refused:
            await waiting.do(lambda: pytest.fail("was begun"), 1)
        assert refused.value.retry_after_s == pytest.approx(2 * FIRST_GUESS_S)
        assert waiting.pending == 4
        gate.set()
        await asyncio.gather(*held)
        assert (await waiting.do(lambda: "again", 1)).result == "again"
        waiting.close()

    asyncio.run(run())


def test_one_large_request_is_taken_when_nothing_waits() -> None:
    async def run() -> int:
        waiting = queue(Clock(), deadline_s=FIRST_GUESS_S)
        done = await waiting.do(lambda: 7, 100)
        waiting.close()
        return done.result

    assert asyncio.run(run()) == 7


def test_what_waited_too_long_is_not_begun() -> None:
    """The estimate can be wrong: the work before took longer than any before it."""
    clock = Clock()

    async def run() -> None:
        waiting = queue(clock, deadline_s=1.0)

        def slow() -> None:
            clock.seconds += 5

        first = asyncio.create_task(waiting.do(slow, 1))
        second = asyncio.create_task(waiting.do(lambda: pytest.fail("was begun"), 1))
        await first
        with pytest.raises(OverloadError):
            await second
        assert waiting.pending == 0
        waiting.close()

    asyncio.run(run())


def test_the_estimate_follows_what_photographs_take() -> None:
    clock = Clock()

    async def run() -> None:
        waiting = queue(clock, deadline_s=60)

        def work() -> None:
            clock.seconds += 4 * 0.5

        for _ in range(60):
            await waiting.do(work, 4)
        assert waiting.expected_s(10) == pytest.approx(5.0, rel=0.02)
        waiting.close()

    asyncio.run(run())


def test_a_failure_is_the_callers_and_leaves_the_queue_in_order() -> None:
    async def run() -> None:
        waiting = queue(Clock())

        def broken() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await waiting.do(broken, 3)
        await asyncio.sleep(0)
        assert waiting.pending == 0
        waiting.close()

    asyncio.run(run())
