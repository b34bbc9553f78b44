"""Waits for what another container is just starting.

Enters: what to do, and for how long it may be tried. Leaves: its result. It does not know what it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import click

from leafsight.errors import StateBusyError

Result = TypeVar("Result")
EVERY_S = 1.0
wait_option = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for what is needed and does not answer yet, such as a database.",
)


def patiently(
    work: Callable[[], Result],
    wait_s: float,
    say: Callable[[str], None],
    *,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Do ``work``, and again every second while what it needs is busy or away, for ``wait_s`` at most.

    Raises:
        StateBusyError: it was so to the end.
    """
    until, told = now() + wait_s, False
    while True:
        try:
            return work()
        except StateBusyError as error:
            if now() + EVERY_S > until:
                raise
            if not told:
                say(f"waiting: {error.message}")
                told = True
        sleep(EVERY_S)
