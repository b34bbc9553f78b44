from __future__ import annotations

import threading
import time

import pytest
import torch

from leafsight.training.prefetch import prefetched


def test_order_is_kept_and_everything_comes() -> None:
    assert list(prefetched(lambda n: n * n, range(20))) == [n * n for n in range(20)]
    assert list(prefetched(lambda n: n, [])) == []


def test_the_next_one_is_made_while_this_one_is_used() -> None:
    made = threading.Event()

    def make(number: int) -> int:
        if number == 1:
            made.set()
        return number

    batches = prefetched(make, range(3))
    assert next(batches) == 0
    assert made.wait(5), "item 1 waits for the consumer of item 0"
    batches.close()  # type: ignore[attr-defined]


def test_a_consumer_that_waits_has_two_at_work_and_order_is_kept() -> None:
    together = threading.Barrier(2)

    def make(number: int) -> int:
        together.wait(5)  # one thread alone would wait here in vain
        time.sleep(0.02 if number % 2 == 0 else 0)  # the later one is ready first
        return number

    assert list(prefetched(make, range(6))) == list(range(6))


def test_an_exception_comes_out_in_its_place() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("broken photograph")
        return number

    seen = []
    with pytest.raises(ValueError, match="broken photograph"):
        for number in prefetched(make, range(5)):
            seen.append(number)
    assert seen == [0, 1]


def test_closing_early_drops_the_rest_and_ends_the_thread() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        time.sleep(0.01)
        made.append(number)
        return number

    before = threading.active_count()
    batches = prefetched(make, range(1000))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert len(made) <= 4


def test_torch_inside_has_its_own_number_of_threads() -> None:
    mine = torch.get_num_threads()
    assert list(prefetched(lambda _: torch.get_num_threads(), [0], threads=1)) == [1]
    assert torch.get_num_threads() == mine
