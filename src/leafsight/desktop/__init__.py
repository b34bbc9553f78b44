"""A window for people at a desk: photographs in by hand, answers as they are ready, no terminal, no network.

Enters: options that the command line read. Leaves: a window until it is closed. What happens is in
``session``, which knows no Qt and is what the tests hold; ``window`` shows it and decides nothing. Qt (extra
``desktop``) is loaded when the window is opened, not before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.desktop.options import DesktopOptions

if TYPE_CHECKING:
    from leafsight.desktop.shortcuts import install_desktop_shortcuts, remove_desktop_shortcuts
    from leafsight.desktop.window import open_window

_HOME = {
    "install_desktop_shortcuts": "shortcuts",
    "open_window": "window",
    "remove_desktop_shortcuts": "shortcuts",
}

__all__ = ["DesktopOptions", "install_desktop_shortcuts", "open_window", "remove_desktop_shortcuts"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
