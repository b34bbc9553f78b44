from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from leafsight.dataset import PhotoIndex, check_photos, index_photos

Index = Callable[..., PhotoIndex]
Collection = Callable[..., Path]
WritePhoto = Callable[..., Path]


def test_a_sound_collection_is_clean(made_up: Index) -> None:
    report = check_photos(made_up({"a": 20, "b": 20}))
    assert report.is_clean
    assert report.lines() == ["40 of 40 photographs are usable, in 2 classes"]
    assert report.smallest_px == 32


def test_everything_that_is_wrong_is_found(collection: Collection, write_photo: WritePhoto) -> None:
    root = collection({"rust": 22, "healthy": 3})
    (root / "rust" / "empty.jpg").write_bytes(b"")
    (root / "rust" / "words.jpg").write_bytes(b"these are words")
    shutil.copy(root / "rust" / "leaf 000.jpg", root / "rust" / "copy.jpg")
    shutil.copy(root / "rust" / "leaf 001.jpg", root / "healthy" / "wrong.jpg")
    gps = Image.Exif()
    gps[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0)}
    write_photo(root / "rust" / "garden.jpg", 500, exif=gps)
    report = check_photos(index_photos(root))
    assert (report.photographs, report.usable) == (30, 28)
    assert report.class_counts == {"healthy": 4, "rust": 24}
    assert {kind: len(cases) for kind, cases in report.faults.items()} == {
        "empty-file": 1,
        "unsupported-image": 1,
    }
    assert [same.photographs for same in report.duplicates] == [
        ("photos/rust/copy.jpg", "photos/rust/leaf 000.jpg")
    ]
    assert [same.classes for same in report.conflicting] == [("healthy", "rust")]
    assert report.tiny_classes == ("healthy",)
    assert report.with_gps == 1
    assert not report.is_clean
    said = "\n".join(report.lines())
    for part in (
        "1 faulty (empty-file)",
        "under healthy and rust",
        "1 photographs repeat",
        "GPS",
        "(4)",
    ):
        assert part in said
    assert json.loads(json.dumps(report.to_dict()))["usable"] == 28


def test_one_class_is_said_but_no_error(made_up: Index) -> None:
    report = check_photos(made_up({"only": 30}))
    assert not report.is_clean
    assert "there is only one class; a classifier needs two" in report.lines()


def test_leaks_between_given_splits_are_found(made_up: Index) -> None:
    index = made_up({"a": 20, "b": 20}, split=lambda n: "test" if n < 5 else "train")
    hashes = index.column("pixel_hash")
    hashes[10] = hashes[0]
    report = check_photos(index.with_column("pixel_hash", hashes))
    assert [leak.splits for leak in report.leaks] == [("test", "train")]
    assert not report.is_clean
