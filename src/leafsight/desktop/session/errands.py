"""Calls that may take long, off the owner's thread; what came of them is handed over when the owner wants it.

Enters: calls, and what is to become of their results. Leaves: the same functions called on the thread that
calls ``settle``, so that their owner needs no lock. It does not know what is called.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from leafsight.desktop.session.photographs import Trouble
from leafsight.errors import LeafsightError

LOG = logging.getLogger("leafsight.desktop")
THREADS = 3
END_WITHIN_S = 5.0
Result = TypeVar("Result")
Failed = Callable[[Trouble], None]


class Errands:
    """Runs calls on a few threads.

    Args:
        wake: called on any thread when something came of a call; cheap, and welcome more than once.
        threads: calls at a time.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None, *, threads: int = THREADS) -> None:
        self._wake = wake
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None], Failed] | None] = (
            queue.SimpleQueue()
        )
        self._came: deque[Callable[[], None]] = deque()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"errand-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def do(
        self,
        call: Callable[[], Result],
        done: Callable[[Result], None] = lambda result: None,
        failed: Failed = lambda trouble: None,
    ) -> None:
        """Call it when a thread is free; then ``done`` with its result or ``failed`` with what went wrong."""
        self._calls.put((call, done, failed))

    def hand_over(self, say: Callable[[], None]) -> None:
        """From a call that is under way: call this on the owner's thread, such as to tell how far it is."""
        if not self._ended.is_set():  # who would be woken may be gone
            self._came.append(say)
            self._wake()

    def settle(self) -> None:
        """Hand over what came; on the owner's thread."""
        for _ in range(len(self._came)):
            if not self._ended.is_set():
                self._came.popleft()()

    @property
    def ended(self) -> bool:
        """Whether long calls should come to an end by themselves."""
        return self._ended.is_set()

    def close(self) -> None:
        """Nothing is handed over any more; calls under way are waited for a moment."""
        self._ended.set()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(END_WITHIN_S)

    def _run(self) -> None:
        while (taken := self._calls.get()) is not None and not self._ended.is_set():
            call, done, failed = taken
            try:
                result = call()
            except LeafsightError as error:
                self._after(failed, Trouble.of(error))
            except Exception as error:
                if self._ended.is_set():  # what it asked with may be closed by now, and nobody waits for it
                    return
                LOG.exception("an errand failed")
                self._after(
                    failed, Trouble(f"leafsight failed: {error!r}", "this is a bug of ours: report it")
                )
            else:
                self._after(done, result)

    def _after(self, then: Callable[[Any], None], value: Any) -> None:
        self.hand_over(lambda: then(value))
