"""Where trials on a cluster and the command that began them meet: what a trial asks, says, and is told.

Enters: from workers, signs of life and questions whether a trial is hopeless. Leaves: the same for the
command, as soon as something is asked; and the answers for the workers. It decides nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

MOST_AT_ONCE = 10_000
"""Every worker may wait for an answer while others speak."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a trial is hopeless: its run, an epoch (from 1) and its metric on validation."""

    run: int
    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life: the machine, and how far the trial is."""

    place: str
    text: str


@dataclass(slots=True)
class News:
    """What came to the desk since it was last asked.

    Attributes:
        said: run -> the last sign of life.
        questions: in the order in which they came.
    """

    said: dict[int, Sign] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)


class Desk:
    """Lives in a process of its own, without a processor; see ``new_desk``."""

    def __init__(self) -> None:
        self._news = News()
        self._asked: dict[Question, asyncio.Future[bool]] = {}
        self._came = asyncio.Event()
        self._stop = ""

    async def tell(self, run: int, sign: Sign) -> str:
        """A worker is alive; gives the name of the signal that asks it to stop, or nothing."""
        self._news.said[run] = sign
        return self._stop

    async def judge(self, run: int, epoch: int, value: float) -> bool:
        """Whether a trial is hopeless, once the command has answered."""
        if self._stop:
            return False
        question = Question(run, epoch, value)
        answer = self._asked.setdefault(question, asyncio.get_running_loop().create_future())
        self._news.questions.append(question)
        self._came.set()
        return await answer

    async def take(self, limit_s: float) -> News:
        """What is new: at once when something was asked, else after ``limit_s``."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), limit_s)
        self._came.clear()
        news, self._news = self._news, News()
        return news

    async def answer(self, question: Question, hopeless: bool) -> None:
        """Let the worker that asked go on, or end its trial."""
        waiting = self._asked.pop(question, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(hopeless)

    async def stop(self, signal_name: str) -> None:
        """Ask every worker to stop; who waits for an answer waits no longer."""
        self._stop = signal_name
        for question in list(self._asked):
            await self.answer(question, False)


def new_desk() -> Any:
    """The handle of a desk on this machine, which workers can be given."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    made = ray.remote(num_cpus=0, max_restarts=0)(Desk)
    return made.options(max_concurrency=MOST_AT_ONCE, scheduling_strategy=here).remote()
