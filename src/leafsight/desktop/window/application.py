"""From options to a window that is open, and to its end."""

from __future__ import annotations

import logging
import signal
import sys
import threading

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from leafsight.desktop.options import DesktopOptions
from leafsight.desktop.session import Keeper, Session, bundle_loader, load_preferences
from leafsight.desktop.window.main import MainWindow
from leafsight.desktop.window.waking import Waker
from leafsight.errors import StateBusyError
from leafsight.images import DecodeLimits

LOG = logging.getLogger("leafsight.desktop")
HEAR_SIGNALS_MS = 250
SWITCH_S = 0.001


def make_application() -> QApplication:
    """The one application of this process."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    # So long the window's thread waits for the interpreter's lock, each time that it wants it.
    sys.setswitchinterval(SWITCH_S)
    application.setApplicationName("leafsight")
    application.setApplicationDisplayName("leafsight")
    application.setDesktopFileName("leafsight")
    application.setWindowIcon(QIcon.fromTheme("leafsight"))
    return application


def open_window(options: DesktopOptions) -> int:
    """Show the window until it is closed.

    Args:
        options: of the window.

    Returns:
        The exit code: 0.
    """
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_end.set())
    application = make_application()
    window = make_window(options)
    window.show()
    window.add(options.photos)
    hear = QTimer()  # Python hears signals only when it runs
    hear.timeout.connect(lambda: window.leave() if told_to_end.is_set() else None)
    hear.start(HEAR_SIGNALS_MS)
    return application.exec()


def make_window(options: DesktopOptions) -> MainWindow:
    """A window that is not shown yet, with what the last one left open."""
    limits = options.limits or DecodeLimits()
    waker = Waker()
    session = Session(
        bundle_loader(options.model, limits),
        threads=options.threads,
        limits=limits,
        wake=waker.wake,
        keeper=_keeper(options),
    )
    if options.fresh:
        session.forget_last()
    else:
        session.restore()
    window = MainWindow(session, waker, load_preferences(options.state_dir), options)
    waker.setParent(window)
    waker.wake()
    return window


def _keeper(options: DesktopOptions) -> Keeper | None:
    """Keeps what is open; a second window, or a folder that cannot be written, goes without."""
    try:
        return Keeper(options.state_dir)
    except (StateBusyError, OSError) as error:
        LOG.warning("what is open is not kept: %s", error)
        return None
