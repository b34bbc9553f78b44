"""A file that comes from standard input or goes to standard output, where ``-`` stands for its name.

Enters: a name, and what a person would have named. Leaves: a path to read or to write; for ``-`` a temporary
file of this user alone, which is whole before a byte of it goes out. It does not know what is in it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leafsight.errors import UsageError
from leafsight.storage import os_errors_translated

PIPE = Path("-")


@contextmanager
def read_or_piped_in(file: Path) -> Iterator[Path]:
    """``file``, or for ``-`` a copy of what comes in, as long as the block lasts.

    Raises:
        UsageError: nothing is piped in; a person would wait for ever.
        DiskFullError, PermissionDeniedError, StorageError: see ``os_errors_translated``.
    """
    if file != PIPE:
        yield file
        return
    coming = sys.stdin.buffer
    if coming.isatty():
        raise UsageError("nothing is piped in", hint="name a file, or: ... - < FILE")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "standard input"
        with os_errors_translated(copy), copy.open("wb") as written:
            shutil.copyfileobj(coming, written)
        yield copy


@contextmanager
def written_or_piped_out(file: Path, suffix: str) -> Iterator[Path]:
    """``file``, or for ``-`` a path that is sent out when the block ends well.

    Args:
        file: what was asked for.
        suffix: of the temporary name.

    Raises:
        UsageError: it would go to a terminal.
        DiskFullError, PermissionDeniedError, StorageError: see ``os_errors_translated``.
    """
    if file != PIPE:
        yield file
        return
    going = sys.stdout.buffer
    if going.isatty():
        raise UsageError("a terminal is no place for it", hint="name a file, or: ... - > FILE")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"standard output{suffix}"
        yield made
        with os_errors_translated(made), made.open("rb") as read:
            shutil.copyfileobj(read, going)
        going.flush()
