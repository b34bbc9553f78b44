"""Write to a temporary name, flush, fsync, rename, fsync the folder."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from leafsight.errors import DiskFullError, PermissionDeniedError, StorageError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def os_errors_translated(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` raised inside into one of our errors about ``path``.

    Raises:
        DiskFullError: no space, quota or file-size limit left.
        PermissionDeniedError: access refused or a read-only file system.
        StorageError: anything else, such as a missing file.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(
                f"no space left while writing {path}", hint="free some space and run the command again"
            ) from error
        if error.errno in DENIED:
            raise PermissionDeniedError(
                f"no permission for {path}", hint="check the owner and mode"
            ) from error
        reason = error.strerror or str(error)
        hint = "check the path" if error.errno == errno.ENOENT else ""
        raise StorageError(f"{path}: {reason}", hint=hint) from error


@contextmanager
def replacing(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file to write to that takes the place of ``path`` only when the block ends well.

    The folder is created. On any exception the temporary file is removed and ``path`` stays as it was.

    Args:
        path: the final name.
        mode: ``"wb"`` or ``"w"`` (UTF-8, newlines as written).

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: see ``os_errors_translated``.
    """
    text = "b" not in mode
    with os_errors_translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(
                handle, mode, encoding="utf-8" if text else None, newline="" if text else None
            ) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def _umask() -> int:
    # mkstemp makes private files; what a person asked for gets the mode any other program would give it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive a power cut; does nothing where folders cannot be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, whole or not at all."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Put ``text`` at ``path`` as UTF-8, whole or not at all."""
    with replacing(path, "w") as file:
        file.write(text)
