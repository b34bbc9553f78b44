"""People do what the report says that they do."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from tests.loadtest.making import write_photographs

from leafsight.errors import DatasetError
from leafsight.loadtest.behaviour import MOST_PLANT_MEGAPIXELS, SHARES, next_visit, think
from leafsight.loadtest.mix import SIZES, Size
from leafsight.loadtest.photographs import digest_of, draw_photographs, take_photographs

TINY = (Size("64 px", 64, 48, 85, 2.0, 75, "x"), Size("1 MP", 1200, 900, 85, 2.0, 25, "y"))


def test_visits_come_in_the_shares_that_are_told() -> None:
    chance = random.Random(5)
    weights, megapixels = [70.0, 20.0, 10.0], [0.1, 2.0, 12.0]
    visits = [next_visit(chance, weights, megapixels) for _ in range(8000)]
    kinds = Counter(visit.kind for visit in visits)
    for kind, share in SHARES.items():
        assert kinds[kind] / len(visits) == pytest.approx(share, abs=0.03)
    for visit in visits:
        if visit.kind == "plant":
            assert 1 <= len(visit.photographs) <= 4
            if len(visit.photographs) > 1:
                assert sum(megapixels[one] for one in visit.photographs) <= MOST_PLANT_MEGAPIXELS
        if visit.kind == "burst":
            assert 3 <= len(visit.photographs) <= 6
    sent = Counter(one for visit in visits if visit.kind == "photograph" for one in visit.photographs)
    assert sent[2] / sum(sent.values()) == pytest.approx(0.1, abs=0.03)


def test_pauses_have_their_mean_and_are_never_endless() -> None:
    chance = random.Random(1)
    pauses = [think(chance, 2.0) for _ in range(4000)]
    assert sum(pauses) / len(pauses) == pytest.approx(2.0, abs=0.15)
    assert max(pauses) <= 10.0
    assert think(chance, 0.0) == 0.0


def test_the_mix_spans_256_px_to_12_megapixels_and_its_weights_are_percent() -> None:
    assert sum(size.weight for size in SIZES) == 100
    assert SIZES[0].width_px == 256
    assert SIZES[-1].megapixels == 12
    assert all(size.why for size in SIZES)


def test_photographs_are_drawn_once_the_same_with_the_same_seed(tmp_path: Path) -> None:
    first = draw_photographs(tmp_path / "a", sizes=TINY, each=2)
    stamp = Path(first[0].path).stat().st_mtime_ns
    assert draw_photographs(tmp_path / "a", sizes=TINY, each=2) == first
    assert Path(first[0].path).stat().st_mtime_ns == stamp
    again = draw_photographs(tmp_path / "b", sizes=TINY, each=2)
    other = draw_photographs(tmp_path / "c", sizes=TINY, each=2, seed=1)
    assert digest_of(first) == digest_of(again) != digest_of(other)
    assert sum(one.weight for one in first) == pytest.approx(100)
    with Image.open(first[-1].path) as picture:
        assert picture.size == (1200, 900)
    Path(first[0].path).write_bytes(b"cut")
    repaired = draw_photographs(tmp_path / "a", sizes=TINY, each=2)
    assert digest_of(repaired) == digest_of(again)


def test_photographs_of_a_folder_are_taken_with_their_sizes(tmp_path: Path) -> None:
    found = take_photographs(write_photographs(tmp_path, 5))
    assert len(found) == 5
    assert sum(one.weight for one in found) == pytest.approx(100)
    assert {one.size for one in found} == {"< 0.2 MP"}
    assert len(take_photographs(tmp_path, most=2)) == 2
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="is no picture"):
        take_photographs(tmp_path)
    with pytest.raises(DatasetError, match="holds no JPEG"):
        take_photographs(tmp_path / "empty")
