from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leafsight.dataset import PhotoIndex, PixelCache, cache_building, index_photos
from leafsight.dataset.cache_record import cache_key
from leafsight.errors import DatasetError, DiskFullError, StorageError
from leafsight.images import Preprocessing, prepare_bytes

Collection = Callable[..., Path]
WritePhoto = Callable[..., Path]

SMALL = Preprocessing(side_px=16)
PHOTO_BYTES = 16 * 16 * 3


@pytest.fixture
def index(collection: Collection) -> PhotoIndex:
    return index_photos(collection({"a": 7, "b": 6}))


@pytest.fixture
def four_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_building, "CHUNK_BYTES", 4 * PHOTO_BYTES)
    monkeypatch.setattr(cache_building, "PHOTOS_PER_TASK", 2)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The photographs that are read from now on."""
    read: list[Path] = []
    read_photo = cache_building.read_photo

    def noted(path: Path, limits: object) -> bytes:
        read.append(path)
        return read_photo(path, limits)  # type: ignore[arg-type]

    monkeypatch.setattr(cache_building, "read_photo", noted)
    return read


@pytest.mark.parametrize("policy", ["squash", "crop", "letterbox"])
def test_pictures_are_those_of_the_contract(
    policy: str, index: PhotoIndex, tmp_path: Path, four_a_chunk: None
) -> None:
    contract = Preprocessing(side_px=16, resize=policy)  # type: ignore[arg-type]
    cache = PixelCache.build(index, tmp_path / "cache", contract, workers=3)
    assert cache.images.shape == (13, 16, 16, 3)
    assert cache.row_ids.tolist() == list(range(13))
    assert [chunk.kept for chunk in cache.record.chunks] == [4, 4, 4, 1]
    for row, path in enumerate(index.files()):
        assert np.array_equal(cache.images[row], prepare_bytes(path.read_bytes(), contract))
    assert not cache.images.flags.writeable
    cache.verify()
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".json", ".pixels"]


def test_labels_splits_and_means_do_not_rebuild(
    index: PhotoIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = PixelCache.build(index, tmp_path, SMALL)
    read = counted(monkeypatch)
    other = index.with_column("split", ["train"] * 13).with_class_names(str.upper)
    again = PixelCache.build(other, tmp_path, Preprocessing(side_px=16, mean=(1.0, 2.0, 3.0)))
    assert again.path == first.path
    assert not read
    assert PixelCache.build(index, tmp_path, Preprocessing(side_px=24)).side_px == 24
    assert len(read) == 13


def test_faulty_photographs_have_no_picture(
    collection: Collection, tmp_path: Path, four_a_chunk: None
) -> None:
    root = collection({"a": 6, "b": 5})
    (root / "a" / "a0.jpg").write_bytes(b"")
    index = index_photos(root)
    (root / "a" / "leaf 002.jpg").write_bytes(b"changed since")
    (root / "b" / "leaf 001.jpg").unlink()
    cache = PixelCache.build(index, tmp_path / "cache", SMALL)
    assert cache.row_ids.tolist() == [1, 2, 4, 5, 6, 7, 9, 10, 11]
    assert {row: reason.split(":")[0] for row, reason in cache.faults.items()}.keys() == {3, 8}
    assert "changed after it was indexed" in cache.faults[3]
    assert cache.positions(np.array([0, 1, 3, 4, 11])).tolist() == [0, 2, 8]
    files = index.files()
    for place, row in enumerate(cache.row_ids.tolist()):
        assert np.array_equal(cache.images[place], prepare_bytes(files[row].read_bytes(), SMALL))
    cache.verify()
    reopened = PixelCache.open(index, tmp_path / "cache", SMALL)
    assert reopened.faults == cache.faults
    assert len(reopened) == 9


def test_too_large_is_refused_before_anything_is_written(index: PhotoIndex, tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"13 photographs at 16 px need 9,984 bytes, the limit is 9,000"
    ) as caught:
        PixelCache.build(index, tmp_path / "cache", SMALL, max_bytes=9000)
    assert "at most 15 px" in caught.value.hint
    assert not (tmp_path / "cache").exists()
    assert len(PixelCache.build(index, tmp_path / "cache", SMALL, max_bytes=9984)) == 13


def test_damage_is_found_by_verify_and_by_size(index: PhotoIndex, tmp_path: Path, four_a_chunk: None) -> None:
    cache = PixelCache.build(index, tmp_path, SMALL)
    path = cache.path
    data = bytearray(path.read_bytes())
    data[5 * PHOTO_BYTES] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="from row 4"):
        PixelCache.open(index, tmp_path, SMALL).verify()
    path.write_bytes(data[:-1])
    with pytest.raises(DatasetError, match="bytes, not the size"):
        PixelCache.open(index, tmp_path, SMALL)


@pytest.mark.parametrize("text", ["{}", "not json", '{"format": 99}', '{"format": 1, "chunks": [{}]}'])
def test_a_damaged_sidecar_is_named(text: str, index: PhotoIndex, tmp_path: Path) -> None:
    cache = PixelCache.build(index, tmp_path, SMALL)
    cache.path.with_suffix(".json").write_text(text)
    with pytest.raises((DatasetError, StorageError), match="json"):
        PixelCache.open(index, tmp_path, SMALL)


def test_a_killed_build_goes_on_where_it_stopped(
    index: PhotoIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, four_a_chunk: None
) -> None:
    index.save(tmp_path / "index.parquet")
    code = f"""
        import os, signal
        from pathlib import Path
        from leafsight.dataset import PhotoIndex, PixelCache, cache_building, cache_record
        from leafsight.images import Preprocessing
        cache_building.CHUNK_BYTES = {4 * PHOTO_BYTES}
        write, done = cache_building._written, []
        def killing(handle, pictures, offset):
            done.append(1)
            if len(done) == 3:
                os.pwrite(handle, b"half a chunk", offset)
                os.kill(os.getpid(), signal.SIGKILL)
            return write(handle, pictures, offset)
        cache_building._written = killing
        index = PhotoIndex.load(Path({str(tmp_path / "index.parquet")!r}))
        PixelCache.build(index, Path({str(tmp_path / "cache")!r}), Preprocessing(side_px=16))
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert killed.returncode == -9
    with pytest.raises(DatasetError, match="no finished cache"):
        PixelCache.open(index, tmp_path / "cache", SMALL)
    read = counted(monkeypatch)
    cache = PixelCache.build(index, tmp_path / "cache", SMALL)
    assert len(read) == 13 - 8
    cache.verify()
    whole = PixelCache.build(index, tmp_path / "other", SMALL)
    assert np.array_equal(cache.images, whole.images)
    assert cache.record == whole.record


