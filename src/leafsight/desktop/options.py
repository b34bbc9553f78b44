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
        photos: files and folders to begin with; a model file among them is offered to the person.
        fresh: whether to begin with nothing, though the last window left photographs open.
        store_dir: where what is learned is kept on this computer, shared with the command line; None is the
            folder above ``state_dir``.
        new_window: whether to open a window even where one is open.
        model_is_named: whether a person named the model for this start; the window that is open is then
            asked to use it.
        cache_dir: what is read of collections is kept there, as the command line does; None keeps it in the
            state folder.
    """

    state_dir: Path
    model: Path | None = None
    threads: int = 1
    limits: DecodeLimits | None = None
    photos: tuple[Path, ...] = ()
    fresh: bool = False
    store_dir: Path | None = None
    new_window: bool = False
    model_is_named: bool = False
    cache_dir: Path | None = None

    @property
    def store(self) -> Path:
        """Where what is learned is kept on this computer."""
        return self.store_dir if self.store_dir is not None else self.state_dir.parent
