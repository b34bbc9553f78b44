"""How many photographs go through the network at once: one, unless more are measured to be quicker.

Enters: something that runs a pass of a size. Leaves: the size at which a photograph takes the least time. It
does not know networks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SIZES = (2, 4, 8)
GAIN = 0.9
"""A larger pass has to take a tenth less time a photograph: it makes the first of them wait for the last."""
TRIES = 3
LIMIT_S = 0.3
"""For all measurements; what was not measured within it is not used."""


def quickest_pass(
    run: Callable[[int], object],
    *,
    limit_s: float = LIMIT_S,
    now: Callable[[], float] = time.perf_counter,
) -> int:
    """The size of pass with the least time a photograph, 1 where nothing is gained.

    Args:
        run: makes a pass of so many photographs; warm for 1.
        limit_s: no further size is tried after this.
        now: seconds of a clock that never goes back.
    """
    began = now()
    size, least_s = 1, _seconds(run, 1, now)
    for more in SIZES:
        if now() - began > limit_s:
            break
        run(more)  # the first pass of a size allocates
        each_s = _seconds(run, more, now) / more
        if each_s <= GAIN * least_s:
            size, least_s = more, each_s
    return size


def _seconds(run: Callable[[int], object], size: int, now: Callable[[], float]) -> float:
    """The least of a few: whatever else runs on the machine only adds."""
    least = float("inf")
    for _ in range(TRIES):
        began = now()
        run(size)
        least = min(least, now() - began)
    return least
