"""The files in an archive that a stranger sent, one after another, under names that lead nowhere else.

Enters: the bytes of a zip or tar. Leaves: names and contents, counted while they are read. The rules are
those of room ``dataset``, which also opens what is kept here: links, devices, encrypted entries and names
that lead out refuse the whole archive. Nothing is written.
"""

from __future__ import annotations

import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from leafsight.errors import DatasetError
from leafsight.service import upload_check

# What the libraries raise on bytes that are no archive, or a torn one.
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
LONGEST_NAME_BYTES = 1024**2
_LONG_NAMES = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
               tarfile.GNUTYPE_LONGLINK}  # fmt: skip
LONGEST_PATH = 4096
LITTER = {"thumbs.db", "desktop.ini", "icon\r", "__macosx"}


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


@runtime_checkable
class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _StrictInfo(tarfile.TarInfo):
    """As in room ``dataset``: a garbled header is damage, not the end, and no name fills the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _StrictInfo:
        info = super().frombuf(buf, encoding, errors)
        if info.type in _LONG_NAMES and info.size > LONGEST_NAME_BYTES:
            raise tarfile.ReadError(f"a name of {info.size} bytes")
        return info

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> _StrictInfo:
        try:
            return super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the end marker; no documented name
                raise
            raise tarfile.ReadError(f"it ends early or is garbled at byte {tar.offset}: {error}") from error


def entries_of(body: bytes, kind: str, max_file_bytes: int) -> Iterator[Entry]:
    """The plain files of an archive, in order; what desktops leave behind is passed over.

    Args:
        body: the archive.
        kind: its ending: ``zip``, ``tar`` or ``tar.gz``.
        max_file_bytes: of one file, unpacked.

    Raises:
        DatasetError: damaged, encrypted, over a limit, or with a link or a name that leads outside.
    """
    allowed = min(upload_check.MOST_UNPACKED_BYTES, int(upload_check.MOST_RATIO * len(body)) + max_file_bytes)
    count = _counter(allowed)
    with _damage_named():
        found = (_zip_entries if kind == "zip" else _tar_entries)(body, max_file_bytes, count)
        yield from (entry for entry in found if not _is_litter(entry.name))


def _counter(allowed: int) -> Callable[[int], None]:
    total = 0

    def count(unpacked_bytes: int) -> None:
        nonlocal total
        total += unpacked_bytes
        if total > allowed:
            raise DatasetError(
                f"the archive unpacks to more than {allowed:,} bytes", hint="this looks like a bomb"
            )

    return count


def _zip_entries(body: bytes, max_file_bytes: int, count: Callable[[int], None]) -> Iterator[Entry]:
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        infos = packed.infolist()
        _check_number(len(infos) - 1)
        for info in infos:
            if info.is_dir():
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                raise _refused(info.filename, "is a link or a special file")
            if info.flag_bits & 0x1:
                raise _refused(info.filename, "is encrypted")
            name = _safe_name(info.filename)
            with packed.open(info) as file:
                data = _read(file, max_file_bytes, count)
            yield Entry(name, data, info.compress_type != zipfile.ZIP_STORED)


def _tar_entries(body: bytes, max_file_bytes: int, count: Callable[[int], None]) -> Iterator[Entry]:
    with tarfile.open(fileobj=io.BytesIO(body), mode="r|*", tarinfo=_StrictInfo) as tar:
        for number, info in enumerate(tar):
            _check_number(number)
            tar.members = []  # type: ignore[attr-defined]  # tarfile keeps every header it has read
            if info.isdir():
                continue
            if not info.isreg():
                link = info.issym() or info.islnk()
                raise _refused(info.name, f"is a {'link' if link else 'device or special file'}")
            name = _safe_name(info.name)
            file = tar.extractfile(info)
            if file is None:
                continue
            if info.size > max_file_bytes:
                count(info.size)  # tarfile reads over it
                yield Entry(name, None, False)
            else:
                yield Entry(name, _read(file, max_file_bytes, count), False)


def _read(file: _Readable, max_bytes: int, count: Callable[[int], None]) -> bytes | None:
    data = file.read(max_bytes + 1)
    count(len(data))
    return data if len(data) <= max_bytes else None


def _check_number(number: int) -> None:
    if number >= upload_check.MOST_ENTRIES:
        raise DatasetError(
            f"the archive has more than {upload_check.MOST_ENTRIES} entries", hint="send it in several parts"
        )


def _safe_name(name: str) -> str:
    plain = name.encode("utf-8", "replace").decode().replace("\\", "/")
    if len(plain) > LONGEST_PATH:
        raise _refused(name, f"has a name of more than {LONGEST_PATH} characters")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    drive = len(plain) > 1 and plain[1] == ":"
    if plain.startswith("/") or drive or ".." in parts or "\0" in plain or not parts:
        raise _refused(name, "is an absolute path or leads outside the archive")
    return "/".join(parts)


def _is_litter(name: str) -> bool:
    return any(part.startswith(".") or part.lower() in LITTER for part in name.split("/"))


def _refused(name: str, what: str) -> DatasetError:
    return DatasetError(
        f"entry {name[:200]!r} {what}; the whole archive was refused",
        hint="pack only plain files and folders, with relative names",
    )


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise DatasetError(
            f"the archive is damaged or cannot be unpacked: {error}"[:500], hint="pack and send it again"
        ) from error
