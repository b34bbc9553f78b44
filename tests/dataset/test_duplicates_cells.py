"""The cells find the nearest points."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.dataset.duplicates import cells as cells_module
from leafsight.dataset.duplicates.cells import Cells


def points(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)


def nearest_by_hand(given: np.ndarray, queries: np.ndarray, own: np.ndarray, keep: int) -> np.ndarray:
    apart = ((queries[:, None] - given[None]) ** 2).sum(2)
    apart[np.arange(len(queries)), own] = np.inf
    return np.argsort(apart, axis=1, kind="stable")[:, :keep]


def test_one_cell_is_exact() -> None:
    given, own = points(100), np.arange(100)
    found, distances = Cells.build(given).nearest(given, own, 3)
    assert np.array_equal(found, nearest_by_hand(given, given, own, 3))
    expected = ((given[own, None] - given[found]) ** 2).sum(2)
    np.testing.assert_allclose(distances, expected, atol=1e-4)


def test_many_cells_lose_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MEMBERS", 40)
    given, own = points(2000), np.arange(2000)
    close = given + np.float32(0.01)
    found, _ = Cells.build(given).nearest(close, np.roll(own, 1), 1)
    assert (found[:, 0] == own).mean() > 0.99


def test_nothing_finds_itself() -> None:
    given = np.zeros((5, 6), np.float32)
    found, _ = Cells.build(given).nearest(given, np.arange(5), 4)
    assert all(number not in found[number] for number in range(5))


def test_missing_neighbours_are_minus_one() -> None:
    given = points(2)
    found, distances = Cells.build(given).nearest(given, np.arange(2), 3)
    assert found.tolist() == [[1, -1, -1], [0, -1, -1]]
    assert np.isinf(distances[:, 1:]).all()


def test_the_same_points_give_the_same_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MEMBERS", 20)
    one, other = Cells.build(points(500)), Cells.build(points(500))
    assert np.array_equal(one.members, other.members)
    assert np.array_equal(one.centres, other.centres)


def test_equal_points_do_not_break_the_centres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MEMBERS", 10)
    given = np.concatenate([np.zeros((200, 6), np.float32), points(50)])
    found, _ = Cells.build(given).nearest(given, np.arange(250), 1)
    assert (found >= 0).all()


def test_how_many_queries_are_compared_at_once_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MEMBERS", 40)
    given, own = points(600), np.arange(600)
    found, distances = Cells.build(given).nearest(given, own, 2)
    monkeypatch.setattr(cells_module, "IN_CACHE", 1)
    again, same = Cells.build(given).nearest(given, own, 2)
    assert np.array_equal(found, again)
    np.testing.assert_allclose(distances, same, atol=1e-4)
