"""One writer at a time: a lock on an open file, gone with the process however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from leafsight.errors import LeafsightError


@contextmanager
def holding(handle: int, busy: LeafsightError) -> Iterator[None]:
    """Hold an open file until the block ends; advisory, so only those who ask are kept out.

    Not on Windows: its locks also keep readers out, and other handles of the same process.

    Args:
        handle: of the file.
        busy: raised when another process holds it.

    Raises:
        LeafsightError: ``busy``.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise busy from error
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
