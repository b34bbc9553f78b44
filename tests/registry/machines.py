"""Several machines that use one bucket, as the tests speak of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fakes.objects import MemoryObjects

from leafsight.registry import Registry

Far = Callable[..., Registry]
"""Another machine, by its name."""


def bundle_name(content_hash: str) -> str:
    return f"bundles/{content_hash}.leafsight"


def spoil(objects: MemoryObjects, name: str, data: bytes) -> None:
    objects.put(name, data)


def served(registry: Registry, alias: str = "serving") -> str:
    """What a server on this machine would take up now: its name, from a bundle that opens."""
    registry.near.watch_token(alias)
    return registry.near.bundle(registry.near.get(alias), keep_network=True).name


def parts_left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.part") if path.is_file()]
