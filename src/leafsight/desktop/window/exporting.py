"""Exports beside the window: a long one is not felt, and is stopped when the window closes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from leafsight.desktop.session import Trouble
from leafsight.errors import LeafsightError

LOG = logging.getLogger("leafsight.desktop")
END_WITHIN_S = 30.0
Told = Callable[[int, int], None]
Export = Callable[[Told], str]
"""Gets whom to tell how far it is, gives the sentence that says what was done."""


class _StoppedError(Exception):
    """The window closes: what was copied is whole, the same export goes on from there."""


class Exporter(QObject):
    """Runs one export at a time."""

    told = Signal(int, int)
    ended = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def works(self) -> bool:
        """Whether one is running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, export: Export) -> None:
        """Run it; ``ended`` or ``failed`` comes on the window's thread."""
        if not self.works:
            self._thread = threading.Thread(target=self._run, args=(export,), name="exporting", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop after the photograph that is being copied."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_WITHIN_S)

    def _run(self, export: Export) -> None:
        try:
            self.ended.emit(export(self._on_told))
        except _StoppedError:
            LOG.info("an export was stopped")
        except LeafsightError as error:
            self.failed.emit(Trouble.of(error))
        except Exception as error:
            LOG.exception("an export failed")
            self.failed.emit(Trouble(f"the export failed: {error!r}", "this is a bug of ours: report it"))

    def _on_told(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        self.told.emit(done, total)
