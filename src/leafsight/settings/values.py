"""Every setting with its default, its unit in the name, and one sentence on what it does.

A plain dataclass: reading settings is on the way of every command, and pydantic alone would take a fifth of
the time that ``leafsight predict`` may take.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


def _setting(default: Any, description: str, *, least: int | None = None, most: int | None = None) -> Any:
    return field(default=default, metadata={"description": description, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person or an operator may set for all commands."""

    model: Path | None = _setting(None, "model file to diagnose with; none means the built-in one")
    threads: int = _setting(0, "compute threads; 0 means one per core", least=0, most=1024)
    cache_dir: Path = _setting(Path("~/.cache/leafsight"), "downloads and pixel caches")
    runs_dir: Path = _setting(Path("runs"), "where training runs are kept")
    max_image_bytes: int = _setting(64 * 1024**2, "a larger photograph file is refused", least=1024)
    max_image_pixels: int = _setting(120_000_000, "a photograph with more pixels is refused", least=4096)
    max_cache_bytes: int = _setting(
        16 * 1024**3, "a pixel cache never becomes larger than this", least=1024**2
    )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def descriptions() -> dict[str, str]:
    """Setting -> what it does, in order."""
    return {one.name: one.metadata["description"] for one in fields(Settings)}
