"""Ctrl-C and SIGTERM as a wish: the step is finished and the state written before the run stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from leafsight.errors import TrainingError


class TrainingStoppedError(TrainingError):
    """Somebody asked the run to stop; everything is saved."""

    slug = "training-stopped"


@dataclass
class StopRequest:
    """``signal_name`` is set once somebody asked."""

    signal_name: str = ""


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Catch SIGINT and SIGTERM inside the block; a second one acts as it would have without us.

    Outside of the main thread signals cannot be caught, and nothing is.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _frame: FrameType | None) -> None:
        request.signal_name = signal.Signals(number).name
        _restore()

    def _restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        _restore()
