"""From any thread to the window's own: that there is news, once until it was looked at."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, Signal


class Waker(QObject):
    """Its signal ``woken`` comes on the thread that made it, however many threads call ``wake``."""

    woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told = threading.Event()
        self._pass_on = _Passing(self)
        self._pass_on.came.connect(self._look, Qt.ConnectionType.QueuedConnection)

    def wake(self) -> None:
        """There is news; cheap, and safe on any thread."""
        if not self._told.is_set():
            self._told.set()
            self._pass_on.came.emit()

    def _look(self) -> None:
        self._told.clear()
        self.woken.emit()


class _Passing(QObject):
    came = Signal()