def test_a_torn_chunk_and_a_torn_journal_are_done_again(
    index: PhotoIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, four_a_chunk: None
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_building.os, "ftruncate", stop)
    with pytest.raises(KeyboardInterrupt):
        PixelCache.build(index, tmp_path, SMALL)
    monkeypatch.undo()
    monkeypatch.setattr(cache_building, "CHUNK_BYTES", 4 * PHOTO_BYTES)
    part, journal = next(tmp_path.glob("*.part")), next(tmp_path.glob("*.journal"))
    with part.open("r+b") as file:
        file.seek(5 * PHOTO_BYTES)
        file.write(b"torn")
    journal.write_text(journal.read_text()[:-7])
    read = counted(monkeypatch)
    PixelCache.build(index, tmp_path, SMALL).verify()
    assert len(read) == 13 - 4


def test_a_disk_that_is_too_full_says_so_at_once(index: PhotoIndex, tmp_path: Path) -> None:
    """A limit on file sizes stands in for a full disk: the reservation fails the same way."""
    index.save(tmp_path / "index.parquet")
    code = f"""
        import resource
        from pathlib import Path
        from leafsight.dataset import PhotoIndex, PixelCache, cache_building
        from leafsight.errors import DiskFullError
        from leafsight.images import Preprocessing
        index = PhotoIndex.load(Path({str(tmp_path / "index.parquet")!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
        cache_building.read_photo = None  # nothing may be decoded
        try:
            PixelCache.build(index, Path({str(tmp_path / "cache")!r}), Preprocessing(side_px=16))
        except DiskFullError as error:
            print("full:", error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("full: no space left")
    assert all(path.stat().st_size == 0 for path in (tmp_path / "cache").glob("*.part"))


def test_a_disk_that_fills_up_keeps_finished_chunks(
    index: PhotoIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, four_a_chunk: None
) -> None:
    pwrite, written = os.pwrite, []

    def filling(handle: int, data: memoryview, offset: int) -> int:
        if len(written) >= 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(1)
        return pwrite(handle, data, offset)

    monkeypatch.setattr(cache_building.os, "pwrite", filling)
    with pytest.raises(DiskFullError):
        PixelCache.build(index, tmp_path, SMALL)
    monkeypatch.undo()
    read = counted(monkeypatch)
    PixelCache.build(index, tmp_path, SMALL).verify()
    assert len(read) == 13 - 8


def test_short_writes_are_finished(
    index: PhotoIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(
        cache_building.os, "pwrite", lambda handle, data, offset: pwrite(handle, data[:100], offset)
    )
    cache = PixelCache.build(index, tmp_path, SMALL)
    cache.verify()
    assert np.array_equal(cache.images[12], prepare_bytes(index.files()[12].read_bytes(), SMALL))


def test_two_builders_at_once_are_refused(index: PhotoIndex, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    key = cache_key(index.usable(), SMALL)
    with (tmp_path / f"{key}.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DatasetError, match="another process is building"):
            PixelCache.build(index, tmp_path, SMALL)
    assert len(PixelCache.build(index, tmp_path, SMALL)) == 13


def test_an_index_without_a_usable_photograph(index: PhotoIndex, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing to cache"):
        PixelCache.build(index.with_column("fault", ["x: y"] * 13), tmp_path, SMALL)
