"""Every setting with its default, its unit in the name, and one sentence on what it does."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What a person or an operator may set for all commands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path | None = Field(None, description="model file to diagnose with; none means the built-in one")
    threads: int = Field(0, ge=0, le=1024, description="compute threads; 0 means one per core")
    cache_dir: Path = Field(Path("~/.cache/leafsight"), description="downloads and pixel caches")
    runs_dir: Path = Field(Path("runs"), description="where training runs are kept")
    max_image_bytes: int = Field(64 * 1024**2, ge=1024, description="a larger photograph file is refused")
    max_image_pixels: int = Field(
        120_000_000, ge=4096, description="a photograph with more pixels is refused"
    )
    max_cache_bytes: int = Field(
        16 * 1024**3, ge=1024**2, description="a pixel cache never becomes larger than this"
    )
    colour: bool = Field(True, description="colours and bars on a terminal; NO_COLOR is respected, too")
