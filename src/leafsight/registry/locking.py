"""One process changes the registry at a time; readers need no lock.

Enters: the folder and how long to wait. Leaves: the right to change it, until the block ends or the process
does. It does not know what is changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from leafsight.errors import StateBusyError
from leafsight.storage import holding, os_errors_translated

LOCK = ".lock"
PAUSE_S = 0.01


@contextmanager
def alone_in(folder: Path, timeout_s: float) -> Iterator[None]:
    """Keep other processes and threads from changing ``folder`` until the block ends; makes the folder.

    Raises:
        StateBusyError: another one was still at it after ``timeout_s``.
        DiskFullError, PermissionDeniedError, StorageError: the lock's file cannot be made.
    """
    with os_errors_translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        with ExitStack() as stack:
            _enter(stack, handle, folder, time.monotonic() + timeout_s)
            yield
    finally:
        os.close(handle)


def _enter(stack: ExitStack, handle: int, folder: Path, until_s: float) -> None:
    # Asked again and again instead of once with waiting: a wait inside the system has no time limit.
    busy = StateBusyError(f"another process is changing the registry {folder}", hint="try again in a moment")
    while True:
        try:
            stack.enter_context(holding(handle, busy))
            return
        except StateBusyError:
            if time.monotonic() >= until_s:
                raise
        time.sleep(PAUSE_S)
