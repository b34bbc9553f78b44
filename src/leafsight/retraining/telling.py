"""Says how far a retraining is, as lines that its parent reads.

Enters: parts that begin, tasks, numbers. Leaves: lines on a stream; those of tasks are as room ``progress``
writes them. It does not know who reads them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from leafsight.progress import Lines

PARTS = ("snapshot", "train", "evaluate", "gate", "publish", "promote")


class Telling(Lines):
    """A ``Progress`` that can also say which part begins, how long it will take, and numbers."""

    def part(self, part: str, ended: int) -> None:
        """A part begins.

        Args:
            part: one of ``PARTS``.
            ended: steps that ended before it; the job goes on as long as this grows.
        """
        self._line(f"step: {part} {ended}/{max(ended, len(PARTS))}")

    def eta(self, seconds: float) -> None:
        """About how long this part will still take."""
        if math.isfinite(seconds) and seconds >= 0:
            self._line(f"eta: {round(seconds)}")

    def metrics(self, numbers: Mapping[str, float]) -> None:
        """Numbers of the moment, such as the loss of an epoch."""
        plain = {name: round(value, 5) for name, value in numbers.items() if math.isfinite(value)}
        self._line(f"metrics: {json.dumps(plain)}")

    def _line(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()
