"""How fast bytes come: said in words, and whether they come at all."""

from __future__ import annotations

import time

# Fewer bytes than this within the time allowed for silence is silence: a server that sends a byte now and
# then would otherwise hold us for days. Set by us: a tenth of the slowest modem that anybody remembers.
LEAST_BYTES = 1024
LARGEST_UNIT = 4


class Pace:
    """Watches one attempt.

    Args:
        total_bytes: size of the whole, for the time left.
        stall_s: length of the window in which at least ``LEAST_BYTES`` must come.
    """

    def __init__(self, total_bytes: int | None, stall_s: float) -> None:
        self._total_bytes = total_bytes
        self._stall_s = stall_s
        self._started_s = self._window_s = time.monotonic()
        self._got_bytes = self._window_bytes = 0

    def is_stalled(self, got_bytes: int) -> bool:
        """Count ``got_bytes`` more; whether the window ended with nearly nothing in it."""
        self._got_bytes += got_bytes
        self._window_bytes += got_bytes
        now_s = time.monotonic()
        if now_s - self._window_s < self._stall_s:
            return False
        enough = self._window_bytes >= LEAST_BYTES
        self._window_s, self._window_bytes = now_s, 0
        return not enough

    def note(self, have_bytes: int) -> str:
        """Such as ``812.4 MB of 868.0 MB, 3.1 MB/s, 18 s left``."""
        spent_s = time.monotonic() - self._started_s
        of = f" of {bytes_in_words(self._total_bytes)}" if self._total_bytes is not None else ""
        if spent_s <= 0.0 or not self._got_bytes:
            return bytes_in_words(have_bytes) + of
        rate = self._got_bytes / spent_s
        left = ""
        if self._total_bytes is not None:
            left = f", {seconds_in_words((self._total_bytes - have_bytes) / rate)} left"
        return f"{bytes_in_words(have_bytes)}{of}, {bytes_in_words(rate)}/s{left}"


def bytes_in_words(count: float) -> str:
    """``868.0 MB``: decimal units, as disks are sold."""
    power = 0
    while count >= 999.95 and power < LARGEST_UNIT:
        count /= 1000
        power += 1
    return f"{count:.0f} bytes" if power == 0 else f"{count:.1f} {('', 'kB', 'MB', 'GB', 'TB')[power]}"


def seconds_in_words(seconds: float) -> str:
    """``18 s``, ``4 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
