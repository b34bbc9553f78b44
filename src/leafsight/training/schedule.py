"""The learning rate of every step: a linear rise, then a cosine or a plateau."""

from __future__ import annotations

import math

from leafsight.training.options import OptimizerOptions


def learning_rate_factor(step: int, steps: int, warmup_steps: int, options: OptimizerOptions) -> float:
    """The share of a stage's learning rate at one step.

    Warm-up is linear from ``1 / warmup_steps``; the cosine (Loshchilov & Hutter 2017, SGDR, without
    restarts) falls from 1 to ``final_fraction`` at the last step.

    Args:
        step: from 0, within the stage.
        steps: of the whole stage.
        warmup_steps: of the rise; 0 for none.
        options: ``schedule`` and ``final_fraction``.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if options.schedule == "constant":
        return 1.0
    done = (step - warmup_steps) / max(1, steps - 1 - warmup_steps)
    cosine = (1.0 + math.cos(math.pi * min(1.0, done))) / 2.0
    return options.final_fraction + (1.0 - options.final_fraction) * cosine
