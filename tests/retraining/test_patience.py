"""Waiting for what comes back, and giving up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from leafsight.errors import StateBusyError, StateError
from leafsight.retraining.patience import FIRST_S, LONGEST_S, patiently


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds

    def clock(self) -> float:
        return self.now_s


def busy_for(times: int) -> Callable[[], str]:
    left = [times]

    def do() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise StateBusyError("the database does not answer")
        return "done"

    return do


def test_a_minute_without_an_answer_is_waited_for() -> None:
    time = Time()
    assert patiently(busy_for(9), sleep=time.sleep, clock=time.clock) == "done"
    assert time.now_s > 50
    assert time.pauses[0] == FIRST_S
    assert max(time.pauses) == LONGEST_S


def test_it_gives_up() -> None:
    time = Time()
    with pytest.raises(StateBusyError):
        patiently(busy_for(10**9), most_s=30, sleep=time.sleep, clock=time.clock)
    assert 30 <= time.now_s <= 30 + LONGEST_S


def test_what_is_no_waiting_matter_is_said_at_once() -> None:
    time = Time()

    def broken() -> None:
        raise StateError("it is damaged")

    with pytest.raises(StateError, match="damaged"):
        patiently(broken, sleep=time.sleep, clock=time.clock)
    assert time.pauses == []


def test_after_long_work_a_new_trouble_is_waited_for_anew() -> None:
    time = Time()
    runs = []

    def long_work() -> str:
        runs.append(1)
        time.now_s += 400
        if len(runs) < 5:
            raise StateBusyError("the database does not answer")
        return "done"

    assert patiently(long_work, most_s=600, sleep=time.sleep, clock=time.clock) == "done"
