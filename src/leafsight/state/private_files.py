"""A file for this user alone that is whole or not there.

Enters: a path. Leaves: a temporary path beside it to write to, renamed when all went well. It does not know
what is written. ``storage.replacing`` hands out an open file with the usual mode; here SQLite opens the file
itself, and nobody else is to read it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leafsight.errors import ConflictError
from leafsight.storage import os_errors_translated, sync_folder


@contextmanager
def new_private_file(path: Path) -> Iterator[Path]:
    """A path to write to that becomes ``path`` when the block ends well; removed when it does not.

    Raises:
        ConflictError: something is at ``path`` already.
        DiskFullError, PermissionDeniedError, StorageError: see ``os_errors_translated``.
    """
    with os_errors_translated(path):
        if path.exists():
            raise ConflictError(f"{path} is there already", hint="name a folder, or another file")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            with part.open("rb") as file:
                os.fsync(file.fileno())
            # Unlike a rename this does not replace what somebody else put there meanwhile.
            os.link(part, path)
            part.unlink()
            sync_folder(path.parent)
        except FileExistsError as error:
            raise ConflictError(f"{path} is there already", hint="name another file") from error
        finally:
            with suppress(OSError):
                part.unlink()
