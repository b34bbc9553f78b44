"""What can be read off the epochs of a training: how many fit into a time, and when an accuracy was reached.

Enters: epochs as a contender told them. Leaves: numbers. An epoch is ``stage``, ``valid`` (accuracy) and the
seconds since the beginning by two clocks, ``wall_s`` and ``cpu_s``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

MARGIN = 0.03
ROUNDING = 1e-6  # Keras and fastai count in float32; one photograph of a million is more than that
Epochs = Sequence[dict[str, Any]]


def epochs_that_fit(epochs: Epochs, end_s: float, budget_s: float, clock: str) -> int:
    """Epochs of the last stage with which a whole schedule ends within ``budget_s``; 0 when none does.

    What comes before the last stage and after its last epoch stays as it is. A little is kept back, for no
    two runs take the same time.

    Args:
        epochs: of a run with any number of epochs in its last stage.
        end_s: when that run was done.
        budget_s: the time to keep.
        clock: ``wall_s`` or ``cpu_s``.
    """
    times = [epoch[clock] for epoch in epochs if epoch["stage"] == epochs[-1]["stage"]]
    before = [epoch[clock] for epoch in epochs if epoch["stage"] != epochs[-1]["stage"]]
    # Without an earlier stage the first epoch holds what comes before it, and the others tell what one takes.
    marks = [*before[-1:], *times] if before or len(times) == 1 else times
    each_s = median(later - sooner for sooner, later in pairwise(marks)) if len(marks) > 1 else marks[0]
    around_s = times[0] - each_s + end_s - times[-1]
    return max(0, int((budget_s * (1 - MARGIN) - around_s) / each_s))


def time_to(epochs: Epochs, accuracy: float, clock: str) -> float | None:
    """Seconds until validation first reached an accuracy; ``None`` where it never did."""
    return next((epoch[clock] for epoch in epochs if epoch["valid"] >= accuracy - ROUNDING), None)


def best(epochs: Epochs, clock: str) -> tuple[float, float]:
    """The highest accuracy in validation and when it was first reached."""
    top = max(epoch["valid"] for epoch in epochs)
    return top, next(epoch[clock] for epoch in epochs if epoch["valid"] == top)


def images_per_s(epochs: Epochs, photographs: int) -> float:
    """While the whole network trains, without validation: the median over the epochs of the last stage."""
    last = [epoch for epoch in epochs if epoch["stage"] == epochs[-1]["stage"]]
    return float(median(epoch.get("images_per_s") or photographs / epoch["train_s"] for epoch in last))
