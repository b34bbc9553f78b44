"""``leafsight desktop``: a window for people who do not use terminals."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from leafsight.cli.places import state_dir_option
from leafsight.cli.terminal import cores, decode_limits, settings_for
from leafsight.errors import UsageError, require


@click.command(name="desktop")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="A model file instead of the built-in one.")
@click.option("--threads", type=click.IntRange(0, 1024), help="Photographs at a time; 0 means one per core.")
@click.option("--fresh", is_flag=True, help="Begin with nothing, whatever the last window left open.")
@state_dir_option
def command(
    photos: tuple[Path, ...], model: Path | None, threads: int | None, fresh: bool, state_dir: Path | None
) -> int:
    """Open a window; with PHOTOS (files and folders), diagnose them in it."""
    settings = settings_for(model=model, threads=threads, state_dir=state_dir)
    for photo in photos:
        if not photo.exists():
            raise UsageError(f"{photo} is not there", hint="name photographs or folders, or none")
    if settings.model is not None and not settings.model.exists():
        raise UsageError(f"the model {settings.model} is not there", hint="leave it out for the built-in one")
    _require_window()
    from leafsight.desktop import DesktopOptions, open_window

    return open_window(
        DesktopOptions(
            state_dir=settings.state_dir.expanduser().absolute() / "desktop",
            model=settings.model,
            threads=settings.threads or cores(),
            limits=decode_limits(),
            photos=photos,
            fresh=fresh,
            cache_dir=settings.cache_dir.absolute(),
        )
    )


def _require_window() -> None:
    """Qt, and something to show a window on: without either Qt ends the process with no word for people.

    Raises:
        MissingExtraError: Qt is not installed.
        UsageError: it cannot be loaded, or there is no screen.
    """
    try:
        require("PySide6.QtWidgets", "desktop")
    except ImportError as error:
        raise UsageError(
            f"Qt cannot be loaded: {error}",
            hint="on Debian and Ubuntu: apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3",
        ) from error
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(one) for one in screens):
        raise UsageError(
            "there is no screen to open a window on", hint="diagnose with: leafsight predict FOLDER"
        )
