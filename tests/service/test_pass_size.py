"""Larger passes are taken where they are measured to be quicker, and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from leafsight.service.pass_size import GAIN, quickest_pass


def chosen(cost_s: Callable[[int], float], *, limit_s: float = 1000.0) -> tuple[int, set[int]]:
    """The size, and which sizes were tried, for a network whose pass takes ``cost_s`` by its own clock."""
    clock, tried = [0.0], set[int]()

    def run(size: int) -> None:
        tried.add(size)
        clock[0] += cost_s(size)

    return quickest_pass(run, limit_s=limit_s, now=lambda: clock[0]), tried


@pytest.mark.parametrize(
    ("cost_s", "size"),
    [
        (lambda size: 1.0 * size, 1),
        (lambda size: 1.2 * size if size > 1 else 1.0, 1),
        (lambda size: 0.95 * size if size > 1 else 1.0, 1),  # not a tenth less
        (lambda size: 5.0 + 0.1 * size, 8),  # an accelerator: the start costs most
        (lambda size: 0.6 * size if size in (2, 4) else 1.0 * size, 2),  # 4 gains nothing over 2
    ],
)
def test_the_size_with_the_least_time_a_photograph(cost_s: Callable[[int], float], size: int) -> None:
    assert chosen(cost_s)[0] == size


def test_measuring_ends_when_its_time_is_over() -> None:
    size, tried = chosen(lambda size: 5.0 + 0.1 * size, limit_s=20.0)
    assert (size, tried) == (2, {1, 2})


def test_a_tenth_is_enough() -> None:
    assert chosen(lambda size: GAIN * size if size == 2 else 1.0 * size)[0] == 2
