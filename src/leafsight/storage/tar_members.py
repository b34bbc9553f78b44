"""The plain files of a tar, also a compressed one, read from its first byte to its last."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from leafsight.storage.archive_rules import (
    Archive,
    ArchiveLimits,
    Budget,
    Member,
    Readable,
    damage_named,
    is_damage,
    refused,
    safe_name,
)
from leafsight.storage.tar_headers import HostileHeaderError, StrictInfo

REST_BYTES = 1024**2
"""After the end marker there is padding."""
# Not left to tarfile: its stream reads one gzip or bzip2 where several follow each other, as some programs
# write them, looks at no checksum, and unpacks without a limit.
_SQUEEZED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b\x08": gzip.open,
    # A plain tar begins with a name, which may begin with BZh.
    **{b"BZh%d1AY&SY" % level: bz2.open for level in range(1, 10)},
    b"\xfd7zXZ\0": lzma.open,
    b"\x5d\0\0\x80": lzma.open,
}
SQUEEZED_STARTS = tuple(_SQUEEZED)


class _Part:
    """The bytes of one file; what garbled ones raise is named."""

    def __init__(self, file: Readable, archive: Archive) -> None:
        self._file, self._archive = file, archive

    def read(self, size: int, /) -> bytes:
        with damage_named(self._archive):
            return self._file.read(size)


def is_tar(archive: Archive) -> bool:
    """As ``tarfile.is_tarfile``, which reads the first header without any limit."""
    try:
        with _opened(archive):
            return True
    except HostileHeaderError:
        return True  # a tar that will be refused, with the reason, when it is read
    except tarfile.TarError:
        return False
    except Exception as error:
        if not is_damage(error):
            raise
        return True


def tar_members(archive: Archive, limits: ArchiveLimits) -> Iterator[Member]:
    """Regular files in order.

    Raises:
        DatasetError: damaged, over a limit, or with what could escape.
    """
    with ExitStack() as stack:
        with damage_named(archive):
            tar = stack.enter_context(_opened(archive))
        budget = Budget(archive, limits)
        while info := _next(tar, archive):
            _count(info, budget)
            if info.isdir():
                continue
            if not info.isreg():
                kind = "link" if info.issym() or info.islnk() else "device or special file"
                raise refused(archive, info.name, f"is a {kind}")
            file = tar.extractfile(info)
            if file is not None:
                yield Member(safe_name(info.name, archive), _Part(file, archive), False)
        with damage_named(archive):
            tar.fileobj.read(REST_BYTES)  # a gzip has its checksum at its end


def _next(tar: tarfile.TarFile, archive: Archive) -> tarfile.TarInfo | None:
    with damage_named(archive):
        info = tar.next()
        # tarfile keeps every header it has read; a million of them are a gigabyte.
        tar.members = []  # type: ignore[attr-defined]
        return info


def _count(info: tarfile.TarInfo, budget: Budget) -> None:
    """What is passed over is unpacked too, so what is announced counts, and before it is reached."""
    budget.count_entries(1)
    if info.isreg():
        budget.count_bytes(max(0, info.size))
    budget.check_place(info.offset_data)


@contextmanager
def _opened(archive: Archive) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        file = stack.enter_context(io.BytesIO(archive) if isinstance(archive, bytes) else archive.open("rb"))
        start = file.read(max(map(len, SQUEEZED_STARTS)))
        file.seek(0)
        unpack = next((unpack for begins, unpack in _SQUEEZED.items() if start.startswith(begins)), None)
        stream = stack.enter_context(unpack(file)) if unpack else file
        yield stack.enter_context(tarfile.open(fileobj=stream, mode="r|", tarinfo=StrictInfo))
