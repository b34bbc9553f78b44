"""uvicorn's HTTP protocol with clocks and bounds on what comes before an application sees a request.

Enters: bytes of one connection. Leaves: whole requests to the application, or a problem document and the end.
Without it somebody who sends a header a minute, or never reads an answer, holds a connection for ever
(Slowloris, slow read), and one header may fill the memory: llhttp has no limits of its own.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leafsight.service.envelope import SECURITY_HEADERS
from leafsight.service.problems import problem

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
WRITE_TIMEOUT_S = 30.0
"""For an answer that nobody reads: within this some 50 kB of it have to be taken."""
LINGER_S = 1.0
"""A refusal is followed by an end, not by a reset that could destroy it on its way (RFC 9112 section 9.6)."""
LOG = logging.getLogger("leafsight.service")


class TimedProtocol(HttpToolsProtocol):
    """Ends connections whose heads are too slow, too large or wrong, and those that nobody reads."""

    header_timeout_s = 10.0
    write_timeout_s = WRITE_TIMEOUT_S
    hand_over: Callable[[Any, bytes], bool] | None = None
    """Asked at the beginning of a request whether the connection goes on in another process."""
    came_along = b""
    """What came on the connection while another process held it."""

    def connection_made(self, transport: Any) -> None:
        """Start the clock."""
        super().connection_made(transport)
        self._in_message = False
        self._clock: asyncio.TimerHandle | None = None
        self._write_clock: asyncio.TimerHandle | None = None
        self._framing_bytes = 0
        self._refused = False
        self._start_clock()
        came_along, self.came_along = self.came_along, b""  # it may be large, and the connection live long
        if came_along:
            self._read(came_along)

    def data_received(self, data: bytes) -> None:
        """Read, as long as it can still become a request, and unless another process does."""
        if self._refused:
            return
        if self.hand_over is None or not self.is_quiet or not self.hand_over(self.transport, data):
            self._read(data)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way in either direction: what comes now is the beginning of a request.

        Bytes that look like one inside of a body are not: given away, they would be answered as one.
        """
        return (
            not self._in_message
            and (self.cycle is None or self.cycle.response_complete)
            and not self.transport.is_closing()
            and not self.transport.get_write_buffer_size()
        )

    def _read(self, data: bytes) -> None:
        self._framing_bytes += len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._framing_bytes > MAX_HEAD_BYTES:
            self._refuse_large()
        elif self._clock is None and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()  # blank lines before a request, or the rest of a body that was refused

    def on_message_begin(self) -> None:
        """A later request on the same connection has the same time for its headers."""
        self._framing_bytes, self._in_message = 0, True
        if self._clock is None:
            self._start_clock()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """They are here: judge them before anything else does."""
        self._stop_clock()
        if self._refused:
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        hosts = sum(name == b"host" for name, _ in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refuse_large()
        elif hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self.send_400_response("a request names one Host (RFC 9112 section 3.2)")
        else:
            super().on_headers_complete()
            if self.parser.should_upgrade():
                self.cycle.keep_alive = False  # llhttp reads no further requests after it

    def on_body(self, body: bytes) -> None:
        """As much framing as body is allowed: chunks of one byte and endless trailers are not."""
        self._framing_bytes -= 2 * len(body)
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The whole request is here."""
        self._framing_bytes, self._in_message = 0, False
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is handed over; if it is the last one it also has to be read."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._start_write_clock()

    def pause_writing(self) -> None:
        """The other side reads more slowly than answers are made."""
        super().pause_writing()
        self._start_write_clock()

    def resume_writing(self) -> None:
        """It reads again."""
        self._stop_write_clock()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clocks."""
        self._stop_clock()
        self._stop_write_clock()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets a problem document too."""
        self._refuse(400, "bad-request", msg, "send a request as RFC 9112 says")

    def _refuse_large(self) -> None:
        limits = f"{MAX_HEAD_BYTES} bytes in {MAX_HEADERS} headers"
        detail = f"the request has more than {limits}, or more framing than body"
        self._refuse(431, "request-too-large", detail, "send fewer and shorter headers")

    def _refuse(self, status: int, slug: str, detail: str, hint: str) -> None:
        """Say no and end the connection; whole requests that came before are answered first."""
        if self._end_after_answer():
            return
        request_id = uuid.uuid4().hex
        LOG.info("refused", extra={"fields": {"request_id": request_id, "status": status, "why": detail}})
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            answer = problem(status, slug, detail, hint=hint, request_id=request_id)
            answer.headers.update(SECURITY_HEADERS)
            answer.headers.update({"x-request-id": request_id, "connection": "close"})
            lines = [b"%b: %b" % pair for pair in answer.raw_headers]
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
            self.transport.write(b"\r\n".join([head, *lines, b"", bytes(answer.body)]))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._stop_clock()
        self._clock = self.loop.call_later(LINGER_S, self._close)

    def _end_after_answer(self) -> bool:
        """Read nothing more; whether a request is being answered that came whole."""
        self._refused = True
        busy = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if busy:
            self.cycle.keep_alive = False
        return busy

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(self.header_timeout_s, self._head_too_slow)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _head_too_slow(self) -> None:
        self._clock = None
        if not self._end_after_answer():
            self._close()

    def _close(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            self._start_write_clock()

    def _start_write_clock(self) -> None:
        abort: Callable[[], None] = self.transport.abort
        self._stop_write_clock()
        self._write_clock = self.loop.call_later(self.write_timeout_s, abort)

    def _stop_write_clock(self) -> None:
        if self._write_clock is not None:
            self._write_clock.cancel()
            self._write_clock = None

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for another protocol gets HTTP/1.1, and fills no log."""
