from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from leafsight.dataset import index_photos, reading
from leafsight.errors import DatasetError
from leafsight.images import DecodeLimits

WritePhoto = Callable[..., Path]
Collection = Callable[..., Path]


class Counting:
    """A progress that counts."""

    def __init__(self) -> None:
        self.totals: list[int | None] = []
        self.steps = 0

    def start(self, label: str, total: int | None = None) -> None:
        self.totals.append(total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.steps += steps

    def finish(self, note: str = "") -> None:
        assert note


def test_a_row_says_what_the_photograph_is(collection: Collection) -> None:
    progress = Counting()
    root = collection({"rust": 3, "healthy": 2})
    index = index_photos(root, progress=progress)
    assert index.classes == ("healthy", "rust")
    assert len(index) == progress.steps == progress.totals[0] == 5
    row = {name: index.column(name)[0] for name in index.table.column_names}
    assert (row["source"], row["path"], row["format"]) == ("photos", "healthy/leaf 000.jpg", "JPEG")
    assert (row["width_px"], row["height_px"], row["has_gps"], row["fault"]) == (40, 32, False, None)
    assert row["bytes"] == (root / row["path"]).stat().st_size
    assert len({*index.column("content_hash")}) == len({*index.column("pixel_hash")}) == 5


def test_every_fault_stays_in_the_index(collection: Collection, write_photo: WritePhoto) -> None:
    root = collection({"rust": 2})
    whole = write_photo(root / "rust" / "whole.jpg", 9, (200, 200)).read_bytes()
    (root / "rust" / "empty.jpg").write_bytes(b"")
    (root / "rust" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "rust" / "text.jpg").write_bytes(b"no picture at all, just words")
    (root / "rust" / "dangling.jpg").symlink_to(root / "nowhere")
    write_photo(root / "rust" / "png in disguise.jpg", 10, format="PNG")
    index = index_photos(root)
    faults = {name.rpartition("/")[2]: fault.partition(":")[0] for name, fault in index.faults()}
    assert faults.keys() == {"empty.jpg", "cut.jpg", "text.jpg", "dangling.jpg"}
    assert faults["empty.jpg"] == "empty-file"
    assert faults["text.jpg"] == "unsupported-image"
    assert faults["cut.jpg"] == "corrupt-image"
    assert len(index) == 8
    assert len(index.usable()) == 4
    assert "PNG" in index.column("format")
    assert all("\n" not in fault for _, fault in index.faults())


def test_a_copy_with_other_metadata_has_the_same_pixels(
    collection: Collection, write_photo: WritePhoto
) -> None:
    root = collection({"rust": 1})
    original = write_photo(root / "rust" / "a.png", 5)
    with Image.open(original) as picture:
        picture.save(root / "rust" / "b.png", compress_level=0)
    index = index_photos(root)
    hashes = dict(zip(index.column("path"), index.column("pixel_hash"), strict=True))
    files = dict(zip(index.column("path"), index.column("content_hash"), strict=True))
    assert hashes["rust/a.png"] == hashes["rust/b.png"] != hashes["rust/leaf 000.jpg"]
    assert files["rust/a.png"] != files["rust/b.png"]


def test_only_changed_files_are_read_again(
    collection: Collection, write_photo: WritePhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 3, "healthy": 3})
    (root / "rust" / "empty.jpg").write_bytes(b"")
    first = index_photos(root)
    write_photo(root / "rust" / "leaf 001.jpg", 77)
    os.utime(root / "rust" / "leaf 001.jpg", ns=(1, 1))
    write_photo(root / "rust" / "new.jpg", 78)
    (root / "healthy" / "leaf 000.jpg").unlink()
    read: list[str] = []
    read_photo = reading.read_photo

    def noted(path: Path, limits: DecodeLimits) -> bytes:
        read.append(path.name)
        return read_photo(path, limits)

    monkeypatch.setattr(reading, "read_photo", noted)
    second = index_photos(root, earlier=first)
    assert sorted(read) == ["leaf 001.jpg", "new.jpg"]
    monkeypatch.undo()
    assert second.table.equals(index_photos(root).table)
    assert second.fingerprint() != first.fingerprint()


def test_fingerprint_does_not_depend_on_place_or_threads(collection: Collection, tmp_path: Path) -> None:
    root = collection({"rust": 40, "healthy": 40})
    shutil.copytree(root, tmp_path / "elsewhere" / "photos")
    there = index_photos(tmp_path / "elsewhere" / "photos", workers=4)
    assert index_photos(root, workers=1).fingerprint() == there.fingerprint()


def test_several_sources_become_one_index(
    collection: Collection, write_photo: WritePhoto, tmp_path: Path
) -> None:
    one, two = collection({"rust": 2}, "lab"), collection({"rust": 1, "wilt": 1}, "inner/lab")
    write_photo(tmp_path / "csv" / "x.jpg", 99)
    listing = tmp_path / "csv" / "field.csv"
    listing.write_text("path,label,group\nx.jpg,rust,plant 1\n")
    packed = tmp_path / "packed.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(one, "packed")
    index = index_photos([one, two, listing, packed], store=tmp_path / "store")
    assert index.sources == ("field", "lab", "lab-2", "packed")
    assert index.classes == ("rust", "wilt")
    assert len(index) == 7
    assert index.column("given_group")[0] == "plant 1"
    assert all(path.is_file() for path in index.files())


def test_a_class_list_binds_a_csv(write_photo: WritePhoto, tmp_path: Path) -> None:
    write_photo(tmp_path / "x.jpg", 1)
    (tmp_path / "list.csv").write_text("path,label\nx.jpg,rusty\n")
    with pytest.raises(DatasetError, match="unknown class 'rusty'"):
        index_photos(tmp_path / "list.csv", classes=["rust"])


def test_a_file_without_permission_is_a_fault(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 3})
    locked = root / "rust" / "leaf 001.jpg"
    locked.chmod(0)
    open_file = Path.open

    def refusing(path: Path, *arguments: object, **options: object) -> object:
        if path == locked:  # root may read what nobody else may
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refusing)
    index = index_photos(root)
    assert [fault.partition(":")[0] for _, fault in index.faults()] == ["permission-denied"]
    assert len(index.usable()) == 2


def test_limits_reach_the_decoder(collection: Collection) -> None:
    root = collection({"rust": 2})
    with pytest.raises(DatasetError, match=r"none of 2 photographs can be used; .*image-too-large"):
        index_photos(root, limits=DecodeLimits(max_pixels=100))


def test_one_class_is_enough_for_an_index(collection: Collection) -> None:
    assert index_photos(collection({"only": 1})).classes == ("only",)


def test_no_source_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no folder"):
        index_photos([])
