"""Whatever a byte of an archive becomes: photographs or one of our errors, never a traceback."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import random
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.small_world import leafsight

from leafsight.dataset import ArchiveLimits, index_photos
from leafsight.dataset.sources import find_photos
from leafsight.errors import DatasetError
from leafsight.progress import Silent

ZIPS = {
    "zip": zipfile.ZIP_STORED,
    "zip-deflate": zipfile.ZIP_DEFLATED,
    "zip-bzip2": zipfile.ZIP_BZIP2,
    "zip-lzma": zipfile.ZIP_LZMA,
}
TARS = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
CONTENT = bytes(range(200)) * 3


def made(kind: str) -> bytes:
    """Three files in one class, with names that are not ASCII; in a tar too long for its plain header."""
    out = io.BytesIO()
    if kind in ZIPS:
        with zipfile.ZipFile(out, "w", ZIPS[kind]) as packed:
            for number in range(3):
                packed.writestr(f"a/{number}ä.jpg", CONTENT)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode=TARS[kind], format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for number in range(3):
            info = tarfile.TarInfo("a/" + "x" * 120 + f"{number}ä.jpg")
            info.size = len(CONTENT)
            tar.addfile(info, io.BytesIO(CONTENT))
    return out.getvalue()


def garbled(whole: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, and of every fifth archive the end cut off."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 4))):
        data[chance.randrange(len(data))] = chance.choice((0, 255, 127, 128, chance.randrange(256)))
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)


@pytest.mark.parametrize("kind", [*ZIPS, *TARS])
def test_a_garbled_archive_gives_photographs_or_our_error(kind: str, tmp_path: Path) -> None:
    whole, chance, read = made(kind), random.Random(kind), 0
    for number in range(100):
        archive = tmp_path / f"{number}.bin"
        archive.write_bytes(garbled(whole, chance))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of two entries with one name
            with contextlib.suppress(DatasetError):
                read += bool(find_photos(archive, "s", tmp_path / "store", None, ArchiveLimits(), Silent()))
    assert read < 100
    archive.write_bytes(whole)
    assert len(find_photos(archive, "s", tmp_path / "store", None, ArchiveLimits(), Silent()).photos) == 3


def with_bytes(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def torn_zip64() -> bytes:
    """An end record that says where to look for a longer one, which is on another disk."""
    longer = b"PK\x06\x06" + bytes(52)
    place = b"PK\x06\x07" + (7).to_bytes(4, "little") + bytes(8) + (9).to_bytes(4, "little")
    return longer + place + b"PK\x05\x06" + bytes(18)


TORN: dict[str, Callable[[], bytes]] = {
    "a name that is no UTF-8": lambda: with_bytes(made("zip"), "ä".encode(), b"\xff\xff"),
    "bzip2 in zip": lambda: with_bytes(made("zip-bzip2"), b"1AY&SY", b"1AY&S\0"),
    "a place before the beginning": lambda: made("zip")[50:],
    "a zip on several disks": torn_zip64,
    "a zip without its end": lambda: made("zip")[:-30],
    "a short gzip": lambda: made("tar.gz")[:40],
    "a shorter gzip": lambda: b"\x1f\x8b\x08",
    "a gzip that begins with noise": lambda: made("tar.gz")[:12] + b"\xff" * 40,
    "a short bzip2": lambda: made("tar.bz2")[:40],
    "a short xz": lambda: made("tar.xz")[:40],
    "an xz without its last block": lambda: made("tar.xz")[:-60],
    "a tar whose first name is changed": lambda: b"b" + made("tar")[1:],
    "a gzip of a text": lambda: gzip.compress(b"path,label\n"),
}


@pytest.mark.parametrize("what", TORN)
def test_what_is_torn_is_called_damaged_at_the_command_line(what: str, tmp_path: Path) -> None:
    archive = tmp_path / "leaves.bin"
    archive.write_bytes(TORN[what]())
    done = leafsight("check", archive, "--no-model")
    assert done.code == 1
    assert [line.partition(":")[0] for line in done.error_lines] == ["error", "hint"], done.err
    assert "damaged" in done.err
    assert "Traceback" not in done.err
    with pytest.raises(DatasetError, match="damaged"):
        index_photos(archive, store=tmp_path / "store")
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_an_archive_in_several_pieces_is_read_whole(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """As bgzip and pbzip2 write them: each piece is a whole gzip or bzip2."""
    plain = made("tar")
    archive = tmp_path / "leaves.bin"
    archive.write_bytes(b"".join(pack(plain[at : at + 1500]) for at in range(0, len(plain), 1500)))
    assert len(find_photos(archive, "s", tmp_path / "store", None, ArchiveLimits(), Silent()).photos) == 3


def test_a_tar_that_ends_with_a_zip_is_no_zip_when_it_is_torn(tmp_path: Path) -> None:
    """The end of such a tar looks like the end of a zip, and what is in that zip is not what was meant."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("a/1.jpg", CONTENT), ("more.zip", made("zip"))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    archive = tmp_path / "leaves.tar"
    archive.write_bytes(b"b" + out.getvalue()[1:])
    with pytest.raises(DatasetError, match="damaged"):
        find_photos(archive, "s", tmp_path / "store", None, ArchiveLimits(), Silent())


def bomb(folder: Path, count: int = 40, announced_bytes: int = 8 * 1024**3, hidden: str = "") -> Path:
    """A small tar.gz whose members say that they hold gigabytes; the first one holds a part of them."""
    archive = folder / "bomb.tar.gz"
    with gzip.open(archive, "wb", compresslevel=1) as out:
        for number in range(count):
            info = tarfile.TarInfo(f"a/{hidden}{number}.jpg")
            info.size = announced_bytes
            out.write(info.tobuf())
            out.write(bytes(1024**2))
    return archive


@pytest.mark.parametrize("hidden", ["", "."])
def test_gigabytes_in_a_small_tar_are_refused_before_they_are_unpacked(hidden: str, tmp_path: Path) -> None:
    """tarfile unpacks what it passes over, and nobody reads a file that is hidden or too large."""
    archive = bomb(tmp_path, hidden=hidden)
    with pytest.raises(DatasetError, match="unpacks to more than") as caught:
        find_photos(archive, "s", tmp_path / "store", None, ArchiveLimits(), Silent())
    assert "bomb" in caught.value.hint
    done = leafsight("check", archive, "--no-model")
    assert (done.code, "unpacks to more than" in done.err) == (1, True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != archive]
