"""How far the work is, and how long the rest of a step will take at the pace of the last seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Step = Literal["read", "check", "draw", "keep"]
STEPS: tuple[Step, ...] = ("read", "check", "draw", "keep")
WINDOW_S = 15.0
TRUSTED_AFTER_S = 2.0
"""Before that a pace is a guess: the first photographs wait for the model, known ones pass in no time."""
TELL_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """How far the work is.

    Attributes:
        step: what is being done.
        done: of ``total``, within the present part of the step.
        total: 0 where nobody knows.
        left_s: until the present part is done; None where it cannot be told yet.
    """

    step: Step
    done: int = 0
    total: int = 0
    left_s: float | None = None

    @property
    def number(self) -> int:
        """Of the step, from 1."""
        return STEPS.index(self.step) + 1


class Telling:
    """A ``Progress`` that says at most five times a second how far it is.

    Args:
        tell: is told.
        now_s: a clock.
    """

    def __init__(self, tell: Callable[[Told], None], now_s: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._now_s = tell, now_s
        self._step: Step = "read"
        self._done = self._total = 0
        self._told_s = -TELL_EVERY_S
        self._seen: deque[tuple[float, int]] = deque()

    def begin(self, step: Step) -> None:
        """Another step."""
        self._step = step
        self.start("")

    def start(self, label: str, total: int | None = None) -> None:
        """A part of the step begins."""
        self._done, self._total = 0, total or 0
        self._seen.clear()
        self._say()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """So many more are done."""
        self._done += steps
        if self._now_s() - self._told_s >= TELL_EVERY_S:
            self._say()

    def finish(self, note: str = "") -> None:
        """The part is over."""
        self._done = self._total
        self._say()

    def _say(self) -> None:
        self._told_s = self._now_s()
        self._tell(Told(self._step, self._done, self._total, self._left_s()))

    def _left_s(self) -> float | None:
        now_s = self._now_s()
        self._seen.append((now_s, self._done))
        while now_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        passed_s, done = now_s - since_s, self._done - before
        if passed_s < TRUSTED_AFTER_S or done <= 0 or not self._total:
            return None
        return (self._total - self._done) * passed_s / done
