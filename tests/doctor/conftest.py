"""An installation in a new folder, and the two databases."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.state.conftest import postgres  # noqa: F401 (a fixture)

from leafsight.doctor import Finding, Installation


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """As ``leafsight serve --state-dir`` would have it, before anything was made."""
    state = tmp_path / "state"
    return Installation(
        state_dir=state,
        cache_dir=tmp_path / "cache",
        database_url=f"sqlite:///{state / 'leafsight.db'}",
        blob_url=str(state / "blobs"),
        registry_dir=state / "registry",
        port=0,
    )


@pytest.fixture
def changed(here: Installation) -> Callable[..., Installation]:
    """The same with other values."""

    def change(**values: Any) -> Installation:
        return replace(here, **values)

    return change


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Makes file systems of their own, in memory; skips where that needs rights that we do not have."""
    mounted: list[Path] = []

    def make(name: str = "small", options: str = "size=256k") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"NOT TESTED ON A SMALL DISK: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("NOT TESTED ON A SMALL DISK: only root can mount one")
    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    """Nobody writes to the file system any more, not even root."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def states(found: Iterable[Finding]) -> dict[str, str]:
    """Name -> state."""
    return {one.name: one.state for one in found}


def the(found: Iterable[Finding], name: str) -> Finding:
    """The one finding of this name."""
    [one] = [one for one in found if one.name == name]
    return one
