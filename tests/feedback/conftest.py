"""A champion that remembers, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.feedback.made_world import World, make_world

from leafsight.state import Blobs, State, open_blobs, open_state


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The champion; read only."""
    return make_world(tmp_path_factory.mktemp("champion"))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """An empty database."""
    with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}") as one:
        yield one


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty store."""
    return open_blobs(str(tmp_path / "blobs"))
