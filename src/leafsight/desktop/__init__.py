"""A window for people at a desk: photographs in by hand, answers as they are ready, no terminal, no network.

Enters: options that the command line read. Leaves: a window until it is closed. What happens is in
``session``, which knows no Qt and is what the tests hold; ``window`` shows it and decides nothing. Qt (extra
``desktop``) is loaded when the window is opened, not before.
"""

from typing import TYPE_CHECKING, Any

from leafsight.desktop.options import DesktopOptions

if TYPE_CHECKING:
    from leafsight.desktop.window import open_window

__all__ = ["DesktopOptions", "open_window"]


def __getattr__(name: str) -> Any:
    if name != "open_window":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from leafsight.desktop.window import open_window

    return open_window
