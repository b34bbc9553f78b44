"""What workers say to the command that started them, and what it asks of them.

Enters: progress of a worker. Leaves: the same progress here, replayed; and one word back, whether the work is
to stop. One call carries both, a few times a second, and nobody waits for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from leafsight.errors import LeafsightError
from leafsight.progress import Progress

TELL_S = 0.5
ANSWER_S = 30.0
MOST_WAITING = 1000
"""Told and not yet fetched; older ones are dropped, since a command that stopped listening needs none."""

Said = tuple[str, tuple[Any, ...]]


class Board:
    """Lives in a process of its own, without a processor; see ``new_board``."""

    def __init__(self) -> None:
        self._said: list[Said] = []
        self._stop = ""
        self._attempts = 0
        self._verdict: LeafsightError | None = None

    def tell(self, said: list[Said]) -> str:
        """Take what a worker says; gives the name of the signal that asks it to stop, or nothing."""
        self._said = [*self._said, *said][-MOST_WAITING:]
        return self._stop

    def take(self) -> list[Said]:
        """What was said since the last time."""
        said, self._said = self._said, []
        return said

    def attempt(self) -> int:
        """How often the work was begun before; counts this time."""
        self._attempts += 1
        return self._attempts - 1

    def end(self, error: LeafsightError) -> None:
        """Something that no other attempt would get over; the first such error counts."""
        self._verdict = self._verdict or error

    def verdict(self) -> LeafsightError | None:
        """What ended the work, if something did."""
        return self._verdict

    def stop(self, signal_name: str) -> None:
        """Ask every worker to stop."""
        self._stop = signal_name


def new_board() -> Any:
    """The handle of a board on this machine, which workers can be given; it lives as long as the command."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    made = ray.remote(num_cpus=0, max_restarts=0)(Board)
    return made.options(scheduling_strategy=here).remote()


class BoardProgress:
    """A ``Progress`` for a worker: what it is told appears where the command runs.

    Args:
        board: of ``new_board``.
        hear: called with the name of the signal that asks for a stop.
    """

    def __init__(self, board: Any, hear: Callable[[str], None] | None = None) -> None:
        self._board = board
        self._hearer = hear
        self._waiting: list[Said] = []
        self._told_s = 0.0
        self._answer: Any = None
        self.signal_name = ""

    def start(self, label: str, total: int | None = None) -> None:
        """See ``Progress``."""
        self._say("start", label, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """See ``Progress``; steps between two calls to the board become one."""
        if self._waiting and self._waiting[-1][0] == "advance":
            steps += self._waiting.pop()[1][0]
        self._say("advance", steps, note)

    def finish(self, note: str = "") -> None:
        """See ``Progress``."""
        self._say("finish", note)
        self.flush()

    def flush(self) -> None:
        """Send what waits, now."""
        self._told_s = time.monotonic()
        said, self._waiting = self._waiting, []
        self._hear()
        self._answer = self._board.tell.remote(said)

    def _say(self, what: str, *values: Any) -> None:
        self._waiting.append((what, values))
        if time.monotonic() - self._told_s >= TELL_S:
            self.flush()

    def _hear(self) -> None:
        """The answer to the call before, if it is there; a board that is gone asks for nothing."""
        if self._answer is None:
            return
        with contextlib.suppress(RayError):
            ready, _ = ray.wait([self._answer], timeout=0)
            name = str(ray.get(ready[0], timeout=ANSWER_S)) if ready else ""
            if name and not self.signal_name:
                self.signal_name = name
                if self._hearer is not None:
                    self._hearer(name)


def replay(said: list[Said], progress: Progress) -> None:
    """Do to ``progress`` what workers did to theirs."""
    for what, values in said:
        getattr(progress, what)(*values)


@contextlib.contextmanager
def replayed(board: Any, progress: Progress) -> Iterator[None]:
    """Inside the block a thread shows here what the workers say."""
    done = threading.Event()

    def listen() -> None:
        while True:
            over = done.wait(TELL_S)
            with contextlib.suppress(RayError):
                replay(ray.get(board.take.remote(), timeout=ANSWER_S), progress)
            if over:
                return

    thread = threading.Thread(target=listen, name="board", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=2 * ANSWER_S)
