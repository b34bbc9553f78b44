"""Headers of a tar, read by tarfile, without what tarfile trusts them with.

Enters: bytes of headers. Leaves: what they say, or a ``TarError``. It does not know names that lead outside.
"""

from __future__ import annotations

import re
import tarfile
from typing import Any, NoReturn

# A name, or the list of attributes that holds one, is longer nowhere.
MAX_NAME_BYTES = 1024**2
MOST_DIGIT_STEPS = 4_000_000
"""Ten milliseconds; a path of digits alone needs a quarter."""
_NAME_HEADERS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
_LENGTH = re.compile(rb"([0-9]{1,20}) ")


class HostileHeaderError(tarfile.TarError):
    """A header that no honest program writes, or that costs more than a photograph is worth."""


class StrictInfo(tarfile.TarInfo):
    """tarfile takes a torn or garbled header for the end of the archive; here only the end marker is."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> StrictInfo:
        """One header; tarfile would read a name of any length into memory, and gzip makes it from nothing."""
        info = super().frombuf(buf, encoding, errors)
        if info.type in _NAME_HEADERS and info.size > MAX_NAME_BYTES:
            raise HostileHeaderError(f"a name of {info.size} bytes")
        if info.type == tarfile.GNUTYPE_SPARSE:
            cls._refuse_sparse()
        return info

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> StrictInfo:
        """The next header that is a file's, with what the headers before it say."""
        try:
            info = super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the end marker; the class is not a documented name
                raise
            raise tarfile.ReadError(f"it ends early or is garbled at byte {tar.offset}: {error}") from error
        if info.issparse():
            cls._refuse_sparse()
        return info

    def _proc_pax(self, tar: tarfile.TarFile) -> Any:
        stream: Any = tar.fileobj
        body = stream.read(-(-self.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        _check_attributes(body[: self.size])
        tar.fileobj = _Replay(body, stream)
        try:
            return super()._proc_pax(tar)  # type: ignore[misc]
        finally:
            tar.fileobj = stream

    def _proc_gnusparse_10(self, *_: object) -> NoReturn:
        self._refuse_sparse()

    @staticmethod
    def _refuse_sparse() -> NoReturn:
        """The map of the holes has no end that tarfile would not wait for, in memory."""
        raise HostileHeaderError("it holds a sparse file; pack it without --sparse")


class _Replay:
    """A stream that gives once more what was read of it last."""

    def __init__(self, first: bytes, stream: Any) -> None:
        self._first, self._stream = first, stream

    def read(self, size: int) -> Any:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _check_attributes(body: bytes) -> None:
    """Refuse what makes tarfile slow or large before Python 3.11.10 and 3.12.6 (CVE-2024-6232).

    It looks for a charset in the square of the longest run of digits, and a record without its own ``=`` gets
    all that follows as its name, once for every record.
    """
    if sum(len(run) ** 2 for run in re.findall(rb"[0-9]+", body)) > MOST_DIGIT_STEPS:
        raise HostileHeaderError("a list of attributes of digits")
    at = 0
    while at < len(body) and body[at]:
        length = _LENGTH.match(body, at)
        end = at + int(length[1]) if length else 0
        if length is None or not length.end() < end <= len(body) or body[end - 1 : end] != b"\n":
            raise HostileHeaderError("a garbled list of attributes")
        if body.find(b"=", length.end() + 1, end) < 0:
            raise HostileHeaderError("a garbled list of attributes")
        at = end
