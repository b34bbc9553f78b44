"""Drawn leaves as files for a browser: no photographs are in the repository.

Enters: how many. Leaves: JPEGs of `leafsight synth`. What the built-in model says of drawings says nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.web.photographing import as_file


@cache
def _drawn(side_px: int) -> tuple[tuple[str, bytes], ...]:
    from leafsight.dataset import SynthOptions, write_synthetic_collection

    with TemporaryDirectory() as folder:
        write_synthetic_collection(
            Path(folder) / "drawn", SynthOptions(leaves_per_class=1, views_per_leaf=1, side_px=side_px)
        )
        paths = sorted(Path(folder).rglob("*.jpg"))
        return tuple((f"{path.parent.name}.jpg", path.read_bytes()) for path in paths)


def drawn_leaves(count: int, side_px: int = 512) -> list[Any]:
    """The first so many, one of each class, as Playwright hands them to a file field."""
    return [as_file(name, data) for name, data in _drawn(side_px)[:count]]
