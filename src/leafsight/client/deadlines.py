"""Connections on which a deadline holds for the whole exchange, not for each byte of it.

httpx2 starts its read timeout again with every piece that comes, so a server that sends a byte now and then
could hold a caller for ever. Enters: a deadline for this thread. Leaves: a transport for httpx2 whose every
read and write ends at that deadline. It does not know what is exchanged.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore2
import httpx2

# Written in pieces, so that a server that takes its time to read is noticed as well.
PIECE_BYTES = 64 * 1024
SHORTEST_S = 0.001


class Deadline(threading.local):
    """Until when the exchange of this thread may take; a client may be used by several threads at once."""

    at_s: float = float("inf")

    def start(self, seconds: float) -> None:
        """From now on."""
        self.at_s = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds, 0 or less when it is over."""
        return self.at_s - time.monotonic()

    def bound(self, timeout_s: float | None) -> float:
        """The shorter of ``timeout_s`` and what is left."""
        left_s = max(self.left_s, SHORTEST_S)
        return left_s if timeout_s is None else min(timeout_s, left_s)


class _Stream(httpcore2.NetworkStream):
    """A connection that looks at the deadline before each read and write."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._deadline.left_s <= 0:
            raise httpcore2.ReadTimeout("the answer took too long")
        return self._inner.read(max_bytes, self._deadline.bound(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE_BYTES):
            if self._deadline.left_s <= 0:
                raise httpcore2.WriteTimeout("sending took too long")
            self._inner.write(buffer[start : start + PIECE_BYTES], self._deadline.bound(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        bound_s = self._deadline.bound(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, bound_s), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore2.NetworkBackend):
    """Opens connections that know the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._inner, self._deadline = httpcore2.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        bound_s = self._deadline.bound(timeout)
        opened = self._inner.connect_tcp(host, port, bound_s, local_address, socket_options)
        return _Stream(opened, self._deadline)


class _Body(httpx2.SyncByteStream):
    """A body as httpx2 wants it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner

    def close(self) -> None:
        self._inner.close()


class DeadlineTransport(httpx2.BaseTransport):
    """Plain HTTP/1.1 over connections that know the deadline.

    Errors are those of httpcore2, as they are: whoever sends knows both families.

    Args:
        context: what TLS trusts.
        deadline: looked at before every read and write.
        most_connections: at once.
        idle_s: after which an unused connection is closed.
    """

    def __init__(
        self, context: ssl.SSLContext, deadline: Deadline, *, most_connections: int, idle_s: float
    ) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=most_connections,
            keepalive_expiry=idle_s,
            network_backend=_Network(deadline),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read the head of its answer."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        reply = self._pool.handle_request(
            httpcore2.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            reply.status, headers=reply.headers, stream=_Body(reply.stream), extensions=reply.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
