"""What an archive may cost: time and memory that its size does not show. Its names: see ``dataset``."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.fakes.made_archives import tarred, zipped

from leafsight.errors import DatasetError
from leafsight.storage import ArchiveLimits, is_packed, members_of
from leafsight.storage.zip_members import SMALL_PIECE_BYTES

FILES = {"a/1.jpg": b"one", "BZh/2.jpg": b"two" * 1000, "a/.hidden": b"three"}


def plain_tar(files: dict[str, bytes] = FILES, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def read(archive: Path | bytes, limits: ArchiveLimits | None = None) -> dict[str, bytes]:
    found = {}
    for member in members_of(archive, limits or ArchiveLimits()):
        found[member.name] = b""
        while piece := member.file.read(700):
            found[member.name] += piece
    return found


def squeezed_zip(method: int, files: dict[str, bytes] = FILES) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


HONEST = {
    "tar": plain_tar(),
    "gnu": plain_tar({"a/" + "x" * 300: b"long", **FILES}, tarfile.GNU_FORMAT),
    "pax": plain_tar({"a/" + "ä" * 300: b"long", **FILES}),
    "name like bzip2": plain_tar({"BZh91AY/1.jpg": b"x"}, tarfile.USTAR_FORMAT),
    "tar.gz": gzip.compress(plain_tar()),
    "tar.bz2": bz2.compress(plain_tar()),
    "tar.xz": lzma.compress(plain_tar()),
    "tar.lzma": lzma.compress(plain_tar(), lzma.FORMAT_ALONE),
    "zip": zipped(FILES),
    "zip deflate": squeezed_zip(zipfile.ZIP_DEFLATED),
    "zip bzip2": squeezed_zip(zipfile.ZIP_BZIP2),
    "zip lzma": squeezed_zip(zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("kind", HONEST)
def test_a_file_and_its_bytes_give_the_same_members(kind: str, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(HONEST[kind])
    found = read(HONEST[kind])
    assert read(tmp_path / "archive") == found
    assert is_packed(tmp_path / "archive")
    assert is_packed(HONEST[kind])
    if "name" not in kind:
        assert found.items() >= FILES.items()
    assert all(
        member.squeezed == (kind.startswith("zip ")) for member in members_of(HONEST[kind], ArchiveLimits())
    )


@pytest.mark.parametrize(
    "data", [b"", b"path,label\na.jpg,rust\n", b"\xff\xd8\xff" + bytes(900), b"BZh", b"PK"]
)
def test_what_is_no_archive_is_not_taken_for_one(data: bytes) -> None:
    assert not is_packed(data)


def test_the_checksum_of_a_gzip_is_looked_at() -> None:
    whole = gzip.compress(plain_tar({"a/1.jpg": os.urandom(5000)}), 1)
    wrong = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    with pytest.raises(DatasetError, match="CRC"):
        read(wrong)
    with pytest.raises(DatasetError, match="damaged"):
        read(whole[:-3])


def test_bugs_of_the_reader_are_not_called_damage() -> None:
    def reading() -> None:
        for _ in members_of(HONEST["zip"], ArchiveLimits()):
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        reading()


def test_a_fault_of_the_disk_is_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(HONEST["zip"])

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", broken)
    with pytest.raises(OSError, match="Input/output"):
        read(tmp_path / "a.zip")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.zip")


def test_what_is_said_fits_who_made_the_archive(tmp_path: Path) -> None:
    torn = tmp_path / "torn.zip"
    torn.write_bytes(HONEST["zip"][:-9])
    with pytest.raises(DatasetError, match=r"torn\.zip is damaged") as mine:
        read(torn)
    with pytest.raises(DatasetError, match=r"^the archive is damaged") as sent:
        read(torn.read_bytes())
    assert (mine.value.hint, sent.value.hint) == ("get it again", "pack and send it again")
    with pytest.raises(DatasetError, match=r"^the archive has more than 2 entries") as many:
        read(HONEST["zip"], ArchiveLimits(max_entries=2))
    assert many.value.hint == "send it in several parts"
    with pytest.raises(DatasetError, match=r"^the archive unpacks to more than 40 bytes") as much:
        read(HONEST["zip"], ArchiveLimits(max_total_bytes=40))
    assert much.value.hint == "this looks like a bomb"


def test_what_is_said_of_a_long_name_is_short() -> None:
    for name in ("../" + "x" * 9000, "a/" + "x" * 9000):
        with pytest.raises(DatasetError) as caught:
            read(plain_tar({name: b""}))
        assert len(caught.value.message) < 400


def test_bzip2_in_a_zip_is_unpacked_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """zipfile unpacks at once as many packed bytes as it is asked for; a megabyte of them becomes 20 GB."""
    asked: list[int] = []
    inner = zipfile.ZipExtFile.read

    def watched(self: zipfile.ZipExtFile, size: int = -1) -> bytes:
        asked.append(size)
        return inner(self, size)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", watched)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        for member in members_of(squeezed_zip(method, {"a": bytes(50_000)}), ArchiveLimits()):
            assert member.file.read(1 << 20) == bytes(50_000)
    assert 0 < max(asked) <= SMALL_PIECE_BYTES


def headers(*parts: tuple[bytes, bytes]) -> bytes:
    """A tar whose one file comes after headers of these types and contents."""
    out = b""
    for kind, body in parts:
        info = tarfile.TarInfo("header")
        info.type, info.size = kind, len(body)
        out += info.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512)
    return out + tarfile.TarInfo("a/1.jpg").tobuf(tarfile.USTAR_FORMAT) + bytes(10240)


def sparse_chain(blocks: int) -> bytes:
    """The old way to say where the holes are: a header, and blocks of places that all say "and more"."""
    info = tarfile.TarInfo("a/holes.jpg")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    first = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    first[482] = 1
    first[148:156] = b"        "
    first[148:156] = b"%06o\0 " % sum(first)
    return bytes(first) + (b"00000000001\0" * 42 + b"\1" + bytes(7)) * blocks + bytes(1024)


HOSTILE = {
    "digits": headers((tarfile.XHDTYPE, b"1" * 900_000)),
    "digits in a value": headers((tarfile.XHDTYPE, b"500009 x=" + b"1" * 499_999 + b"\n")),
    "records without a value": headers((tarfile.XHDTYPE, b"5 aaa" * 150_000 + b"=")),
    "a name without an end": headers((tarfile.GNUTYPE_LONGNAME, bytes(1024**2 + 1))),
    "sparse": sparse_chain(20_000),
    "sparse, of pax": headers(
        (tarfile.XHDTYPE, b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"),
        (b"0", b"9999\n" + b"0\n" * 90_000),
    ),
    "sparse, of older pax": headers((tarfile.XHDTYPE, b"26 GNU.sparse.map=0,1,2,3\n22 GNU.sparse.size=99\n")),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_headers_that_cost_more_than_their_size_are_refused(what: str) -> None:
    """Some of these cost tarfile hours or all memory; a few kilobytes of gzip are enough."""
    said = "sparse" if "sparse" in what else "a list of attributes|a garbled list|a name of"
    with pytest.raises(DatasetError, match=said) as caught:
        read(gzip.compress(HOSTILE[what]))
    assert len(caught.value.message) < 600
    assert is_packed(HOSTILE[what])


def test_headers_without_number_are_refused() -> None:
    """Each name is short enough, but a thousand of them are a gigabyte, and a file of a kilobyte."""
    many = b"".join(headers((tarfile.GNUTYPE_LONGNAME, b"a/" + bytes(1_000_000)))[:-10240] for _ in range(40))
    squeezed = gzip.compress(many + bytes(10240))
    limits = ArchiveLimits(max_file_bytes=1024**2)
    assert len(squeezed) < 100_000
    with pytest.raises(DatasetError, match="unpacks to more than"):
        read(squeezed, limits)


def test_attributes_of_honest_programs_are_read() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.pax_headers = {"comment": "for all"}
        for number in range(3):
            info = tarfile.TarInfo("ä" * 200 + "9" * 250 + str(number))
            info.mtime = 1_700_000_000.25
            info.pax_headers = {
                "SCHILY.xattr.user.note": "a=b\n5 =\n",
                "LIBARCHIVE.creationtime": "1.5",
                "x": "",
            }
            tar.addfile(info)
    assert len(read(out.getvalue())) == 3
    assert set(read(tarred(FILES))) == set(FILES)
