"""A bundle as a plain zip archive or as a folder: names, sizes and bytes, nothing trusted."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

from leafsight.bundle.parts import MANIFEST, MAX_PARTS, is_known, max_size_bytes
from leafsight.errors import BundleCorruptError, BundleError
from leafsight.storage import os_errors_translated

CHUNK_BYTES = 1024 * 1024
LOCAL_MAGIC, END_MAGIC = b"PK\x03\x04", b"PK\x05\x06"
END = struct.Struct("<4sHHHHIIH")
"""End of central directory record, APPNOTE.TXT 6.3.10, 4.3.16."""
LOCAL = struct.Struct("<4sHHHHHIIIHH")
"""Local file header, APPNOTE.TXT 6.3.10, 4.3.7."""
MAX_DIRECTORY_BYTES = 64 * 1024
HINT_AGAIN = "copy or download the bundle again"
HINT_WHAT = "give a .leafsight file, or the folder of one"


@runtime_checkable
class Container(Protocol):
    """Where the parts lie."""

    def sizes(self) -> Mapping[str, int]:
        """Every file inside with its size in bytes, the manifest too."""
        ...

    def stream(self, part: str) -> Iterator[bytes]:
        """The bytes of one part in chunks."""
        ...


def open_container(path: Path) -> Container:
    """The container at ``path``.

    Raises:
        BundleError: nothing is there, or something that is no bundle.
        BundleCorruptError: an archive that is cut short or not laid out as leafsight writes it.
        PermissionDeniedError, StorageError: the system does not let us read it.
    """
    with os_errors_translated(path):
        if path.is_dir():
            return FolderContainer(path)
        if not path.exists():
            raise BundleError(f"there is no bundle at {path}", hint=HINT_WHAT)
        if not path.is_file():
            raise BundleError(f"{path} is neither a file nor a folder", hint=HINT_WHAT)
        return ZipContainer(path)


class FolderContainer:
    """A bundle laid out as a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / MANIFEST).is_file():
            raise BundleError(f"{path} is not a bundle: it has no {MANIFEST}", hint=HINT_WHAT)
        self._sizes = dict(self._walk(path, ""))

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
        count = 0
        with os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                name = prefix + entry.name
                if count > MAX_PARTS + 1 or entry.is_symlink():
                    reason = "is a link" if entry.is_symlink() else "is one file too many"
                    raise BundleCorruptError(
                        f"{self.path}: {name} {reason}", hint="leave only the bundle's own parts"
                    )
                if entry.is_dir() and name in ("calibration", "memory"):
                    yield from self._walk(Path(entry.path), f"{name}/")
                elif entry.is_file():
                    yield name, entry.stat().st_size
                else:
                    raise BundleCorruptError(f"{self.path}: {name} is not a part of a bundle")

    def sizes(self) -> Mapping[str, int]:
        """Every file inside with its size in bytes."""
        return self._sizes

    def stream(self, part: str) -> Iterator[bytes]:
        """The bytes of one part in chunks."""
        with os_errors_translated(self.path / part), (self.path / part).open("rb") as file:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")


class ZipContainer:
    """A bundle as one archive, stored without compression."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            _check_frame(file, path)
        with self._archive() as archive:
            entries = archive.infolist()
        for entry in entries:
            _check_entry(entry, path)
        self._sizes = {entry.filename: entry.file_size for entry in entries}
        if len(self._sizes) != len(entries) or sum(self._sizes.values()) > path.stat().st_size:
            raise BundleCorruptError(f"{path}: parts overlap or stand in the archive twice", hint=HINT_AGAIN)
        if MANIFEST not in self._sizes:
            raise BundleError(f"{path} is not a bundle: it has no {MANIFEST}", hint=HINT_WHAT)

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        with os_errors_translated(self.path):
            try:
                with zipfile.ZipFile(self.path) as archive:
                    yield archive
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
                raise BundleCorruptError(f"{self.path}: {error}", hint=HINT_AGAIN) from error

    def sizes(self) -> Mapping[str, int]:
        """Every file inside with its size in bytes."""
        return self._sizes

    def stream(self, part: str) -> Iterator[bytes]:
        """The bytes of one part in chunks."""
        with self._archive() as archive, archive.open(part) as file:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")


def _check_frame(file: IO[bytes], path: Path) -> None:
    """Refuse what is no archive, a cut one, and a table of contents of absurd size before it is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(4) != LOCAL_MAGIC:
        what = "is empty" if size == 0 else "is not a leafsight bundle"
        raise BundleError(f"{path} {what}", hint=HINT_WHAT)
    file.seek(max(0, size - END.size))
    tail = file.read(END.size)
    if len(tail) < END.size or not tail.startswith(END_MAGIC):
        raise BundleCorruptError(f"{path}: {_where_cut(file, size)}", hint=HINT_AGAIN)
    _, _, _, _, count, directory_bytes, directory_start, _ = END.unpack(tail)
    fits = directory_start + directory_bytes + END.size == size
    if not fits or count > MAX_PARTS + 1 or directory_bytes > MAX_DIRECTORY_BYTES:
        raise BundleCorruptError(
            f"{path}: the archive's table of contents is not one that leafsight writes", hint=HINT_AGAIN
        )


def _where_cut(file: IO[bytes], size: int) -> str:
    """Walk the parts from the front and name the one that is not whole."""
    place = 0
    for _ in range(MAX_PARTS + 1):
        file.seek(place)
        header = file.read(LOCAL.size)
        if len(header) < LOCAL.size or not header.startswith(LOCAL_MAGIC):
            break
        *_, stored_bytes, _, name_bytes, extra_bytes = LOCAL.unpack(header)
        name = file.read(name_bytes).decode("utf-8", errors="replace")
        place += LOCAL.size + name_bytes + extra_bytes + stored_bytes
        if place > size:
            return f"the file is cut short inside {name!r}"
    return "the file is cut short or has something behind its end"


def _check_entry(entry: zipfile.ZipInfo, path: Path) -> None:
    name = entry.filename
    if name != MANIFEST and not is_known(name):
        raise BundleCorruptError(f"{path}: {name!r} is not a part of a bundle", hint=HINT_AGAIN)
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise BundleCorruptError(
            f"{path}: {name} is compressed; a bundle's parts are stored plain",
            hint="pack it again with: zip -0",
        )
    if entry.flag_bits & 0x1:
        raise BundleCorruptError(f"{path}: {name} is encrypted")
    if entry.file_size > max_size_bytes(name):
        raise BundleCorruptError(f"{path}: {name} has {entry.file_size} bytes, over its limit")
