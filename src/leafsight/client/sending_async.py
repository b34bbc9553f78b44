"""Requests sent and waited for on an event loop (asyncio).

Enters: the steps of ``attempts`` and ``following``. Leaves: what they end with. The same as ``sending``, with
``await``; a deadline cancels the whole exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2

from leafsight.client.addresses import ServerAddress
from leafsight.client.answers import Job
from leafsight.client.attempts import Attempts, Send
from leafsight.client.exchange import (
    IDLE_S,
    MOST_CONNECTIONS,
    READ_BYTES,
    TROUBLES,
    client_options,
    failure_of,
    file_pieces,
    headers_for,
    out_of_time,
    small_headers,
    timeouts,
    too_long,
    trusted,
    unwanted,
)
from leafsight.client.following import Emit, Following, Heard, Listen, More
from leafsight.client.replies import Failure, Outcome, Reply
from leafsight.client.requests import FileBody, Request

Result = TypeVar("Result")


class AsyncSender:
    """One server, reached over connections that stay open; for one event loop.

    Args:
        address: the server.
        max_answer_bytes: a longer answer is not read to its end.
        ca_file: certificates of an authority of one's own.
        sleep: waits.
    """

    def __init__(
        self,
        address: ServerAddress,
        *,
        max_answer_bytes: int,
        ca_file: Path | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._address, self._max_bytes, self._sleep = address, max_answer_bytes, sleep
        limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=IDLE_S)
        context = trusted(address, ca_file)
        self._http = httpx2.AsyncClient(verify=context, limits=limits, **client_options(address))

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def carry_out(self, steps: Attempts[Result]) -> Result:
        """Send and wait as the steps say."""
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                result: Result = done.value
                return result
            if isinstance(step, Send):
                outcome = await self.send(step.request, step.timeout_s)
            else:
                await self._sleep(step.seconds)
                outcome = None

    async def follow(self, steps: Following) -> AsyncIterator[Job]:
        """Send, listen and wait as the steps say; gives every state of the job."""
        stream: _Stream | None = None
        heard: Heard = None
        try:
            while True:
                try:
                    step = steps.send(heard)
                except StopIteration:
                    return
                heard = None
                if isinstance(step, Emit):
                    yield step.job
                elif isinstance(step, Send):
                    heard = await self.send(step.request, step.timeout_s)
                elif isinstance(step, Listen):
                    if stream is not None:
                        await stream.close()
                    stream = _Stream(self._http, self._address)
                    heard = await stream.open(step.request, step.timeout_s)
                elif isinstance(step, More):
                    assert stream is not None
                    heard = await stream.more(step.timeout_s)
                else:
                    await self._sleep(step.seconds)
        finally:
            if stream is not None:
                await stream.close()

    async def send(self, request: Request, timeout_s: float) -> Outcome:
        """One attempt: the whole answer, or why there is none."""
        stream = _Stream(self._http, self._address)
        try:
            async with asyncio.timeout(timeout_s):
                head = await stream.open(request, timeout_s)
                return head if isinstance(head, Failure) else await self._whole(stream, head)
        except TimeoutError:
            return out_of_time(self._address)
        finally:
            await stream.close()

    async def _whole(self, stream: _Stream, head: Reply) -> Outcome:
        failure = unwanted(head.headers, self._max_bytes)
        if failure is not None:
            return failure
        body = bytearray()
        while piece := await stream.more(None):
            if isinstance(piece, Failure):
                return piece
            body += piece
            if len(body) > self._max_bytes:
                return too_long(self._max_bytes)
        return Reply(head.status, head.headers, bytes(body))


class _Stream:
    """One answer as it comes."""

    def __init__(self, http: httpx2.AsyncClient, address: ServerAddress) -> None:
        self._http, self._address = http, address
        self._response: httpx2.Response | None = None
        self._pieces: AsyncIterator[bytes] = _nothing()

    async def open(self, request: Request, timeout_s: float) -> Reply | Failure:
        """Send; the head of the answer, without its body."""
        body = request.body
        content = _file_pieces(body) if isinstance(body, FileBody) else body
        try:
            asked = self._http.build_request(
                request.method,
                self._address.base + request.target,
                headers=headers_for(request, self._address),
                content=content,
                timeout=timeouts(timeout_s),
            )
            async with asyncio.timeout(timeout_s):
                self._response = await self._http.send(asked, stream=True)
        except TROUBLES as error:
            return failure_of(error, self._address)
        self._pieces = self._response.aiter_raw(READ_BYTES)
        return Reply(self._response.status_code, small_headers(self._response.headers), b"")

    async def more(self, timeout_s: float | None) -> bytes | Failure:
        """The next piece, none at the end."""
        try:
            async with asyncio.timeout(timeout_s):
                return await anext(self._pieces, b"")
        except TROUBLES as error:
            return failure_of(error, self._address)

    async def close(self) -> None:
        """Give the connection back, or close it where the answer was not read to its end."""
        if self._response is not None:
            await self._response.aclose()
            self._response = None


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


async def _file_pieces(body: FileBody) -> AsyncIterator[bytes]:
    """A file, a piece at a time; the disk is waited for on another thread."""
    pieces = file_pieces(body)
    while True:
        piece = await asyncio.to_thread(_next_piece, pieces)
        if not piece:
            return
        yield piece


def _next_piece(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")
