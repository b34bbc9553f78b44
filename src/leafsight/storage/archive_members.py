"""The plain files of a tar or zip, one stream after another; everything that could escape is refused.

Enters: an archive, as a file or as its bytes. Leaves: names and streams, and a ``DatasetError`` for whatever
a stranger may have put there. It writes nothing and does not know what the files are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from leafsight.storage.archive_rules import Archive, ArchiveLimits, Member
from leafsight.storage.tar_members import SQUEEZED_STARTS, is_tar, tar_members
from leafsight.storage.zip_members import ZIP_STARTS, is_zip, zip_members

START_BYTES = 512
TAR_MARK_AT, TAR_MARKS = 257, (b"ustar\0", b"ustar ")


def members_of(archive: Archive, limits: ArchiveLimits) -> Iterator[Member]:
    """Regular files in order; the stream of one is valid until the next is asked for.

    Raises:
        DatasetError: it is damaged, also while a file is read; or it holds a link, a device, an encrypted
            entry, a name that leads outside, too many entries or too many bytes.
    """
    return zip_members(archive, limits) if _kind(archive) == "zip" else tar_members(archive, limits)


def is_packed(archive: Archive) -> bool:
    """Whether the bytes are those of a tar (also compressed) or a zip, whole or damaged."""
    return _kind(archive) != ""


def _kind(archive: Archive) -> Literal["tar", "zip", ""]:
    """By the first bytes; then by trying, a tar first: one whose last file is a zip ends like a zip."""
    start = _start(archive)
    if start.startswith(ZIP_STARTS):
        return "zip"
    if start.startswith(SQUEEZED_STARTS) or start[TAR_MARK_AT:].startswith(TAR_MARKS) or is_tar(archive):
        return "tar"
    return "zip" if is_zip(archive) else ""


def _start(archive: Archive) -> bytes:
    if isinstance(archive, bytes):
        return archive[:START_BYTES]
    with archive.open("rb") as file:
        return file.read(START_BYTES)
