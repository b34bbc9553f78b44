"""The end of trials that are not waited for any longer.

Enters: what Ray will give for them, or the last sign of life of one. Leaves: no process that is at work for
them, as far as its machine can be reached.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from leafsight.cluster.trial_desk import Sign

END_S = 30.0


def end_now(results: list[Any]) -> None:
    """End what has not ended, and see it end."""
    left = ray.wait(results, num_returns=len(results), timeout=0)[1] if results else []
    for result in left:
        ray.cancel(result, force=True)
    if left:
        ray.wait(left, num_returns=len(left), timeout=END_S)


def kill(sign: Sign) -> None:
    """End a process that is silent: Ray would only ask it to, and one that stands still does not hear."""
    there = NodeAffinitySchedulingStrategy(sign.node, soft=False)
    killing = ray.remote(num_cpus=0, max_retries=0)(_kill_here).options(scheduling_strategy=there)
    with contextlib.suppress(RayError):  # the machine may be what is silent
        ray.get(killing.remote(sign.process), timeout=END_S)


def _kill_here(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
