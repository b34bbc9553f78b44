"""Names for records: 32 hex digits that sort by time.

Enters: the clock. Leaves: an id that is above every earlier one of this process. It does not know what the
id names.

The layout is that of a ULID (https://github.com/ulid/spec): 48 bits of milliseconds, 80 random bits. The
spec counts up by one within a millisecond; here it is a random amount, so that processes which were forked
with the same last id go apart, and so that nobody can guess the next one.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable

RANDOM_BITS = 80
STEP_BITS = 64
ID_CHARS = 32
MAX_MS = (1 << 48) - 1
POOL_BYTES = 1024


def clock_ms() -> int:
    """Milliseconds since 1970 in UTC."""
    return time.time_ns() // 1_000_000


class RandomBits:
    """The system's random bits, taken from it a hundred ids at a time; a forked process takes its own."""

    def __init__(self) -> None:
        self._pool, self._lock = b"", threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def __call__(self, bits: int) -> int:
        """So many random bits, a multiple of eight; no other call gets the same ones."""
        length = bits // 8
        with self._lock:
            if len(self._pool) < length:
                self._pool = os.urandom(POOL_BYTES)
            taken, self._pool = self._pool[:length], self._pool[length:]
        return int.from_bytes(taken)

    def _forget(self) -> None:
        self._pool, self._lock = b"", threading.Lock()


class IdMaker:
    """Makes ids that ascend, whatever the clock does.

    Args:
        random_bits: gives that many random bits.
    """

    def __init__(self, random_bits: Callable[[int], int] | None = None) -> None:
        self._random_bits = random_bits or RandomBits()
        self._last = 0
        self._lock = threading.Lock()

    def make(self, now_ms: int) -> str:
        """The next id; above the last one even when the clock went back."""
        fresh = (min(max(now_ms, 0), MAX_MS) << RANDOM_BITS) | self._random_bits(RANDOM_BITS)
        with self._lock:
            if fresh <= self._last:
                fresh = self._last + 1 + self._random_bits(STEP_BITS)
            self._last = fresh
        return f"{fresh:032x}"


_MAKER = IdMaker()


def new_id(now_ms: int | None = None) -> str:
    """A new id: 32 hex digits, above all that this process made before.

    Args:
        now_ms: milliseconds since 1970 in UTC; the computer's clock when not given.
    """
    return _MAKER.make(clock_ms() if now_ms is None else now_ms)


def is_id(text: str) -> bool:
    """Whether ``text`` has the form of an id."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None
