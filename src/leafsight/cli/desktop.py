"""``leafsight desktop``: a window for people who do not use terminals."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from leafsight.cli.places import state_dir_option
from leafsight.cli.terminal import cores, decode_limits, settings_for, talk
from leafsight.errors import UsageError, require


@click.command(name="desktop")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="A model file instead of the built-in one.")
@click.option("--threads", type=click.IntRange(0, 1024), help="Photographs at a time; 0 means one per core.")
@click.option("--fresh", is_flag=True, help="Begin with nothing, whatever the last window left open.")
@click.option("--new-window", is_flag=True, help="Open another window where one is open; it keeps nothing.")
@click.option(
    "--install-shortcuts", is_flag=True, help="Only make an entry in the start menu, and open model files."
)
@click.option("--remove-shortcuts", is_flag=True, help="Only take that entry away again.")
@state_dir_option
def command(
    photos: tuple[Path, ...],
    model: Path | None,
    threads: int | None,
    fresh: bool,
    new_window: bool,
    install_shortcuts: bool,
    remove_shortcuts: bool,
    state_dir: Path | None,
) -> int:
    """Open a window; with PHOTOS (files and folders), diagnose them in it.

    Where a window is open already, it gets them. A model file among them is offered there.
    """
    if install_shortcuts or remove_shortcuts:
        _shortcuts(install_shortcuts, remove_shortcuts)
        return 0
    settings = settings_for(model=model, threads=threads, state_dir=state_dir)
    for photo in photos:
        if not photo.exists():
            raise UsageError(f"{photo} is not there", hint="name photographs or folders, or none")
    if settings.model is not None and not settings.model.exists():
        raise UsageError(f"the model {settings.model} is not there", hint="leave it out for the built-in one")
    _require_qt()
    _require_screen()
    from leafsight.desktop import DesktopOptions, open_window

    options = DesktopOptions(
        state_dir=settings.state_dir.expanduser().absolute() / "desktop",
        model=settings.model,
        threads=settings.threads or cores(),
        limits=decode_limits(),
        photos=photos,
        fresh=fresh,
        new_window=new_window,
        model_is_named=model is not None,
        store_dir=settings.state_dir.expanduser().absolute(),
        cache_dir=settings.cache_dir.absolute(),
    )
    return open_window(options, talk)


def _shortcuts(install: bool, remove: bool) -> None:
    """Make or take away what the desktop knows of leafsight, and say which files that are."""
    if install and remove:
        raise UsageError(
            "--install-shortcuts and --remove-shortcuts undo each other", hint="give one of them"
        )
    from leafsight.desktop import install_desktop_shortcuts, remove_desktop_shortcuts

    if install:
        _require_qt()
    for path in install_desktop_shortcuts() if install else remove_desktop_shortcuts():
        click.echo(path)


def _require_qt() -> None:
    """Without it Qt's own words, or none, would be the last ones.

    Raises:
        MissingExtraError: Qt is not installed.
        UsageError: it cannot be loaded.
    """
    try:
        require("PySide6.QtWidgets", "desktop")
    except ImportError as error:
        raise UsageError(
            f"Qt cannot be loaded: {error}",
            hint="on Debian and Ubuntu: apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3",
        ) from error


def _require_screen() -> None:
    """Qt ends the process where there is nothing to show a window on.

    Raises:
        UsageError: there is no screen.
    """
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(one) for one in screens):
        raise UsageError(
            "there is no screen to open a window on", hint="diagnose with: leafsight predict FOLDER"
        )
