"""Runs a training again and again, each time killed at another point, until it comes to its end.

A process of its own, so that the test's is never forked; one import of torch serves all the children.
Usage: kill_driver.py WHOLE KILLED. WHOLE gets a run that nobody disturbs. Prints how many were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.storage import atomic
from leafsight.training.loop import train

MIXED = {
    "optimizer": {"ema_decay": 0.9, "warmup_epochs": 0.5},
    "mixing": {"mixup_probability": 0.5, "cutmix_probability": 0.3},
    "checkpoint_steps": 2,
    "stages": [
        {"name": "head", "epochs": 2, "trainable": "head", "learning_rate": 0.01, "views": 2},
        plain_stage(optimizer={"name": "sgd", "ema_decay": 0.9}),
        plain_stage(name="last", trainable="last:2", learning_rate=0.001),
    ],
}


def die() -> None:
    """As ``kill -9`` does it: no handler, no flush, no farewell."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at_step(number: int) -> Callable[[Path], None]:
    """Dies when the diary gets its record of a step."""

    def run(folder: Path) -> None:
        seen = 0

        def listen(event: dict[str, object]) -> None:
            nonlocal seen
            seen += event["kind"] == "step"
            if seen >= number:
                die()

        train(tiny_recipe(**MIXED), tiny_data(), folder, on_event=[listen])

    return run


def killed_at_replacement(number: int, *, before: bool) -> Callable[[Path], None]:
    """Dies just before or just after a file takes its final name."""

    def run(folder: Path) -> None:
        real, seen = os.replace, 0

        def replace(source: str, target: Path) -> None:
            nonlocal seen
            seen += 1
            if seen >= number and before:
                die()
            real(source, target)
            if seen >= number:
                die()

        atomic.os.replace = replace
        train(tiny_recipe(**MIXED), tiny_data(), folder)

    return run


POINTS = [
    killed_at_replacement(2, before=True),
    killed_at_step(1),
    killed_at_step(4),
    killed_at_replacement(6, before=True),
    killed_at_replacement(7, before=False),
    killed_at_step(5),
    killed_at_replacement(8, before=True),
]


def main(whole: Path, folder: Path) -> None:
    """Kill at every point, then let it finish."""
    # First, so that the children inherit all that torch imports late.
    train(tiny_recipe(**MIXED), tiny_data(), whole)
    killed = 0
    for point in [*POINTS, lambda path: train(tiny_recipe(**MIXED), tiny_data(), path)]:
        child = os.fork()
        if child == 0:
            point(folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
            sys.exit(1)
    print(killed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
