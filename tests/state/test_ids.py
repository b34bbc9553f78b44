"""Ids ascend whatever the clock does, and processes do not meet."""

from __future__ import annotations

import os
import random
import re
import threading

import pytest

from leafsight.state import is_id, new_id
from leafsight.state.ids import IdMaker, RandomBits


def test_an_id_is_the_time_and_then_chance() -> None:
    maker = IdMaker(random_bits=lambda bits: (1 << bits) - 1)
    assert maker.make(0x1234) == "000000001234" + "f" * 20
    assert re.fullmatch(r"[0-9a-f]{32}", new_id())


def test_ids_of_later_moments_are_greater_and_of_one_moment_too() -> None:
    maker = IdMaker()
    made = [maker.make(now_ms) for now_ms in (5, 5, 5, 6, 7, 7)]
    assert made == sorted(set(made))


def test_a_clock_that_goes_back_does_not_take_the_ids_back() -> None:
    maker = IdMaker()
    made = [maker.make(now_ms) for now_ms in (1_000_000, 999, 0, -5, 1_000_001)]
    assert made == sorted(set(made))


def test_chance_that_runs_over_goes_on_in_the_next_millisecond() -> None:
    maker = IdMaker(random_bits=lambda bits: (1 << bits) - 1)
    first, second = maker.make(7), maker.make(7)
    assert first < second
    assert second.startswith("000000000008")


def test_threads_never_get_the_same_id() -> None:
    made: list[str] = []

    def make() -> None:
        made.extend([new_id() for _ in range(500)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_process_goes_another_way() -> None:
    maker = IdMaker()
    maker.make(9)
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, maker.make(9).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as said:
        assert said.read() != maker.make(9)


@pytest.mark.parametrize("text", ["", "abc", "A" * 32, "g" * 32, "0" * 33, "0" * 31 + "\n"])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)
    assert is_id("0" * 32)


def test_random_bits_are_never_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system is asked once for about a hundred ids."""
    asked: list[int] = []
    monkeypatch.setattr(
        os, "urandom", lambda count: asked.append(count) or random.Random(len(asked)).randbytes(count)
    )
    bits = RandomBits()
    taken = [bits(80) for _ in range(200)]
    assert len(set(taken)) == 200
    assert len(asked) == 2
    assert max(taken) < 1 << 80


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_process_takes_random_bits_of_its_own() -> None:
    bits = RandomBits()
    bits(80)  # the pool is filled before the fork
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, f"{bits(80)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as said:
        assert int(said.read()) != bits(80)
