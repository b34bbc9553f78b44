"""What every request gets, whatever it asks for: an id, a clock, limits, headers, a line in the log.

Enters: raw ASGI messages. Leaves: the same, bounded: a body over the limit or slower than the clock ends in a
problem document, and so does an exception that nobody handled. It does not know what a route does.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from itertools import count

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leafsight.errors import OverloadError, RequestTooLargeError
from leafsight.service.lifecycle import Lifecycle
from leafsight.service.metrics import Metrics
from leafsight.service.problems import TooSlowError, problem_of
from leafsight.service.tracing import Tracing

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
REFUSED = (401, 403, 429)
PROBES = {"/healthz", "/readyz"}
"""Asked every few seconds by whatever looks after the service; that all is well is not written down."""
HELD_REQUESTS = 2
"""So many of the largest requests may be in memory at once; more of them are told to come back."""
GLANCE_S = 0.005
"""A small body that is on its way keeps its connection, although nobody wants it any more."""
LINGER_S = 1.0
"""What is still sent after a refusal is thrown away for so long: a reset could destroy the answer."""
LOG = logging.getLogger("leafsight.service")


class Envelope:
    """Outermost layer of the application.

    Args:
        app: the rest.
        lifecycle: says whether this process is about to end.
        metrics: counts requests.
        max_bytes: of a body.
        body_timeout_s: for the whole body.
        now: seconds of a clock that never goes back.
        tracing: of this process.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        lifecycle: Lifecycle,
        metrics: Metrics,
        max_bytes: int,
        body_timeout_s: float,
        now: Callable[[], float] = time.perf_counter,
        tracing: Tracing | None = None,
    ) -> None:
        self._app, self._lifecycle, self._metrics = app, lifecycle, metrics
        self._tracing = tracing or Tracing()
        self._max_bytes, self._body_timeout_s, self._now = max_bytes, body_timeout_s, now
        # Unlike those of other processes and starts, and made without asking the system each time: it lets
        # other threads go first.
        self._ids = map(f"{secrets.token_hex(8)}{{:016x}}".format, count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._lifecycle, self._max_bytes, self._body_timeout_s)
        exchange = _Exchange(scope, send, self._lifecycle, body, self._now, self._ids)
        started = self._now()
        traced = self._tracing.begin(scope, exchange.request_id)
        with self._lifecycle.request():
            try:
                body.check_length()
                await self._app(scope, body.receive, exchange.send)
            except Exception as error:
                if not body.gone:
                    await self._failed(error, exchange, scope, receive)
            finally:
                body.forget()
                self._write_down(exchange, scope, (exchange.ended or self._now()) - started)
                self._tracing.end(traced, scope, exchange.status)

    async def _failed(self, error: Exception, exchange: _Exchange, scope: Scope, receive: Receive) -> None:
        answer = problem_of(error, exchange.request_id)
        if answer.status_code == 500:
            LOG.exception("unhandled", extra={"fields": {"request_id": exchange.request_id}})
        if exchange.status is None:
            await answer(scope, receive, exchange.send)

    def _write_down(self, exchange: _Exchange, scope: Scope, seconds: float) -> None:
        # The template, not the path: a label of its own for every id would fill the memory.
        route = getattr(scope.get("route"), "path", "other")
        status = exchange.status or 499  # nobody was there any more to answer to
        self._metrics.request(scope["method"], route, status, seconds)
        if route in PROBES and status == 200:
            return
        client = scope.get("client") if status in REFUSED else None  # of others nobody needs to know it
        LOG.info(
            "request",
            extra={
                "fields": {
                    "request_id": exchange.request_id,
                    "method": scope["method"],
                    "path": scope["path"][:200],
                    "status": status,
                    "ms": round(seconds * 1e3, 2),
                    "key": scope.get("leafsight.key_id"),
                    **({"client": client[0]} if client else {}),
                }
            },
        )


