"""Small collections to copy, as indexes of real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leafsight.dataset import PhotoIndex, index_photos

WritePhoto = Callable[..., Path]


@pytest.fixture
def indexed(collection: Callable[..., Path]) -> Callable[..., PhotoIndex]:
    """Writes and indexes class folders: ``indexed({"rust": 3}, splits="train")`` gives all one split."""

    def make(counts: dict[str, int], name: str = "photos", splits: str = "") -> PhotoIndex:
        index = index_photos(collection(counts, name))
        words = splits.split()
        values = [words[row % len(words)] if words else None for row in range(len(index))]
        return index.with_column("split", values)

    return make
