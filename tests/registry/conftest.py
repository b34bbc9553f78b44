"""Three tiny models to keep, a fourth that plays the built-in one, and a clock that ticks by itself.

A test that asks for ``registry`` and not for ``folder`` runs twice: in a folder and in a bucket, unless it is
marked with ``folder_only``.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.objects import MemoryObjects
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.registry.machines import Far

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = inspect.signature(metafunc.function).parameters
    alone = "folder" in asked or getattr(metafunc.function, "folder_only", "")
    if "registry" in asked and not alone:
        metafunc.parametrize("registry", ["folder", "bucket"], indirect=True)


@pytest.fixture
def objects() -> MemoryObjects:
    """The bucket of the registry, where it lies in one."""
    return MemoryObjects()


@pytest.fixture
def registry(
    request: pytest.FixtureRequest, folder: Path, clock: Callable[[], int], objects: MemoryObjects
) -> Registry:
    mirror = objects if getattr(request, "param", "folder") == "bucket" else None
    return open_registry(folder, mirror=mirror, now=clock)


@pytest.fixture
def hashes(registry: Registry, files: dict[str, Path]) -> dict[str, str]:
    """Name -> hash of apples, beans and cherries, which are on the shelf; and of the built-in model."""
    found = {name: registry.add(files[name]).hash for name in NAMES[:3]}
    assert registry.builtin is not None
    return found | {"shipped": registry.builtin.hash}


@pytest.fixture
def far(tmp_path: Path, objects: MemoryObjects, clock: Callable[[], int]) -> Far:
    """Another machine that uses the same bucket; by its name."""

    def machine(name: str = "office", now: Callable[[], int] = clock) -> Registry:
        return open_registry(tmp_path / name, mirror=objects, now=now)

    return machine


@pytest.fixture
def there(far: Far, files: dict[str, Path]) -> dict[str, str]:
    """Name -> hash; apples, beans and cherries lie in the bucket."""
    registry = far()
    assert registry.builtin is not None
    found = {name: registry.add(files[name]).hash for name in ("apples", "beans", "cherries")}
    return found | {"shipped": registry.builtin.hash}
