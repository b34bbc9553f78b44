"""A file that is touched as long as a process goes round: how one without HTTP shows that it is alive.

Enters: beats. Leaves: a file whose age somebody else reads. Loads nothing: whoever looks does so often.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

BEAT_S = 1.0
STALE_S = 60.0
"""Older means that the process hangs or is gone. A round may wait for a database, with limits below this."""


class Heart:
    """One for each process.

    Args:
        file: touched once a second at most.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, file: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._file, self._now = file, now
        self._last_s: float | None = None

    def beat(self) -> None:
        """Still going round. A file that cannot be written is left: the process is alive all the same."""
        if self._last_s is not None and self._now() - self._last_s < BEAT_S:
            return
        self._last_s = self._now()
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)

    def stop(self) -> None:
        """It has ended in order."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def beat_age_s(file: Path) -> float | None:
    """Seconds since the last beat, also with a clock that went back; None when there was none."""
    try:
        return abs(time.time() - file.stat().st_mtime)
    except OSError:
        return None
