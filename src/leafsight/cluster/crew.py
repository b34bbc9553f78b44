"""Workers that share tasks: answers come in the order of the tasks, whoever is lost meanwhile.

Enters: tasks, and a way to get a worker. Leaves: an answer a task. So many tasks are under way as keep
the workers busy, and no more: memory does not grow with their number. What a lost worker had begun is done
again by another; a task that loses one worker after another is an error that names it. It does not know what
a task is.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from leafsight.cluster.options import ClusterOptions
from leafsight.errors import ClusterError

T = TypeVar("T")

LOOK_S = 1.0
"""So often somebody looks whether a worker is silent, if none answers."""
FETCH_S = 60.0
"""An answer that is there comes from its machine within this."""
WAITING_EACH = 1
"""Tasks that wait at each worker, so that it need not wait for the next."""
AHEAD = 4
"""So many times the tasks under way may be done before the first of them is."""
MOST_SAID = 200


@dataclass(frozen=True, slots=True)
class Hiring(Generic[T]):
    """How workers come to be, and what is said of them.

    Attributes:
        new: gives the handle of an actor with ``begin(greeting)``, which gives the name of its machine and a
            sample of its work, and ``do(task)``.
        greeting: what ``begin`` is given.
        admit: told the machine and the sample; raises where they cannot be used.
        name: of a task, for an error.
        say: told of lost workers.
        watch: called every second; raises when there is no use in going on.
    """

    new: Callable[[], Any]
    greeting: T
    admit: Callable[[str, Any], None]
    name: Callable[[T], str]
    say: Callable[[str], None]
    watch: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Task:
    number: int
    value: Any
    losses: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    """``beginning`` is there until it has begun; ``doing`` is in the order in which it was told."""

    handle: Any
    beginning: Any
    heard_s: float
    machine: str = ""
    doing: dict[Any, _Task] = field(default_factory=dict)

    def references(self) -> list[Any]:
        return [*self.doing] if self.beginning is None else [self.beginning]


class Crew(Generic[T]):
    """As many workers as there are to be; those that are lost are replaced.

    Args:
        size: how many.
        options: how long is waited, and how often a task is done again.
        hiring: how they come to be.
    """

    def __init__(self, size: int, options: ClusterOptions, hiring: Hiring[T]) -> None:
        self._size, self._options, self._hiring = size, options, hiring
        self._each = options.cpus_per_worker + WAITING_EACH
        self._workers: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._answers: dict[int, tuple[str, Any]] = {}
        self._lost_at_start = 0
        self._some_s = time.monotonic()

    def map(self, values: Sequence[T]) -> Iterator[tuple[str, Any]]:
        """For each task, in their order, the machine that did it and its answer.

        Raises:
            ClusterError: a task lost one worker more than may be, or no worker begins; and what ``admit`` and
            ``watch`` raise.
        """
        self._waiting = deque(_Task(number, value) for number, value in enumerate(values))
        self._some_s = time.monotonic()
        try:
            for number in range(len(values)):
                self._go_on(len(values) - number, number)
                while number not in self._answers:
                    self._gather()
                    self._go_on(len(values) - number, number)
                yield self._answers.pop(number)
        finally:
            self._forget()

    def close(self) -> None:
        """End the workers; what they are at is not waited for."""
        for worker in self._workers:
            _end(worker)
        self._workers = []

    def _forget(self) -> None:
        """Nobody wants the answers any more that are still to come."""
        self._waiting.clear()
        self._answers.clear()
        for worker in self._workers:
            worker.doing.clear()

    def _go_on(self, left: int, first: int) -> None:
        """Have workers for what is left, and tell them what to do."""
        while len(self._workers) < min(self._size, left):
            handle = self._hiring.new()
            beginning = handle.begin.remote(self._hiring.greeting)
            self._workers.append(_Worker(handle, beginning, time.monotonic()))
        end = first + AHEAD * self._each * self._size
        while self._waiting and self._waiting[0].number < end:
            begun = [one for one in self._workers if one.beginning is None]
            worker = min(begun, key=lambda one: len(one.doing), default=None)
            if worker is None or len(worker.doing) >= self._each:
                return
            if not worker.doing:
                worker.heard_s = time.monotonic()
            task = self._waiting.popleft()
            worker.doing[worker.handle.do.remote(task.value)] = task

    def _gather(self) -> None:
        """Take the answers that are there, at least one if it comes soon, and see who is lost."""
        of = {reference: worker for worker in self._workers for reference in worker.references()}
        self._hiring.watch()
        ready, _ = ray.wait(list(of), num_returns=1, timeout=LOOK_S)
        if ready:
            ready, _ = ray.wait(list(of), num_returns=len(of), timeout=0)
        lost: dict[_Worker, str] = {}
        for reference in ready:
            why = self._take(of[reference], reference)
            if why:
                lost.setdefault(of[reference], why)
        now_s = time.monotonic()
        for worker in self._workers:
            if worker.doing and now_s - worker.heard_s > self._options.silence_s:
                lost.setdefault(worker, f"it was silent for {self._options.silence_s:.0f} s")
        for worker, why in lost.items():
            self._lose(worker, why)
        self._require_some(now_s)

    def _take(self, worker: _Worker, reference: Any) -> str:
        """Keep an answer; gives why the worker is lost, where it is."""
        try:
            answer = ray.get(reference, timeout=FETCH_S)
        except RayTaskError as error:
            # What a worker raises would be raised here, too: it is no loss of a worker.
            raise getattr(error, "cause", None) or error from None
        except RayActorError as error:
            return _in_short(error)
        except RayError:
            # The worker did it, and the answer is gone with a machine or does not come.
            if reference not in worker.doing:
                return "its first word was lost"
            self._again(worker.doing.pop(reference), lost=True)
            return ""
        worker.heard_s = time.monotonic()
        if worker.beginning is None:
            self._answers[worker.doing.pop(reference).number] = (worker.machine, answer)
        else:
            worker.beginning = None
            worker.machine, sample = answer
            self._lost_at_start = 0
            self._hiring.admit(worker.machine, sample)
        return ""

    def _lose(self, worker: _Worker, why: str) -> None:
        """Take back what it was told; what it was at is counted as lost with it, what waited is not."""
        self._workers.remove(worker)
        _end(worker)
        where = f" on {worker.machine}" if worker.machine else ""
        self._hiring.say(f"a worker{where} was lost ({why}); what it had begun is done again")
        if worker.beginning is not None:
            self._lost_at_start += 1
            if self._lost_at_start > self._options.max_failures:
                raise ClusterError(
                    f"{self._lost_at_start} workers were lost before they had begun: {why}",
                    hint="see what ends processes on the machines: too little memory, or another command",
                )
        doing = list(worker.doing.values())
        at_once = self._options.cpus_per_worker
        for place, task in reversed(list(enumerate(doing))):
            self._again(task, lost=place < at_once)

    def _again(self, task: _Task, *, lost: bool) -> None:
        task.losses += lost
        if task.losses > self._options.max_failures:
            raise ClusterError(
                f"{task.losses} workers were lost over the same task: {self._hiring.name(task.value)}",
                hint="what is there ends the process that works on it, or there is too little memory: "
                "try fewer workers, then without these",
            )
        self._waiting.appendleft(task)

    def _require_some(self, now_s: float) -> None:
        if any(worker.beginning is None for worker in self._workers):
            self._some_s = now_s
        elif now_s - self._some_s > self._options.start_s:
            raise ClusterError(
                f"no worker began within {self._options.start_s:.0f} s",
                hint="other work may hold the cluster's processors: wait for it, or ask for fewer workers",
            )


def _end(worker: _Worker) -> None:
    with contextlib.suppress(RayError, ValueError):
        ray.kill(worker.handle, no_restart=True)


def _in_short(error: RayActorError) -> str:
    """Why in a few words; Ray writes a page."""
    text = " ".join(str(error).split())
    for sign, words in (
        ("ut of memory", "its machine is short of memory"),
        ("running low on memory", "its machine is short of memory"),
        ("node has died", "its machine is gone"),
        ("node was terminated", "its machine is gone"),
        ("node failure", "its machine is gone"),
        ("worker process has died", "its process was killed"),
    ):
        if sign in text:
            return words
    return text[-MOST_SAID:]
