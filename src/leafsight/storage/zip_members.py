"""The plain files of a zip, in the order of its directory."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack

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

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
PIECE_BYTES = {zipfile.ZIP_STORED: 1 << 20, zipfile.ZIP_DEFLATED: 1 << 20}
SMALL_PIECE_BYTES = 4096
"""Asked for so many bytes of bzip2 or LZMA, zipfile takes as many packed ones and unpacks them all at once.
One of bzip2 becomes 20,000."""


class _Part:
    """The bytes of one file, counted; what garbled ones raise is named."""

    def __init__(self, file: Readable, archive: Archive, budget: Budget, piece_bytes: int) -> None:
        self._file, self._archive, self._budget, self._piece_bytes = file, archive, budget, piece_bytes

    def read(self, size: int, /) -> bytes:
        pieces = []
        while size > 0:
            with damage_named(self._archive):
                piece = self._file.read(min(size, self._piece_bytes))
            if not piece:
                break
            self._budget.count_bytes(len(piece))
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def is_zip(archive: Archive) -> bool:
    """As ``zipfile.is_zipfile``, which raises on some that are damaged."""
    try:
        return zipfile.is_zipfile(_source(archive))
    except Exception as error:
        if not is_damage(error):
            raise
        return True  # a zip that will be refused, with the reason, when it is read


def zip_members(archive: Archive, limits: ArchiveLimits) -> Iterator[Member]:
    """Regular files in order.

    Raises:
        DatasetError: damaged, encrypted, over a limit, or with what could escape.
    """
    with ExitStack() as stack:
        with damage_named(archive):
            packed = stack.enter_context(zipfile.ZipFile(_source(archive)))
        budget = Budget(archive, limits)
        infos = packed.infolist()
        budget.count_entries(len(infos))
        for info in infos:
            if info.filename.endswith("/"):
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                raise refused(archive, info.filename, "is a link or a special file")
            if info.flag_bits & 0x1:
                raise refused(archive, info.filename, "is encrypted")
            name = safe_name(info.filename, archive)
            with ExitStack() as opened:
                with damage_named(archive):
                    file = opened.enter_context(packed.open(info))
                part = _Part(file, archive, budget, PIECE_BYTES.get(info.compress_type, SMALL_PIECE_BYTES))
                yield Member(name, part, info.compress_type != zipfile.ZIP_STORED)


def _source(archive: Archive) -> str | io.BytesIO:
    return io.BytesIO(archive) if isinstance(archive, bytes) else str(archive)