class _Exchange:
    """The answer on its way out."""

    def __init__(
        self,
        scope: Scope,
        send: Send,
        lifecycle: Lifecycle,
        body: _Body,
        now: Callable[[], float],
        ids: Iterator[str],
    ) -> None:
        self._send, self._lifecycle, self._body, self._now = send, lifecycle, body, now
        self.status: int | None = None
        self.ended: float | None = None
        self.request_id = _given_id(scope) or next(ids)
        scope["leafsight.request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._body.glance()
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
            if self._lifecycle.draining or self._body.unread or self.status in (408, 413):
                headers["connection"] = "close"
        elif self._body.unread and not message.get("more_body", False):
            # The answer goes out now; the connection ends when the sender has had time to notice.
            await self._send({**message, "more_body": True})
            self.ended = self._now()
            await self._body.throw_away()
            message = {"type": "http.response.body"}
        await self._send(message)


class _Body:
    """The request's body, counted and timed while it arrives; chunked ones have no length to check before."""

    def __init__(
        self, scope: Scope, receive: Receive, lifecycle: Lifecycle, max_bytes: int, timeout_s: float
    ) -> None:
        self._receive, self._lifecycle, self._length = receive, lifecycle, _length_of(scope)
        self._max_bytes, self._timeout_s = max_bytes, timeout_s
        names = {name for name, _ in scope["headers"]}
        self._asks_first = b"expect" in names
        self._announced = bool(self._length) or b"transfer-encoding" in names
        self._done = False
        self._read_bytes, self._until = 0, 0.0
        self.gone = False

    @property
    def unread(self) -> bool:
        """Whether more of it may come."""
        return self._announced and not (self._done or self.gone)

    def check_length(self) -> None:
        if self._length is not None and self._length > self._max_bytes:
            raise self._too_large()

    async def receive(self) -> Message:
        message = await self._receive() if self._done else await self._timed()
        if message["type"] == "http.disconnect":
            self.gone = True
        elif not self._done:
            self._count(len(message.get("body", b"")))
            self._done = not message.get("more_body", False)
        return message

    def forget(self) -> None:
        """The request is over, and what was read of it is out of memory."""
        self._lifecycle.held_bytes -= self._read_bytes
        self._read_bytes = 0

    async def glance(self) -> None:
        """Take what is already here of a body that was not asked for."""
        if not self._asks_first:
            await self.throw_away(GLANCE_S)

    async def throw_away(self, seconds: float = LINGER_S) -> None:
        """Read the rest and forget it, for a while."""
        try:
            async with asyncio.timeout(seconds):
                while self.unread:
                    message = await self._receive()
                    self.gone = message["type"] == "http.disconnect"
                    self._done = not message.get("more_body", False)
        except TimeoutError:
            return

    async def _timed(self) -> Message:
        loop = asyncio.get_running_loop()
        if not self._until:
            self._until = loop.time() + self._timeout_s
        try:
            async with asyncio.timeout_at(self._until):
                return await self._receive()
        except TimeoutError as error:
            raise TooSlowError(
                f"the request did not arrive within {self._timeout_s:g} s",
                hint="send it in one go, or a smaller photograph",
            ) from error

    def _count(self, more: int) -> None:
        self._read_bytes += more
        self._lifecycle.held_bytes += more
        if self._read_bytes > self._max_bytes:
            raise self._too_large()
        if self._lifecycle.held_bytes > HELD_REQUESTS * self._max_bytes:
            raise OverloadError(
                "too many large requests arrive at once",
                hint="try again after the seconds in Retry-After",
                retry_after_s=1.0,
            )

    def _too_large(self) -> RequestTooLargeError:
        return RequestTooLargeError(
            f"the request has more than {self._max_bytes} bytes", hint="send fewer or smaller photographs"
        )


def _length_of(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else None
    return None


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = str(value.decode("latin-1"))
            if REQUEST_ID.fullmatch(given):
                return given
    return None
