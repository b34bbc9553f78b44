"""Two fetches into one folder would write into each other's files; the second is told so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leafsight.errors import DatasetError
from leafsight.storage import os_errors_translated


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold ``folder`` until the block ends; a killed process lets go of it by itself.

    Raises:
        DatasetError: another process holds it.
    """
    with os_errors_translated(folder), (folder / "lock").open("ab") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatasetError(
                f"another fetch is at work in {folder}", hint="wait for it, or give another folder with --out"
            ) from error
        yield
