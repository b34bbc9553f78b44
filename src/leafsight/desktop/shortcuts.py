"""The entry of the start menu of this leafsight: what starts it, and its picture."""

from __future__ import annotations

from pathlib import Path

from leafsight.desktop.session import own_command
from leafsight.desktop.session.shortcuts import data_home, install_shortcuts, remove_shortcuts

ICON_SIZES_PX = (16, 32, 48, 128, 256)


def install_desktop_shortcuts() -> tuple[Path, ...]:
    """Make the entry; what was written is the answer.

    Raises:
        UsageError: this is not Linux, or the program lies where no entry can name it.
        PermissionDeniedError, StorageError: the folder cannot be written.
    """
    home = data_home()
    from leafsight.desktop.window.icon import as_png, drawing

    pictures = {side_px: as_png(side_px) for side_px in ICON_SIZES_PX}
    return install_shortcuts(home, [*own_command(), "desktop"], drawing(), pictures)


def remove_desktop_shortcuts() -> tuple[Path, ...]:
    """Take the entry away; what was there and is gone is the answer.

    Raises:
        UsageError: this is not Linux.
        PermissionDeniedError, StorageError: the folder cannot be written.
    """
    return remove_shortcuts(data_home())
