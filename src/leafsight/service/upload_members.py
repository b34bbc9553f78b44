"""The files in an archive that a stranger sent, one after another, each whole or too long for a photograph.

Enters: the bytes of a zip or tar. Leaves: names and contents. Room ``storage`` says what refuses an archive;
the limits are those of the process that looks into what is kept. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leafsight.service import upload_check
from leafsight.storage import is_litter, members_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive.

    Attributes:
        name: with ``/`` between parts, relative, without ``..``.
        data: what is in it; ``None`` when it is longer than one photograph may be.
        packed: whether the archive held it compressed.
    """

    name: str
    data: bytes | None
    packed: bool


def entries_of(body: bytes, max_file_bytes: int) -> Iterator[Entry]:
    """The plain files of an archive, in order; what desktops leave behind is passed over.

    Args:
        body: the archive.
        max_file_bytes: of one file, unpacked.

    Raises:
        DatasetError: damaged, encrypted, over a limit, or with a link or a name that leads outside.
    """
    for member in members_of(body, upload_check.archive_limits(max_file_bytes)):
        if not is_litter(member.name):
            data = member.file.read(max_file_bytes + 1)
            yield Entry(member.name, data if len(data) <= max_file_bytes else None, member.squeezed)
