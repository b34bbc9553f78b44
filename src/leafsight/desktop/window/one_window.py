"""One window on one state folder: a second start hands its files to the window that is open.

Enters: what a start wants opened. Leaves: the same, in the window that is open, on its thread. The lock of
the ``Keeper`` says which window that is; the socket only carries: one that a killed window left is taken over
by whoever has the lock. The window answers from its own thread, so one that hangs does not answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from leafsight.desktop.session.handing_over import MOST_BYTES, Handed, handed_in, message_of

LOG = logging.getLogger("leafsight.desktop")
ANSWERS_WITHIN_S = 2.0
TRY_AGAIN_S = 0.05
AT_A_TIME = 8
TAKEN = b"taken\n"


class Listener(QObject):
    """Hears later starts until ``close``."""

    handed = Signal(object)
    """A ``Handed``; it is said to be taken when the signal was heard."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._visits = 0
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_visit)

    def listen(self, address: str) -> bool:
        """Only for the window that has the lock: whoever else listened there is gone.

        Args:
            address: of ``address_of``.

        Returns:
            Whether it hears now; the window is open without, too.
        """
        QLocalServer.removeServer(address)
        heard = self._server.listen(address)
        if not heard:
            LOG.warning("later starts are not heard at %s: %s", address, self._server.errorString())
        return heard

    def close(self) -> None:
        """Hear no more, and leave nothing behind."""
        self._server.close()

    def _on_visit(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            if self._visits >= AT_A_TIME:
                socket.abort()
                socket.deleteLater()
                continue
            self._visits += 1
            visit = _Visit(socket, self.handed.emit)
            visit.destroyed.connect(self._on_gone)

    def _on_gone(self) -> None:
        self._visits -= 1


class _Visit(QObject):
    """One start that says what it wants, with a limit on bytes and on time; it goes with its socket."""

    def __init__(self, socket: QLocalSocket, take: Callable[[Handed], object]) -> None:
        super().__init__(socket)
        self._socket, self._take, self._heard = socket, take, b""
        socket.setReadBufferSize(MOST_BYTES + 1)
        socket.readyRead.connect(self._read)
        socket.disconnected.connect(socket.deleteLater)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self._refuse)
        self._limit.start(round(1000 * ANSWERS_WITHIN_S))
        self._read()

    def _read(self) -> None:
        self._heard += self._socket.readAll().data()
        line, end, _ = self._heard.partition(b"\n")
        if not end and len(line) <= MOST_BYTES:
            return
        self._heard = b""
        try:
            handed = handed_in(line)
        except ValueError as error:
            LOG.warning("what a later start said is not heard: %s", error)
            self._refuse()
            return
        self._take(handed)
        self._socket.write(TAKEN)
        self._socket.disconnectFromServer()

    def _refuse(self) -> None:
        self._socket.abort()
        self._socket.deleteLater()


def hand_over(address: str, handed: Handed, within_s: float = ANSWERS_WITHIN_S) -> bool:
    """Give this to the window that listens there.

    Args:
        address: of ``address_of``.
        handed: what it is asked for.
        within_s: how long each of its answers is waited for.

    Returns:
        Whether it took all of it.
    """
    return all(_say(address, part, within_s) for part in handed.in_parts())


def _say(address: str, handed: Handed, within_s: float) -> bool:
    end = time.monotonic() + within_s
    socket = QLocalSocket()
    socket.connectToServer(address)
    try:
        if not socket.waitForConnected(_left_ms(end)):
            return False
        socket.write(message_of(handed))
        while socket.bytesToWrite():
            if not socket.waitForBytesWritten(_left_ms(end)):
                return False
        heard = b""
        while not heard.endswith(b"\n"):
            if not socket.bytesAvailable() and not socket.waitForReadyRead(_left_ms(end)):
                return False
            heard += socket.readAll().data()
        return heard == TAKEN
    finally:
        socket.abort()


def _left_ms(end: float) -> int:
    return max(1, round(1000 * (end - time.monotonic())))


def hand_over_when_it_hears(address: str, handed: Handed, is_over: Callable[[], bool]) -> bool:
    """As ``hand_over``, for a window that may be about to listen.

    Args:
        address: of ``address_of``.
        handed: what it is asked for.
        is_over: says whether there is nobody to wait for any more.

    Returns:
        Whether the window took it; False after ``ANSWERS_WITHIN_S``.
    """
    end = time.monotonic() + ANSWERS_WITHIN_S
    while True:
        if hand_over(address, handed, max(TRY_AGAIN_S, end - time.monotonic())):
            return True
        if is_over() or time.monotonic() >= end:
            return False
        time.sleep(TRY_AGAIN_S)
