"""What a window is opened with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leafsight.images import DecodeLimits


@dataclass(frozen=True, slots=True)
class DesktopOptions:
    """Plain values; whoever opens the window has read the settings.

    Attributes:
        state_dir: where the window keeps what is open and how a person likes it; made when it is not there.
        model: a model file; None is the built-in one.
        threads: photographs that are worked on at a time, 1 or more.
        limits: of the decoder.
        photos: files and folders to begin with.
        fresh: whether to begin with nothing, though the last window left photographs open.
        cache_dir: what is read of collections is kept there, as the command line does; None keeps it in the
            state folder.
    """

    state_dir: Path
    model: Path | None = None
    threads: int = 1
    limits: DecodeLimits | None = None
    photos: tuple[Path, ...] = ()
    fresh: bool = False
    cache_dir: Path | None = None
