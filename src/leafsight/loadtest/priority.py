"""The generator before everything else on the machine, as if it were on one of its own."""

from __future__ import annotations

import os

REAL_TIME, NICE, USUAL = "real time", "nice -10", "usual"


def hurry() -> str:
    """Let this process run as soon as it has something to do, as far as the system allows; says how far.

    It takes a few percent of a processor, and what it measures is time: on two busy cores, waiting for its
    turn made one in a hundred 4 to 21 ms late, and with real-time priority 0.2 ms (docs/loadtest.md).
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (OSError, AttributeError):  # only root may, and only Linux knows it
        pass
    else:
        return REAL_TIME
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except OSError:
        return USUAL
    return NICE
