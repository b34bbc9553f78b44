"""Which views of which photographs go on to be compared."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.dataset.duplicates import candidates as candidates_module
from leafsight.dataset.duplicates.candidates import FARTHEST, KEPT, _nearest_views, find_candidates


def by_hand(other: np.ndarray, distance: np.ndarray) -> list[tuple[int, int, int]]:
    kept = []
    for one in range(other.shape[1]):
        best: dict[int, tuple[float, int]] = {}
        for view, nth in np.ndindex(len(other), other.shape[2]):
            far, whom = float(distance[view, one, nth]), int(other[view, one, nth])
            if whom >= 0 and far < FARTHEST:
                best[whom] = min(best.get(whom, (far, view)), (far, view))
        nearest = sorted(best.items(), key=lambda item: item[1])[:KEPT]
        kept += [(one, whom, view) for whom, (_, view) in nearest]
    return kept


def test_the_nearest_view_of_the_nearest_others_is_kept() -> None:
    rng = np.random.default_rng(0)
    other = rng.integers(-1, 12, (9, 40, 2)).astype(np.int32)
    distance = (rng.random(other.shape) * 2 * FARTHEST).astype(np.float32)
    distance[other < 0] = np.inf
    expected = by_hand(other, distance)
    found = _nearest_views(other, distance)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_nothing_near_gives_nothing() -> None:
    other = np.full((3, 4, 2), -1, np.int32)
    found = _nearest_views(other, np.full((3, 4, 2), np.inf, np.float32))
    assert [len(column) for column in found] == [0, 0, 0]


@pytest.mark.parametrize("cores", [1, 3])
def test_neither_threads_nor_blocks_decide(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    rgb = np.concatenate([small, np.rot90(small, 1, (1, 2))]).repeat(4, 1).repeat(4, 2)
    usual = find_candidates(rgb, np.arange(80))
    monkeypatch.setattr(candidates_module, "available_cores", lambda: cores)
    monkeypatch.setattr(candidates_module, "BLOCK", 32)
    monkeypatch.setattr(candidates_module, "AT_ONCE", 7)
    found = find_candidates(rgb, np.arange(80))
    pairs = set(zip(usual.one.tolist(), usual.other.tolist(), strict=True))
    assert {(one, one + 40) for one in range(40)} <= pairs
    assert set(zip(found.one.tolist(), found.other.tolist(), strict=True)) == pairs
