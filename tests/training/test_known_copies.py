"""Copies are looked for once for the same photographs, and again when anything about them changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset import Sketches, index_photos
from leafsight.inspection import Looked, Relatives
from leafsight.progress import Silent
from leafsight.training import known_copies
from leafsight.training.known_copies import COPIES_FILE, copies_in


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for label in ("rust", "healthy"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(4):
            small = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
            small.resize((96, 96)).save(tmp_path / "photos" / label / f"{number}.png")
    copy = tmp_path / "photos" / "rust" / "0.png"
    Image.open(copy).save(tmp_path / "photos" / "healthy" / "copy.jpg", quality=90)
    return tmp_path / "photos"


def looked_at(photographs: Path, folder: Path) -> Looked:
    sketches = Sketches(folder / "index.sketches")
    return Looked(index_photos(photographs, sketches=sketches), sketches)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photographs each search that was made looked at."""
    made: list[int] = []
    real = known_copies.find_copies

    def find(looked: Looked, progress: object) -> Relatives:
        made.append(len(looked.rows()))
        return real(looked, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(known_copies, "find_copies", find)
    return made


def test_the_second_call_remembers_and_says_the_same(
    photographs: Path, tmp_path: Path, searches: list[int]
) -> None:
    looked = looked_at(photographs, tmp_path)
    first = copies_in(looked, tmp_path, Silent())
    names = [looked.index.column("path")[row] for row in first[0]]
    assert sorted(names) == ["healthy/copy.jpg", "rust/0.png"]
    assert copies_in(looked_at(photographs, tmp_path), tmp_path, Silent()) == first
    assert searches == [9]


def test_another_photograph_is_searched_again(photographs: Path, tmp_path: Path, searches: list[int]) -> None:
    copies_in(looked_at(photographs, tmp_path), tmp_path, Silent())
    (photographs / "healthy" / "copy.jpg").unlink()
    assert copies_in(looked_at(photographs, tmp_path), tmp_path, Silent()) == ()
    assert searches == [9, 8]


@pytest.mark.parametrize("damage", ["", "[]", '{"key": 1}', '{"groups": 3}'])
def test_a_damaged_memory_is_made_again(
    photographs: Path, tmp_path: Path, searches: list[int], damage: str
) -> None:
    looked = looked_at(photographs, tmp_path)
    first = copies_in(looked, tmp_path, Silent())
    (tmp_path / COPIES_FILE).write_text(damage)
    assert copies_in(looked, tmp_path, Silent()) == first
    assert searches == [9, 9]
