"""Speeds that can be compared on a machine that is never quiet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter

WARM_UP_ROUNDS = 3


def interleaved_ms(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """How long each call takes, in ms, one of each in every round.

    Taken in turns, so that a neighbour who slows the machine down slows all of them: compare the calls of one
    run with each other, never with those of another.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + WARM_UP_ROUNDS):
        for name, call in calls.items():
            started = perf_counter()
            call()
            if number >= WARM_UP_ROUNDS:
                times[name].append((perf_counter() - started) * 1e3)
    return times


def median_ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times as fast ``fast`` is: the median over the rounds of the ratio within a round."""
    return median(one / other for one, other in zip(slow, fast, strict=True))
