"""The cheapest HTTP/1.1 client that still counts honestly: ready-made requests over kept-alive sockets.

Enters: the bytes of a whole request. Leaves: status, body, and whether the connection lives on. It knows
nothing of rates. No client library: on a machine with two cores, whatever the generator takes is taken from
the server that it measures.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple


class Answer(NamedTuple):
    """A complete answer."""

    status: int
    body: bytes
    keeps_alive: bool
    tells_wait: bool


class CutError(ConnectionError):
    """The connection ended too early; ``stale`` when it was used before and said nothing to this request."""

    def __init__(self, *, stale: bool) -> None:
        super().__init__("stale" if stale else "cut")
        self.stale = stale


class MalformedError(ValueError):
    """Bytes that are no HTTP answer."""


class Connection(asyncio.Protocol):
    """One socket, one request at a time."""

    def __init__(self) -> None:
        self.uses = 0
        self.is_open = False
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.is_open = transport, True

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; the future ends with its answer, ``CutError`` or ``MalformedError``."""
        assert self._transport is not None
        self.uses += 1
        self._buffer.clear()
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        if self.is_open:
            self._transport.write(request)
        else:
            self._fail(CutError(stale=self.uses > 1))
        return waiting

    def data_received(self, data: bytes) -> None:
        """Some bytes of an answer."""
        self._buffer += data
        try:
            answer = read_answer(self._buffer, ended=False)
        except ValueError:
            self._fail(MalformedError(bytes(self._buffer[:80])))
            self.close()
            return
        if answer is not None and self._waiting is not None and not self._waiting.done():
            if not answer.keeps_alive:
                self.close()
            self._waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """The other side, or the network, ended it."""
        self.is_open = False
        if self._waiting is None or self._waiting.done():
            return
        try:
            answer = read_answer(self._buffer, ended=True)
        except ValueError:
            answer = None
        if answer is not None:
            self._waiting.set_result(answer)
        else:
            self._fail(CutError(stale=self.uses > 1 and not self._buffer))

    def close(self) -> None:
        """Give the socket back at once, whatever is under way."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


def read_answer(data: bytes | bytearray, *, ended: bool) -> Answer | None:
    """The answer in ``data`` when it is complete, else None.

    Args:
        data: everything that came since the request.
        ended: whether the server has closed the connection: the end of an answer without a length.

    Raises:
        MalformedError, ValueError: no HTTP answer.
    """
    if data[:5] not in (b"HTTP/", b"HTTP/"[: len(data)]):
        raise MalformedError(bytes(data[:80]))
    at = data.find(b"\r\n\r\n")
    if at < 0:
        return None
    status, head = int(data[9:12]), bytes(data[:at]).lower()
    if status < 200:  # 100 Continue and such: the answer comes after it
        return read_answer(data[at + 4 :], ended=ended) if len(data) > at + 4 else None
    keeps, waits = b"connection: close" not in head, b"\r\nretry-after:" in head
    body = memoryview(data)[at + 4 :]
    length = head.find(b"\r\ncontent-length:")
    if length >= 0:
        wanted = int(head[length + 17 :].split(b"\r\n", 1)[0])
        return Answer(status, bytes(body[:wanted]), keeps, waits) if len(body) >= wanted else None
    if b"\r\ntransfer-encoding: chunked" in head:
        joined = _joined_chunks(bytes(body))
        return None if joined is None else Answer(status, joined, keeps, waits)
    return Answer(status, bytes(body), False, waits) if ended else None


def _joined_chunks(body: bytes) -> bytes | None:
    parts: list[bytes] = []
    at = 0
    while True:
        line = body.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(body[at:line].split(b";", 1)[0], 16)
        at = line + 2
        if len(body) < at + size + 2:
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(body[at : at + size])
        at += size + 2
