"""One photograph from where it is to where it goes, with proof that it is the one that was indexed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leafsight.storage import os_errors_translated

COPY_BYTES = 1 << 20
# A disk, a file system or a rule that allows no second name for this file; a copy may still work.
CANNOT_LINK = {
    errno.EXDEV,
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
}


class LostPhotoError(Exception):
    """A photograph that cannot be copied as it was indexed; never leaves this package.

    Args:
        kind: one of ``report.LOST_KINDS``.
        reason: why, in a sentence.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def place(source: Path, target: Path, sha256: str, size_bytes: int, *, link: bool) -> bool:
    """Make ``target`` hold the photograph.

    Args:
        source: where it is; only read.
        target: where it goes; the folder exists and the name is free.
        sha256: what its bytes must hash to.
        size_bytes: how many there must be.
        link: give the file a second name if the disk can do that.

    Returns:
        Whether it was linked.

    Raises:
        LostPhotoError: the photograph is gone, unreadable or another one; ``target`` is not there then.
        DiskFullError, PermissionDeniedError, StorageError: the target cannot be written.
    """
    if link and _linked(source, target):
        try:
            _check(_blocks(target, size_bytes), sha256)
        except BaseException:
            with suppress(OSError):
                target.unlink()
            raise
        return True
    blocks = _blocks(source, size_bytes)
    digest = hashlib.sha256()
    with os_errors_translated(target):
        try:
            with target.open("xb") as out:
                for block in blocks:
                    digest.update(block)
                    out.write(block)
            _compare(digest.hexdigest(), sha256)
            _keep_time(source, target)
        except BaseException:
            with suppress(OSError):
                target.unlink()
            raise
    return False


def read_checked(source: Path, sha256: str, size_bytes: int) -> bytes:
    """The bytes of the photograph.

    Raises:
        LostPhotoError: it is gone, unreadable or another one.
    """
    data = b"".join(_blocks(source, size_bytes))
    _compare(hashlib.sha256(data).hexdigest(), sha256)
    return data


def _linked(source: Path, target: Path) -> bool:
    with _source_errors():
        original = source.resolve(strict=True)  # a second name for a link would be a link to somewhere else
        if not stat.S_ISREG(original.stat().st_mode):
            raise LostPhotoError("changed", "it is no plain file any more")
    try:
        os.link(original, target)
    except OSError as error:
        if error.errno in CANNOT_LINK:
            return False
        with os_errors_translated(target):
            raise
    return True


def _blocks(source: Path, size_bytes: int) -> Iterator[bytes]:
    """The bytes in blocks, at most one block more than expected: a file that grows would never end."""
    left = size_bytes + 1
    with _source_errors():
        if not stat.S_ISREG(source.stat().st_mode):
            raise LostPhotoError("changed", "it is no plain file any more")
        file = source.open("rb")
    with file:
        while left > 0:
            with _source_errors():
                block = file.read(min(COPY_BYTES, left))
            if not block:
                return
            left -= len(block)
            yield block


def _check(blocks: Iterator[bytes], sha256: str) -> None:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    _compare(digest.hexdigest(), sha256)


def _compare(found: str, sha256: str) -> None:
    if found != sha256:
        raise LostPhotoError("changed", "its bytes are not those that were indexed")


def _keep_time(source: Path, target: Path) -> None:
    with suppress(OSError):  # a file system without times, or a source that went away just now
        status = source.stat()
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextmanager
def _source_errors() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LostPhotoError("gone", "the file is not there any more") from error
    except OSError as error:
        raise LostPhotoError("unreadable", error.strerror or str(error)) from error
    except RuntimeError as error:  # pathlib's word for a loop of links
        raise LostPhotoError("unreadable", "a loop of links") from error
