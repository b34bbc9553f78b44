"""What holds for every archive, whatever its format: limits, names, and what is said when it is refused.

Enters: an archive and what was found in it. Leaves: ``Member``, or a ``DatasetError``. It opens nothing.
An archive is a file of the person who asks, or bytes that somebody sent; what is said is said to them.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from leafsight.errors import DatasetError, LeafsightError
from leafsight.storage.names import readable

Archive = Path | bytes
_DAMAGE_AS_OS_ERROR = {None, errno.EINVAL}
"""bz2 says so of bytes that it cannot read, and zipfile seeks to where a garbled length points."""
MAX_NAME_CHARACTERS = 4096
HEADER_BYTES = 8 * 1024
"""Headers and padding of an entry of a tar, on the average: two long names and the notes of a system."""
LONGEST_SHOWN, LONGEST_SAID = 200, 500


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold; the defaults fit every public leaf collection.

    Attributes:
        max_entries: files and folders.
        max_total_bytes: all files together, unpacked.
        max_file_bytes: one file, unpacked; a larger one becomes a row with a fault.
        max_ratio: unpacked bytes for each byte of the archive. Photographs hardly shrink (1.0 to 1.2), and
            deflate reaches 1032 on zeros.
    """

    max_entries: int = 1_000_000
    max_total_bytes: int = 200 * 1024**3
    max_file_bytes: int = 64 * 1024**2
    max_ratio: float = 100.0

    def allowed_bytes(self, packed_bytes: int) -> int:
        """What an archive of so many bytes may hold, unpacked."""
        return min(self.max_total_bytes, int(self.max_ratio * packed_bytes) + self.max_file_bytes)


@runtime_checkable
class Readable(Protocol):
    """The bytes of a member, one piece after another."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: with ``/`` between parts, relative, without ``..``.
        file: its bytes, until the next member is asked for.
        squeezed: whether this file is compressed by itself, as in a zip.
    """

    name: str
    file: Readable
    squeezed: bool


class Budget:
    """Counts entries and unpacked bytes, and refuses the archive when there are too many."""

    def __init__(self, archive: Archive, limits: ArchiveLimits) -> None:
        self._archive, self._limits = archive, limits
        packed_bytes = len(archive) if isinstance(archive, bytes) else archive.stat().st_size
        self._allowed_bytes = limits.allowed_bytes(packed_bytes)
        self._entries = self._unpacked_bytes = 0

    def count_entries(self, number: int) -> None:
        """So many more were met.

        Raises:
            DatasetError: there are more than ``max_entries``.
        """
        self._entries += number
        if self._entries > self._limits.max_entries:
            raise DatasetError(
                f"{_called(self._archive)} has more than {self._limits.max_entries} entries",
                hint=_to_whom(
                    self._archive,
                    "raise max_entries, or make several archives of it",
                    "send it in several parts",
                ),
            )

    def count_bytes(self, unpacked_bytes: int) -> None:
        """So many more were unpacked, or are about to be.

        Raises:
            DatasetError: there are more than the archive may hold.
        """
        self._unpacked_bytes += unpacked_bytes
        if self._unpacked_bytes > self._allowed_bytes:
            raise self._too_much()

    def check_place(self, place_bytes: int) -> None:
        """A file begins so far from the beginning of what was unpacked.

        Raises:
            DatasetError: the headers before it hold more than the archive may hold.
        """
        if place_bytes > self._allowed_bytes + HEADER_BYTES * self._entries:
            raise self._too_much()

    def _too_much(self) -> DatasetError:
        return DatasetError(
            f"{_called(self._archive)} unpacks to more than {self._allowed_bytes} bytes, which is more than "
            f"is allowed ({self._limits.max_ratio:g} times its size, at most {self._limits.max_total_bytes})",
            hint=_to_whom(
                self._archive,
                "this looks like a bomb; if you trust it, raise max_ratio or max_total_bytes",
                "this looks like a bomb",
            ),
        )


def safe_name(name: str, archive: Archive) -> str:
    """The name with ``/`` between parts.

    Raises:
        DatasetError: it is absolute, leads outside, holds a NUL, or is longer than any path.
    """
    plain = readable(name).replace("\\", "/")
    if len(plain) > MAX_NAME_CHARACTERS:
        raise refused(archive, name, f"has a name of more than {MAX_NAME_CHARACTERS} characters")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    drive = len(plain) > 1 and plain[1] == ":"
    if plain.startswith("/") or drive or ".." in parts or "\0" in plain or not parts:
        raise refused(archive, name, "is an absolute path or leads outside the archive")
    return "/".join(parts)


def refused(archive: Archive, name: str, what: str) -> DatasetError:
    """What is said of an archive with an entry that may not be there."""
    return DatasetError(
        f"{_called(archive)}: entry {name[:LONGEST_SHOWN]!r} {what}; the whole archive was refused",
        hint="pack only plain files and folders, with relative names",
    )


def _called(archive: Archive) -> str:
    return "the archive" if isinstance(archive, bytes) else str(archive)


def _to_whom(archive: Archive, owner: str, sender: str) -> str:
    return sender if isinstance(archive, bytes) else owner


def is_damage(error: Exception) -> bool:
    """Whether a library raised it for what is in the archive, and neither we nor the machine did."""
    if isinstance(error, OSError):
        return error.errno in _DAMAGE_AS_OS_ERROR
    return not isinstance(error, LeafsightError | MemoryError)


@contextmanager
def damage_named(archive: Archive) -> Iterator[None]:
    """Turn what a library raises on a damaged archive into a ``DatasetError`` that names it.

    Around the libraries only, never around who uses them. No list of exceptions would be whole: of garbled
    bytes tarfile and zipfile make a ``UnicodeDecodeError``, an ``IndexError``, a ``TypeError`` and more.
    """
    try:
        yield
    except Exception as error:
        if not is_damage(error):
            raise
        raise DatasetError(
            f"{_called(archive)} is damaged or cannot be unpacked: {error}"[:LONGEST_SAID],
            hint=_to_whom(archive, "get it again", "pack and send it again"),
        ) from error
