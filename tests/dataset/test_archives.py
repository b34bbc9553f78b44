from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leafsight.dataset import ArchiveLimits, archives
from leafsight.dataset.archives import find_in_archive, is_archive
from leafsight.errors import DatasetError, DiskFullError

Content = dict[str, bytes]


def tar_of(path: Path, content: Content, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def zip_of(path: Path, content: Content) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    return path


def everything_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "zip"])
def test_photographs_come_out_under_our_names(mode: str, tmp_path: Path) -> None:
    content = {
        "set/a b/1.jpg": b"one",
        "set/ü\n/2": b"two",
        "set/.hidden/x.jpg": b"no",
        "__MACOSX/a/1.jpg": b"no",
    }
    archive = tmp_path / "set.bin"
    zip_of(archive, content) if mode == "zip" else tar_of(archive, content, mode)
    assert is_archive(archive)
    finding = find_in_archive(archive, "s", tmp_path / "store")
    assert [(photo.path, photo.class_name) for photo in finding.photos] == [
        ("set/a b/1.jpg", "a b"),
        ("set/ü\n/2", "ü\n"),
    ]
    stored = [(Path(photo.root) / (photo.stored_as or "")).read_bytes() for photo in finding.photos]
    assert stored == [b"one", b"two"]
    assert all("ü" not in str(path) for path in everything_below(tmp_path / "store"))


def test_the_second_time_nothing_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tar_of(tmp_path / "a.tar", {"a/1.jpg": b"1", "b/2.jpg": b"2"})
    first = find_in_archive(archive, "s", tmp_path / "store")
    monkeypatch.setattr(archives, "_unpack", lambda *_: pytest.fail("unpacked again"))
    assert find_in_archive(archive, "s", tmp_path / "store").photos == first.photos


def tar_with(
    kind: bytes, name: str = "a/link.jpg", target: str = "../../etc/passwd"
) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        with tarfile.open(path, "w") as tar:
            good = tarfile.TarInfo("a/1.jpg")
            tar.addfile(good, io.BytesIO(b""))
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
        return path

    return write


def zip_with_link(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        info = zipfile.ZipInfo("a/link.jpg")
        info.external_attr = 0o120777 << 16
        packed.writestr(info, "/etc/passwd")
    return path


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (tar_with(tarfile.SYMTYPE), "is a link"),
        (tar_with(tarfile.LNKTYPE), "is a link"),
        (tar_with(tarfile.CHRTYPE), "device"),
        (tar_with(tarfile.FIFOTYPE), "special file"),
        (tar_with(tarfile.REGTYPE, "../evil.jpg"), "leads outside"),
        (tar_with(tarfile.REGTYPE, "a/../../evil.jpg"), "leads outside"),
        (tar_with(tarfile.REGTYPE, "/etc/evil.jpg"), "absolute"),
        (tar_with(tarfile.REGTYPE, "C:\\evil.jpg"), "absolute"),
        (tar_with(tarfile.REGTYPE, "a\\..\\..\\evil.jpg"), "leads outside"),
        (zip_with_link, "is a link"),
        (lambda path: zip_of(path, {"../evil.jpg": b"x"}), "leads outside"),
    ],
)
def test_what_could_escape_refuses_the_whole_archive(
    write: Callable[[Path], Path], said: str, tmp_path: Path
) -> None:
    archive = write(tmp_path / "in.bin")
    with pytest.raises(DatasetError, match=said):
        find_in_archive(archive, "s", tmp_path / "store")
    assert everything_below(tmp_path) == [archive]


def test_a_bomb_stops_early(tmp_path: Path) -> None:
    content = {f"a/{n}.jpg": bytes(1_000_000) for n in range(8)}
    archive = zip_of(tmp_path / "bomb.zip", content)
    limits = ArchiveLimits(max_file_bytes=1_000_000, max_ratio=100.0)
    with pytest.raises(DatasetError, match="unpacks to more than") as caught:
        find_in_archive(archive, "s", tmp_path / "store", limits)
    assert "bomb" in caught.value.hint
    assert everything_below(tmp_path) == [archive]


