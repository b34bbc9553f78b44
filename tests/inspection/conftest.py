"""Indexes without files, for the tests of the inspection room."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from leafsight.dataset import PhotoIndex, PhotoRow, table_of

# A photograph that nothing is wrong with.
SOUND: dict[str, Any] = {
    "format": "JPEG", "mode": "RGB", "width_px": 256, "height_px": 192, "bytes": 9000, "orientation": 1,
    "frames": 1, "has_gps": False, "sharpness": 500.0, "margin_share": 0.0, "brightness": 0.5,
    "contrast": 0.2, "saturation": 0.4, "entropy_bits": 7.0, "shadow": 0.1, "highlight": 0.9,
    "dark_share": 0.0, "bright_share": 0.0, "green_share": 0.5, "lesion_share": 0.1, "mean_red": 0.4,
    "mean_green": 0.5, "mean_blue": 0.3,
}  # fmt: skip

MakeIndex = Callable[..., PhotoIndex]


@pytest.fixture(scope="session")
def made() -> MakeIndex:
    """Makes an index: ``made({"class": "rust", "width_px": 9}, ...)``, one mapping a photograph."""

    def make(*photographs: dict[str, Any], source: str = "photos") -> PhotoIndex:
        rows = []
        for number, values in enumerate(photographs):
            given = {**SOUND, **values}
            class_name = given.pop("class", "rust")
            path = given.pop("path", f"{class_name}/{number:04d}.jpg")
            row = PhotoRow(source, "/nowhere", path, class_name)
            row.content_hash = hashlib.sha256(f"{source}/{path}".encode()).hexdigest()
            for key, value in given.items():
                setattr(row, key, None if "fault" in given and key in SOUND else value)
            rows.append(row)
        return PhotoIndex(table_of(rows))

    return make
