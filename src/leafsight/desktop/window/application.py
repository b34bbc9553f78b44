"""From options to a window that is open, and to its end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from leafsight.desktop.options import DesktopOptions
from leafsight.desktop.session import (
    Keeper,
    Reach,
    ServiceHere,
    Session,
    load_preferences,
    load_server,
    loader,
    own_command,
    told_apart,
)
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.main import MainWindow
from leafsight.desktop.window.speaking import speak
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
    return application


def open_window(options: DesktopOptions, say: Callable[[str], None] = lambda line: None) -> int:
    """Show the window until it is closed; where one is open already, give it the photographs and end.

    Args:
        options: of the window.
        say: told in one line when the photographs went to another window, or this one keeps nothing because
            the other one does not answer.

    Returns:
        The exit code: 0.
    """
    keeper, busy = _lock(options)
    if busy and not options.new_window:
        taken, keeper = _hand_over(options)
        if taken:
            say(tr("handed to the window that is open; --new-window opens another"))
            return 0
        if keeper is None:
            say(tr("the window that is open does not answer: this is another one, and it keeps nothing"))
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_end.set())
    code, again = _until_closed(options, keeper, told_to_end)
    while again:
        # What was open is in the journal; what was asked for at the start is among it.
        options = replace(options, photos=(), fresh=False)
        code, again = _until_closed(options, _lock(options)[0], told_to_end)
    return code


def _until_closed(
    options: DesktopOptions, keeper: Keeper | None, told_to_end: threading.Event
) -> tuple[int, bool]:
    """One window from its beginning to its end: the exit code, and whether it is wanted again."""
    application = make_application()
    window = _window(options, keeper)
    window.show()
    photos, models = told_apart(options.photos)
    window.add(photos)
    window.offer(models)
    QTimer.singleShot(0, window, lambda: _when_seen(application, window, options, keeper is not None))
    hear = QTimer()  # Python hears signals only when it runs
    hear.timeout.connect(lambda: window.leave() if told_to_end.is_set() else None)
    hear.start(HEAR_SIGNALS_MS)
    code = application.exec()
    hear.stop()
    again = window.wants_again
    window.deleteLater()
    application.sendPostedEvents(window, 0)
    return code, again


def make_window(options: DesktopOptions) -> MainWindow:
    """A window that is not shown yet, with what the last one left open."""
    return _window(options, _lock(options)[0])


def _window(options: DesktopOptions, keeper: Keeper | None) -> MainWindow:
    preferences = load_preferences(options.state_dir)
    speak(preferences, options.state_dir)
    limits = options.limits or DecodeLimits()
    waker = Waker()
    reach = Reach(ServiceHere(options.store, own_command(), os.getpid()), load_server(options.state_dir))
    session = Session(
        loader(options.model, reach, limits),
        threads=options.threads,
        limits=limits,
        wake=waker.wake,
        keeper=keeper,
    )
    if options.fresh:
        session.forget_last()
    else:
        session.restore()
    window = MainWindow(session, waker, preferences, options, reach)
    waker.setParent(window)
    waker.wake()
    return window


def _lock(options: DesktopOptions) -> tuple[Keeper | None, bool]:
    """What keeps what is open, and whether another window does it; neither where nothing can be written."""
    try:
        return Keeper(options.state_dir), False
    except (StateBusyError, OSError) as error:
        LOG.info("what is open is not kept: %s", error)
        return None, isinstance(error, StateBusyError)


def _when_seen(
    application: QApplication, window: MainWindow, options: DesktopOptions, is_the_one: bool
) -> None:
    """What the first window need not wait for: 20 ms."""
    from leafsight.desktop.window.icon import icon

    application.setWindowIcon(icon())
    if is_the_one and (address := _address(options)):
        window.listen(address)


def _address(options: DesktopOptions) -> str:
    """Where the one window listens; empty where nobody can listen."""
    from leafsight.desktop.session.handing_over import address_of

    try:
        return address_of(options.state_dir)
    except OSError as error:
        LOG.warning("later starts are not heard: %s", error)
        return ""


def _hand_over(options: DesktopOptions) -> tuple[bool, Keeper | None]:
    """Whether the other window took what this start wants; the lock, when that window ended meanwhile."""
    from leafsight.desktop.session.handing_over import Handed, token_of
    from leafsight.desktop.window.one_window import hand_over_when_it_hears

    address = _address(options)
    if not address:
        return False, None
    photos, models = told_apart(path.absolute() for path in options.photos)
    if options.model is not None and options.model_is_named:
        models.insert(0, options.model.absolute())
    found: list[Keeper] = []

    def is_over() -> bool:
        keeper, _ = _lock(options)
        found.extend(() if keeper is None else (keeper,))
        return bool(found)

    handed = Handed(tuple(photos), tuple(models), token_of(os.environ))
    taken = hand_over_when_it_hears(address, handed, is_over)
    return taken, found[0] if found else None