def test_total_bytes_and_entries_are_limited(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", {f"a/{n}.jpg": os.urandom(1000) for n in range(20)})
    with pytest.raises(DatasetError, match="more than 5000 bytes"):
        find_in_archive(archive, "s", tmp_path / "store", ArchiveLimits(max_total_bytes=5000))
    for path in (archive, zip_of(tmp_path / "a.zip", {f"a/{n}.jpg": b"x" for n in range(20)})):
        with pytest.raises(DatasetError, match="more than 10 entries"):
            find_in_archive(path, "s", tmp_path / "store", ArchiveLimits(max_entries=10))
    assert find_in_archive(archive, "s", tmp_path / "store", ArchiveLimits(max_entries=20)).photos


def test_one_file_that_is_too_large_is_a_fault_not_an_end(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", {"a/big.jpg": os.urandom(2000), "b/small.jpg": b"x"})
    photos = find_in_archive(archive, "s", tmp_path / "store", ArchiveLimits(max_file_bytes=1000)).photos
    assert [(photo.path, (photo.fault or "").split(":")[0]) for photo in photos] == [
        ("a/big.jpg", "image-too-large"),
        ("b/small.jpg", ""),
    ]


def test_damage_and_passwords_are_named_and_leave_nothing(tmp_path: Path) -> None:
    whole = tar_of(
        tmp_path / "a.tgz", {f"a/{n}.jpg": os.urandom(3000) for n in range(20)}, "w:gz"
    ).read_bytes()
    (tmp_path / "a.tgz").write_bytes(whole[: len(whole) // 2])
    locked = bytearray(zip_of(tmp_path / "b.zip", {"a/1.jpg": b"x"}).read_bytes())
    # Bit 0 of the flags, at 8 in the central header and 6 in the local one, says "encrypted".
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    locked[6] |= 1
    (tmp_path / "b.zip").write_bytes(locked)
    crc = bytearray(zip_of(tmp_path / "c.zip", {"a/1.jpg": b"y" * 50}).read_bytes())
    crc[crc.index(b"PK\x01\x02") + 16] ^= 0xFF
    (tmp_path / "c.zip").write_bytes(crc)
    for name, said in (("a.tgz", "damaged"), ("b.zip", "encrypted"), ("c.zip", "damaged")):
        with pytest.raises(DatasetError, match=said):
            find_in_archive(tmp_path / name, "s", tmp_path / "store")
    assert not everything_below(tmp_path / "store")


@pytest.mark.parametrize("keep_bytes", [0, 100, 512, 1024, 2048, 2148, 2560, 3000])
def test_a_torn_tar_is_never_taken_for_a_short_one(keep_bytes: int, tmp_path: Path) -> None:
    """Each entry is a header of 512 bytes and a block of 512; the end marker begins at 3072."""
    whole = tar_of(tmp_path / "a.tar", {f"a/{n}.jpg": b"x" * 300 for n in range(3)}).read_bytes()
    (tmp_path / "torn.tar").write_bytes(whole[:keep_bytes])
    with pytest.raises(DatasetError, match="damaged"):
        find_in_archive(tmp_path / "torn.tar", "s", tmp_path / "store")
    assert len(find_in_archive(tmp_path / "a.tar", "s", tmp_path / "store").photos) == 3
    garbled = bytearray(whole)
    garbled[1024 + 150] ^= 0xFF
    (tmp_path / "garbled.tar").write_bytes(garbled)
    with pytest.raises(DatasetError, match="damaged"):
        find_in_archive(tmp_path / "garbled.tar", "s", tmp_path / "store")


def test_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        for data in (b"1", b"2"):
            info = tarfile.TarInfo("a/x.jpg")
            info.size = 1
            tar.addfile(info, io.BytesIO(data))
    assert [photo.path for photo in find_in_archive(archive, "s", tmp_path / "store").photos] == [
        "a/x.jpg",
        "a/x.jpg~2",
    ]


def test_a_full_disk_leaves_no_half_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tar_of(tmp_path / "a.tar", {"a/1.jpg": b"1", "b/2.jpg": b"2"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "_copy", full)
    with pytest.raises(DiskFullError):
        find_in_archive(archive, "s", tmp_path / "store")
    assert not everything_below(tmp_path / "store")
    monkeypatch.undo()
    assert len(find_in_archive(archive, "s", tmp_path / "store").photos) == 2


def test_a_store_is_needed(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", {"a/1.jpg": b"1"})
    with pytest.raises(DatasetError, match="place to unpack") as caught:
        find_in_archive(archive, "s", None)
    assert "store" in caught.value.hint
