"""The plain files of a tar or zip, one stream after another; everything that could escape is refused."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from leafsight.dataset.folders import readable
from leafsight.errors import DatasetError

_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a zip method that Python has no code for
    RuntimeError,  # zipfile's word for a password
)
# A name, or the list of attributes that holds one, is longer nowhere.
MAX_NAME_BYTES = 1024**2
_NAME_HEADERS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


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


@runtime_checkable
class Readable(Protocol):
    """What tarfile and zipfile give to read a member with."""

    def read(self, size: int = ..., /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file: its name with ``/`` between parts, and its bytes until the next one is asked for."""

    name: str
    file: Readable


class _HostileHeaderError(tarfile.TarError):
    """A header that no honest program writes."""


class _StrictInfo(tarfile.TarInfo):
    """tarfile takes a torn or garbled header for the end of the archive; here only the end marker is."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _StrictInfo:
        info = super().frombuf(buf, encoding, errors)
        # tarfile reads a long name whole into memory, and a few kilobytes of gzip can announce gigabytes.
        if info.type in _NAME_HEADERS and info.size > MAX_NAME_BYTES:
            raise _HostileHeaderError(f"a name of {info.size} bytes")
        return info

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> _StrictInfo:
        try:
            return super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the end marker; the class is not a documented name
                raise
            raise tarfile.ReadError(f"it ends early or is garbled at byte {tar.offset}: {error}") from error


def members_of(archive: Path, limits: ArchiveLimits) -> Iterator[Member]:
    """Regular files in order; the stream of one is valid until the next is asked for."""
    is_zip = zipfile.is_zipfile(archive) and not _is_tar(archive)
    return _zip_members(archive, limits) if is_zip else _tar_members(archive, limits)


def is_packed(path: Path) -> bool:
    """Whether the bytes are those of a tar (also compressed) or a zip.

    The tar is asked for first: one whose last file is a zip has the end mark of a zip near its end.
    """
    return _is_tar(path) or zipfile.is_zipfile(path)


def _is_tar(path: Path) -> bool:
    """As ``tarfile.is_tarfile``, which reads the first header without any limit."""
    try:
        with tarfile.open(path, tarinfo=_StrictInfo):
            return True
    except (_HostileHeaderError, RecursionError):
        return True  # a tar that will be refused, with the reason, when it is read
    except tarfile.TarError:
        return False


def _tar_members(archive: Path, limits: ArchiveLimits) -> Iterator[Member]:
    with tarfile.open(archive, mode="r|*", tarinfo=_StrictInfo) as tar:
        for number, info in enumerate(tar):
            _check_count(number, archive, limits)
            # tarfile keeps every header it has read; a million of them are a gigabyte.
            tar.members = []  # type: ignore[attr-defined]
            if info.isdir():
                continue
            if not info.isreg():
                kind = "link" if info.issym() or info.islnk() else "device or special file"
                raise _refused(archive, info.name, f"is a {kind}")
            file = tar.extractfile(info)
            if file is not None:
                yield Member(_safe_name(info.name, archive), file)


def _zip_members(archive: Path, limits: ArchiveLimits) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        infos = packed.infolist()
        _check_count(len(infos) - 1, archive, limits)
        for info in infos:
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise _refused(archive, info.filename, "is a link or a special file")
            if info.flag_bits & 0x1:
                raise _refused(archive, info.filename, "is encrypted")
            with packed.open(info) as file:
                yield Member(_safe_name(info.filename, archive), file)


def _check_count(number: int, archive: Path, limits: ArchiveLimits) -> None:
    if number >= limits.max_entries:
        raise DatasetError(f"{archive} has more than {limits.max_entries} entries", hint="raise max_entries")


def _safe_name(name: str, archive: Path) -> str:
    """The name with ``/`` between parts.

    Raises:
        DatasetError: it is absolute, leads outside, or holds a NUL.
    """
    plain = readable(name).replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    drive = len(plain) > 1 and plain[1] == ":"
    if plain.startswith("/") or drive or ".." in parts or "\0" in plain or not parts:
        raise _refused(archive, name, "is an absolute path or leads outside the archive")
    return "/".join(parts)


def _refused(archive: Path, name: str, what: str) -> DatasetError:
    return DatasetError(
        f"{archive}: entry {name!r} {what}; the whole archive was refused",
        hint="pack only plain files and folders, with relative names",
    )


@contextmanager
def damage_named(archive: Path) -> Iterator[None]:
    """Turn what the libraries raise on a damaged archive into a ``DatasetError`` that names it."""
    try:
        yield
    except _DAMAGE as error:
        raise DatasetError(
            f"{archive} is damaged or cannot be unpacked: {error}", hint="get it again"
        ) from error
