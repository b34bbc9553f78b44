"""From any thread to the window's own: that there is news, once until it was looked at."""

from __future__ import annotations

import threading

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

EVERY_MS = 100
"""At most that often: what changes quicker is not seen, and drawing it takes time from who diagnoses."""


class Waker(QObject):
    """Its signal ``woken`` comes on the thread that made it, however many threads call ``wake``."""

    woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told = threading.Event()
        self._pass_on = _Passing(self)
        self._pass_on.came.connect(self._soon, Qt.ConnectionType.QueuedConnection)
        self._since = QElapsedTimer()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._look)

    def wake(self) -> None:
        """There is news; cheap, and safe on any thread."""
        if not self._told.is_set():
            self._told.set()
            self._pass_on.came.emit()

    def _soon(self) -> None:
        passed_ms = self._since.elapsed() if self._since.isValid() else EVERY_MS
        if passed_ms >= EVERY_MS:
            self._look()
        elif not self._later.isActive():
            self._later.start(EVERY_MS - passed_ms)

    def _look(self) -> None:
        self._told.clear()
        self._since.start()
        self.woken.emit()


class _Passing(QObject):
    came = Signal()
