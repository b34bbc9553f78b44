"""What was sent, as it may be kept: photographs with what the camera wrote into them left out.

Enters: the body of an upload. Leaves: the bytes to keep, and what was left out of an archive. JPEG, PNG and
WebP lose nothing but their notes; BMP and TIFF become PNG. An archive is written anew, entry by entry, of
photographs and of what says which class they are of. Nothing touches the disk before it is stripped.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from leafsight.errors import ImageError, ImageTooLargeError
from leafsight.images import DecodeLimits, ImageFormat, decode, read_header, strip_metadata
from leafsight.service.upload_labels import label_file
from leafsight.service.upload_members import entries_of
from leafsight.service.upload_types import ending_of
from leafsight.storage import free_name

STRIPPER = ThreadPoolExecutor(1, "stripping")
"""One upload at a time in a process: the bodies of the others wait in memory as they came."""
SHOWN, LONGEST = 10, 100
GROWTH = 2
"""An archive of TIFF may grow when it becomes PNG, but not without end."""
SPARE_BYTES = 1024**2
WRITTEN_ANEW = 10
"""BMP and TIFF in one archive: as many pixels as so many photographs of the greatest size. A small TIFF may
hold very many, and each has to be decoded."""
PNG_EFFORT = 1

Write = Callable[[str, bytes, bool], None]


@dataclass(slots=True)
class Kept:
    """What is to be kept of an upload.

    Attributes:
        body: its bytes.
        ending: of the file's name.
        left_out: files of an archive that are not in ``body``.
        examples: some of their names, each with the reason.
    """

    body: bytes
    ending: str
    left_out: int = 0
    examples: list[str] = field(default_factory=list)

    def leave_out(self, name: str, why: str) -> None:
        """Count a file that is not kept."""
        self.left_out += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"{name[:LONGEST]} ({why[:LONGEST]})")

    @property
    def notes(self) -> list[str]:
        """One sentence on what is missing; none when nothing is."""
        if not self.left_out:
            return []
        files = "1 file was" if self.left_out == 1 else f"{self.left_out:,} files were"
        more = ", ..." if self.left_out > len(self.examples) else ""
        return [f"{files} left out and not kept: {', '.join(self.examples)}{more}"]


async def stripped(body: bytes, kind: str, limits: DecodeLimits) -> Kept:
    """``strip_upload`` beside the event loop, one at a time.

    Raises:
        ImageError, DatasetError: as ``strip_upload``.
    """
    return await asyncio.get_running_loop().run_in_executor(STRIPPER, strip_upload, body, kind, limits)


def strip_upload(body: bytes, kind: str, limits: DecodeLimits) -> Kept:
    """The upload without what cameras write beside their pictures.

    Args:
        body: as it was sent.
        kind: its media type.
        limits: of one photograph.

    Raises:
        ImageError: it is a photograph that cannot be read.
        DatasetError: it is an archive that cannot be read, or holds what could escape, or too much.
    """
    if kind.startswith("image/"):
        clean, changed = _Cleaner(limits).clean(body)
        return Kept(clean, changed or ending_of(kind))
    return _archive(body, ending_of(kind), limits)


def _archive(body: bytes, ending: str, limits: DecodeLimits) -> Kept:
    kept, out, cleaner = Kept(b"", ending), io.BytesIO(), _Cleaner(limits)
    most_bytes = GROWTH * len(body) + SPARE_BYTES
    taken: dict[str, int] = {}
    keys: set[str] = set()
    later: list[tuple[str, bytes, bool]] = []
    later_bytes = 0
    with (_zip_writer if ending == "zip" else _tar_writer)(out, ending) as write:
        for entry in entries_of(body, limits.max_bytes):
            labels = None if entry.data is None else label_file(entry.name, entry.data)
            try:
                if entry.data is None:
                    raise ImageTooLargeError(f"longer than {limits.max_bytes:,} bytes")
                clean, changed = (labels, "") if labels is not None else cleaner.clean(entry.data)
                if out.tell() + later_bytes + len(clean) > most_bytes:
                    raise ImageTooLargeError("the archive would grow too much")
            except ImageError as error:
                kept.leave_out(entry.name, error.message)
                continue
            if entry.name.endswith(".cls"):
                keys.add(_key(entry.name))
            if changed:
                later.append((entry.name, clean, entry.packed))
                later_bytes += len(clean)
            else:
                write(free_name(entry.name, taken), clean, entry.packed)
        for name, clean, packed in later:
            # In a shard a photograph belongs to its label by all that stands before the first dot.
            named = f"{_key(name)}.png" if _key(name) in keys else f"{name}.png"
            write(free_name(named, taken), clean, packed)
    kept.body = out.getvalue()
    return kept


def _key(name: str) -> str:
    """What a photograph of a shard and its label have in common: the path up to the first dot of its end."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


class _Cleaner:
    """Strips the photographs of one upload."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._pixels_left = WRITTEN_ANEW * limits.max_pixels

    def clean(self, data: bytes) -> tuple[bytes, str]:
        """A photograph without its notes, and its new ending where it changed its format.

        Raises:
            ImageError: it cannot be read, or too much was written anew already.
        """
        header = read_header(data, self._limits)
        if header.format not in (ImageFormat.BMP, ImageFormat.TIFF):
            return strip_metadata(data, self._limits), ""
        self._pixels_left -= header.width_px * header.height_px
        if self._pixels_left < 0:
            raise ImageTooLargeError("there are too many pixels of BMP or TIFF in one archive")
        from PIL import Image

        target = io.BytesIO()
        pixels = decode(data, limits=self._limits, header=header)
        Image.fromarray(pixels).save(target, "PNG", compress_level=PNG_EFFORT)
        return target.getvalue(), "png"


@contextmanager
def _zip_writer(out: io.BytesIO, ending: str) -> Iterator[Write]:
    """What was compressed is so again, so that no archive grows by being kept; the time is 1980."""
    with zipfile.ZipFile(out, "w") as packed:

        def write(name: str, data: bytes, squeeze: bool) -> None:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED if squeeze else zipfile.ZIP_STORED
            packed.writestr(info, data, compresslevel=1)

        yield write


@contextmanager
def _tar_writer(out: io.BytesIO, ending: str) -> Iterator[Write]:
    """Without owner, rights and times, also in the head of the gzip."""
    target = gzip.GzipFile("", "wb", 1, out, mtime=0) if ending == "tar.gz" else out
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as packed:

        def write(name: str, data: bytes, squeeze: bool) -> None:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
            packed.members = []  # type: ignore[attr-defined]  # it keeps every header it has written

        yield write
    if target is not out:
        target.close()
