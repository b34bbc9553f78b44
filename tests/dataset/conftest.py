"""Tiny photographs and indexes for the tests of the dataset room."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset import PhotoIndex, PhotoRow, table_of

WritePhoto = Callable[..., Path]


@pytest.fixture(scope="session")
def write_photo() -> WritePhoto:
    """Writes a blotchy picture; the same seed gives the same pixels, another seed looks different."""

    def write(path: Path, seed: int, size: tuple[int, int] = (40, 32), **options: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        grid = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC).save(path, **options)
        return path

    return write


@pytest.fixture
def collection(tmp_path: Path, write_photo: WritePhoto) -> Callable[..., Path]:
    """Writes class folders: ``collection({"rust": 3, "healthy": 2})``."""

    def write(counts: Mapping[str, int], name: str = "photos") -> Path:
        root = tmp_path / name
        seed = 0
        for class_name, count in counts.items():
            for number in range(count):
                seed += 1
                write_photo(root / class_name / f"leaf {number:03d}.jpg", seed)
        return root

    return write


@pytest.fixture(scope="session")
def made_up() -> Callable[..., PhotoIndex]:
    """Makes an index without files: ``made_up({"rust": 3}, group=lambda number: "g")``."""
    return _made_up


def _made_up(counts: Mapping[str, int], *, source: str = "made-up", **columns: object) -> PhotoIndex:
    """Contents are hashes of names, looks are far apart."""
    rows = []
    for class_name, count in counts.items():
        for number in range(count):
            name = f"{class_name}/{number:04d}.jpg"
            digest = hashlib.sha256(f"{source}/{name}".encode()).hexdigest()
            row = PhotoRow(source, "/nowhere", name, class_name, content_hash=digest, pixel_hash=digest)
            row.look_hash = int(digest[:16], 16)
            row.format, row.width_px, row.height_px, row.bytes = "JPEG", 40, 32, 1000
            for key, value in columns.items():
                setattr(row, key, value(number) if callable(value) else value)
            rows.append(row)
    return PhotoIndex(table_of(rows))
