"""The bounded queue: nothing is late, what cannot be in time is refused before it begins."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

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


def queue(
    clock: Clock,
    *,
    deadline_s: float = 1.0,
    threads: int = 1,
    together: int = 4,
    metrics: Metrics | None = None,
) -> WorkQueue:
    return WorkQueue(
        threads=threads,
        deadline_s=deadline_s,
        metrics=metrics or Metrics(),
        together=together,
        now=clock,
    )


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


def taken(
    pieces: list[tuple[int, object]], *, together: int = 4, deadline_s: float = 60.0
) -> list[list[int]]:
    """Which of these pieces (photographs, what they are like) are done together when all of them wait."""
    groups: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        return [-item for item in items]

    async def run() -> None:
        waiting = queue(Clock(), together=together, deadline_s=deadline_s)
        gate = threading.Event()
        first = asyncio.create_task(waiting.do(gate.wait, 1))
        await asyncio.sleep(0)
        asked = [
            asyncio.create_task(waiting.do_together(work, number, photographs, like))
            for number, (photographs, like) in enumerate(pieces)
        ]
        await asyncio.sleep(0)
        gate.set()
        done = await asyncio.gather(first, *asked)
        assert [one.result for one in done[1:]] == [-number for number in range(len(pieces))]
        assert waiting.pending == 0
        waiting.close()

    asyncio.run(run())
    return groups


def test_what_waits_and_is_alike_is_done_together_up_to_the_limit() -> None:
    assert taken([(1, "a")] * 6) == [[0, 1, 2, 3], [4, 5]]
    assert taken([(1, "a")] * 3, together=1) == [[0], [1], [2]]
    assert taken([(1, "a"), (3, "a"), (1, "a")]) == [[0, 1], [2]]
    assert taken([(9, "a"), (1, "a")]) == [[0], [1]]


def test_only_neighbours_that_are_alike_are_done_together() -> None:
    assert taken([(1, "a"), (1, "b"), (1, "b"), (1, "a")]) == [[0], [1, 2], [3]]
    assert taken([(1, None), (1, None)]) == [[0], [1]]


def test_nobody_is_made_late_by_those_behind() -> None:
    """Three photographs would take longer than the deadline, two do not."""
    deadline_s = 2.5 * FIRST_GUESS_S

    async def run() -> list[int]:
        sizes: list[int] = []

        def work(items: Sequence[int]) -> list[int]:
            sizes.append(len(items))
            return list(items)

        waiting = queue(Clock(), deadline_s=deadline_s)
        waiting.check = lambda photographs=1: None  # type: ignore[method-assign]
        gate = threading.Event()
        asked = [asyncio.create_task(waiting.do(gate.wait, 1))]
        await asyncio.sleep(0)
        asked += [asyncio.create_task(waiting.do_together(work, n, 1, "a")) for n in range(3)]  # type: ignore[arg-type]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*asked)
        waiting.close()
        return sizes

    # What the gate took by this clock, nothing, makes the estimate a tenth shorter: 2.5 / 0.9 is below 3.
    assert asyncio.run(run()) == [2, 1]


def test_what_fails_in_a_group_fails_alone() -> None:
    metrics = Metrics()

    def work(items: Sequence[int]) -> list[int]:
        if 2 in items:
            raise ValueError("two")
        return list(items)

    async def run() -> list[object]:
        waiting = queue(Clock(), metrics=metrics)
        gate = threading.Event()
        first = asyncio.create_task(waiting.do(gate.wait, 1))
        await asyncio.sleep(0)
        asked = [asyncio.create_task(waiting.do_together(work, n, 1, "a")) for n in range(4)]
        await asyncio.sleep(0)
        gate.set()
        await first
        found = await asyncio.gather(*asked, return_exceptions=True)
        waiting.close()
        return [one if isinstance(one, BaseException) else one.result for one in found]

    found = asyncio.run(run())
    assert [found[0], found[1], found[3]] == [0, 1, 3]
    assert isinstance(found[2], ValueError)
    counted = metrics.text().decode()
    assert 'leafsight_batch_photographs_bucket{le="4.0"} 2.0' in counted
    assert "leafsight_batch_photographs_sum 5.0" in counted


def test_a_caller_who_goes_away_while_waiting_is_left_out() -> None:
    seen: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        seen.extend(items)
        return list(items)

    async def run() -> None:
        waiting = queue(Clock())
        gate = threading.Event()
        first = asyncio.create_task(waiting.do(gate.wait, 1))
        await asyncio.sleep(0)
        asked = [asyncio.create_task(waiting.do_together(work, n, 1, "a")) for n in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, asked[0], asked[2])
        assert waiting.pending == 0
        waiting.close()

    asyncio.run(run())
    assert seen == [0, 2]


def test_what_waits_when_the_queue_closes_is_cancelled() -> None:
    async def run() -> None:
        waiting = queue(Clock())
        gate = threading.Event()
        first = asyncio.create_task(waiting.do(gate.wait, 1))
        await asyncio.sleep(0)
        second = asyncio.create_task(waiting.do(lambda: pytest.fail("was begun"), 1))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(waiting.close))
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        await closing
        assert (await first).result is True

    asyncio.run(run())


def test_larger_passes_of_the_network_make_larger_groups_never_smaller_ones() -> None:
    metrics = Metrics()
    waiting = queue(Clock(), metrics=metrics)
    for size, together in ((8, 8), (1, 4)):
        waiting.suit(size)
        assert waiting._together == together
        assert f"leafsight_batch_size_chosen {float(size)}" in metrics.text().decode()
    waiting.close()


class BrokenMetrics(Metrics):
    """A fault in what surrounds the work, once."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = 1

    def together(self, photographs: int) -> None:
        self.faults -= 1
        if self.faults >= 0:
            raise OSError("no space left on device")
        super().together(photographs)


def test_a_fault_beside_the_work_is_said_to_its_callers_and_the_queue_goes_on() -> None:
    async def run() -> None:
        waiting = queue(Clock(), metrics=BrokenMetrics())
        with pytest.raises(OSError, match="no space left"):
            await asyncio.wait_for(waiting.do(lambda: 1, 1), 20)
        assert (await asyncio.wait_for(waiting.do(lambda: 2, 1), 20)).result == 2
        assert waiting.pending == 0
        waiting.close()

    asyncio.run(run())


def test_an_error_that_no_future_takes_is_an_error_all_the_same() -> None:
    def work() -> None:
        raise StopIteration

    async def run() -> None:
        waiting = queue(Clock())
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(waiting.do(work, 1), 20)
        assert (await asyncio.wait_for(waiting.do(lambda: 2, 1), 20)).result == 2
        waiting.close()

    asyncio.run(run())
