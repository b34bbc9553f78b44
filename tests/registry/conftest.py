"""Three tiny models to keep, a fourth that plays the built-in one, and a clock that ticks by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle

from leafsight.bundle import builtin as builtin_module
from leafsight.registry import Registry, open_registry

NAMES = ("apples", "beans", "cherries", "shipped")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name -> bundle file."""
    folder = tmp_path_factory.mktemp("bundles")
    return {name: write_tiny_bundle(folder / f"{name}.leafsight", name=name) for name in NAMES}


@pytest.fixture(autouse=True)
def shipped(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The built-in model of these tests."""
    monkeypatch.setattr(builtin_module, "BUILTIN", files["shipped"])
    return files["shipped"]


@pytest.fixture
def clock() -> Callable[[], int]:
    """1000, 2000, 3000, ... milliseconds."""
    return itertools.count(1000, 1000).__next__


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "registry"


@pytest.fixture
def registry(folder: Path, clock: Callable[[], int]) -> Registry:
    return open_registry(folder, now=clock)


@pytest.fixture
def hashes(registry: Registry, files: dict[str, Path]) -> dict[str, str]:
    """Name -> hash of apples, beans and cherries, which are on the shelf; and of the built-in model."""
    found = {name: registry.add(files[name]).hash for name in NAMES[:3]}
    assert registry.builtin is not None
    return found | {"shipped": registry.builtin.hash}
