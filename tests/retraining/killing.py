"""Retrainings that are killed: each life is a process, forked from one that has loaded everything."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.retraining import engine
from leafsight.retraining.order import order_from
from leafsight.retraining.program import retrain
from leafsight.retraining.telling import Telling
from leafsight.storage import write_json

STEPS = ("snapshot", "train", "evaluate", "gate", "publish", "promote", "watch")
POINTS = tuple(f"{step}:{when}" for step in STEPS for when in ("begun", "done"))
"""Places to die at, in the order in which a retraining comes by."""
MOST_LIVES = 200
MOST_S = 120.0


def live(values: dict[str, Any], out: str, at: str) -> None:
    """One life: the whole program without its way in. ``at`` names where it kills itself, if anywhere.

    ``train:begun`` dies before the work of a step, ``train:done`` after it and before it is written down.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    real = engine.step

    def deadly(name: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            _die_if(at == f"{name}:begun")
            found = do()
            _die_if(at == f"{name}:done")
            return found

        return real(name, work)

    engine.step = deadly
    with Path(f"{out}.talk").open("a", encoding="utf-8") as talk:
        result = retrain(order_from(values), Telling(talk))
    write_json(Path(out), result)


def _die_if(so: bool) -> None:
    if so:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Lives:
    """What became of one job."""

    result: dict[str, Any]
    talk: list[str]
    kills: int


def until_it_ends(values: dict[str, Any], out: Path, deaths: Iterator[str | float]) -> Lives:
    """Begin the program again until it ends by itself.

    Args:
        values: what the program is asked for.
        out: file for its result.
        deaths: of each life where (see ``live``) or after how many seconds it is killed; at their end nobody
            is killed any more.
    """
    for kills in range(MOST_LIVES):
        death = next(deaths, "")
        process = _forked().Process(
            target=live, args=(values, str(out), death if isinstance(death, str) else "")
        )
        process.start()
        if isinstance(death, float):
            process.join(death)
            process.kill()
        process.join(MOST_S)
        assert process.exitcode is not None, "it hangs"
        if process.exitcode == 0:
            talk = Path(f"{out}.talk").read_text(encoding="utf-8").splitlines()
            return Lives(json.loads(out.read_bytes()), talk, kills)
        assert process.exitcode == -signal.SIGKILL, Path(f"{out}.talk").read_text(encoding="utf-8")[-2000:]
    raise AssertionError(f"it did not end in {MOST_LIVES} lives")


def chances(seed: int, most_s: float) -> Iterator[float]:
    """Random moments to be killed at, three to a job."""
    rng = random.Random(seed)
    for _ in range(3):
        yield rng.uniform(0.0, most_s)


def _forked() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "leafsight.retraining.workflow",
            "leafsight.retraining.quick",
            "leafsight.retraining.gate",
            "leafsight.retraining.gate_page",
            "leafsight.state.opening",
            "leafsight.inference",
            "leafsight.monitoring",
            "tests.retraining.killing",
        ]
    )
    return context
