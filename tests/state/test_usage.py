"""Usage on both databases: totals by window, and none is lost between threads."""

from __future__ import annotations

import threading

import pytest
from tests.state.made_records import DAY, T0

from leafsight.errors import UsageError
from leafsight.state import State

MINUTE = 60_000
START = T0 - T0 % DAY


def test_totals_are_those_of_the_window(state: State) -> None:
    count = state.usage.count
    assert count("a", "minute", 3, START) == 3
    assert count("a", "minute", 4, START + MINUTE - 1) == 7
    assert count("a", "minute", 5, START + MINUTE) == 5
    assert count("a", "day", 1, START) == 1
    assert count("a", "day", 1, START + DAY - 1) == 2
    assert count("a", "day", 1, START + DAY) == 1
    assert count("b", "minute", 1, START) == 1
    assert count(None, "minute", 9, START) == 9
    assert count("a", "minute", 0, START) == 7
    assert count("nobody", "minute", 0, START) == 0


def test_a_clock_that_goes_back_counts_in_the_old_window(state: State) -> None:
    state.usage.count("a", "minute", 2, START + MINUTE)
    assert state.usage.count("a", "minute", 1, START) == 1
    assert state.usage.count("a", "minute", 1, START + MINUTE) == 3


def test_threads_that_count_at_once_lose_nothing(state: State) -> None:
    seen: list[int] = []

    def count() -> None:
        seen.extend([state.usage.count("a", "day", 1, T0) for _ in range(25)])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 101))


@pytest.mark.parametrize(("key_id", "amount"), [("a", -1), ("a", 2**63), ("x" * 101, 1)])
def test_what_cannot_be_counted(state: State, key_id: str, amount: int) -> None:
    with pytest.raises(UsageError):
        state.usage.count(key_id, "minute", amount, T0)
