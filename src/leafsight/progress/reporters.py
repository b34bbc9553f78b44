"""The protocol and its two plain bodies; the terminal's bars live in ``cli``."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

SECONDS_BETWEEN_LINES = 5.0


@runtime_checkable
class Progress(Protocol):
    """One task at a time: started, advanced, finished. Calls come from one thread."""

    def start(self, label: str, total: int | None = None) -> None:
        """Begin a task of ``total`` steps; ``None`` when the number is not known."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """``steps`` more are done; ``note`` is a short word on the present state."""

    def finish(self, note: str = "") -> None:
        """The task is over; ``note`` is its result in a few words."""


@runtime_checkable
class TextSink(Protocol):
    """What lines are written to: a stream of any kind."""

    def write(self, text: str, /) -> object:
        """Take some text."""

    def flush(self) -> None:
        """Show it now."""


class Silent:
    """Says nothing."""

    def start(self, label: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Nothing."""

    def finish(self, note: str = "") -> None:
        """Nothing."""


class Lines:
    """A line when a task starts and ends and every few seconds between: for logs and pipes."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream
        self._label = ""
        self._total: int | None = None
        self._done = 0
        self._started_s = self._told_s = 0.0

    def start(self, label: str, total: int | None = None) -> None:
        """Write the label."""
        self._label, self._total, self._done = label, total, 0
        self._started_s = self._told_s = time.monotonic()
        self._write("started")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Write a line if the last one is some seconds old."""
        self._done += steps
        now_s = time.monotonic()
        if now_s - self._told_s >= SECONDS_BETWEEN_LINES:
            self._told_s = now_s
            of = f"/{self._total}" if self._total is not None else ""
            self._write(f"{self._done}{of} {note}".rstrip())

    def finish(self, note: str = "") -> None:
        """Write how long it took and the result."""
        self._write(f"done in {time.monotonic() - self._started_s:.1f} s {note}".rstrip())

    def _write(self, text: str) -> None:
        self._stream.write(f"{self._label}: {text}\n")
        self._stream.flush()
