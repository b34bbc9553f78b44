"""A grid of photographs: fetched when they are looked at, made off the window's thread, bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.desktop.teaching_fakes import MadeUpLearning

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtGui import QImage

from leafsight.desktop.window.thumbnails import TILE_PX, Tile, Tiles

pytestmark = pytest.mark.gui
ONE = 4 * TILE_PX**2


class Fetching:
    """Remembers what was fetched, and hands it over when it is told to."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._ready: list[Callable[[], None]] = []

    def __call__(self, key: str, made: Callable[[bytes], QImage], done: Callable[[QImage], None]) -> None:
        self.keys.append(key)
        data = b"no picture" if key == "torn" else MadeUpLearning().photograph(key)
        self._ready.append(lambda: done(made(data)))

    def settle(self) -> None:
        while self._ready:
            self._ready.pop(0)()


@pytest.fixture
def fetching(qapp: Any) -> Fetching:
    return Fetching()


def tiles_of(*keys: str) -> list[Tile]:
    return [Tile(key, key, key) for key in keys]


def test_a_picture_is_fetched_once_and_is_as_large_as_its_tile(fetching: Fetching) -> None:
    tiles = Tiles(fetching)
    (one,) = tiles_of("a")
    tiles.show([one])
    assert tiles.picture(one) is None
    assert tiles.picture(one) is None
    assert fetching.keys == ["a"]
    fetching.settle()
    found = tiles.picture(one)
    assert found is not None
    assert (found.width(), found.height()) == (TILE_PX, TILE_PX)


def test_those_that_were_not_looked_at_longest_go_and_come_again(fetching: Fetching) -> None:
    tiles = Tiles(fetching, most_bytes=2 * ONE)
    one, two, three = shown = tiles_of("a", "b", "c")
    tiles.show(shown)
    for tile in (one, two):
        tiles.picture(tile)
    fetching.settle()
    assert tiles.picture(one) is not None  # looked at again: b is the oldest now
    tiles.picture(three)
    fetching.settle()
    assert len(tiles._pictures) == 2
    assert tiles.picture(two) is None
    assert fetching.keys == ["a", "b", "c", "b"]
    fetching.settle()
    assert tiles.picture(two) is not None


def test_what_is_no_picture_is_not_asked_for_again_and_again(fetching: Fetching) -> None:
    tiles = Tiles(fetching)
    (torn,) = tiles_of("torn")
    tiles.show([torn])
    for _ in range(3):
        assert tiles.picture(torn) is None
        fetching.settle()
    assert fetching.keys == ["torn"]


def test_a_picture_of_a_tile_that_is_gone_is_left_out(fetching: Fetching) -> None:
    tiles = Tiles(fetching)
    old, new = tiles_of("old", "new")
    tiles.show([old])
    tiles.picture(old)
    tiles.show([new])
    fetching.settle()
    assert not tiles._pictures
