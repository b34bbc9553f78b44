"""Requests sent and waited for by the thread that asks.

Enters: the steps of ``attempts`` and ``following``. Leaves: what they end with. Every exchange ends at its
deadline, however slowly a server drips.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2

from leafsight.client.addresses import ServerAddress
from leafsight.client.answers import Job
from leafsight.client.attempts import Attempts, Send
from leafsight.client.deadlines import Deadline, DeadlineTransport
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


class Sender:
    """One server, reached over connections that stay open; may be used by several threads.

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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address, self._max_bytes, self._sleep = address, max_answer_bytes, sleep
        self._deadline = Deadline()
        context = trusted(address, ca_file)
        transport = DeadlineTransport(
            context, self._deadline, most_connections=MOST_CONNECTIONS, idle_s=IDLE_S
        )
        # ``verify`` is for connections through a proxy, which have a transport of their own.
        self._http = httpx2.Client(transport=transport, verify=context, **client_options(address))

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def carry_out(self, steps: Attempts[Result]) -> Result:
        """Send and wait as the steps say."""
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                result: Result = done.value
                return result
            if isinstance(step, Send):
                outcome = self.send(step.request, step.timeout_s)
            else:
                self._sleep(step.seconds)
                outcome = None

    def follow(self, steps: Following) -> Iterator[Job]:
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
                    heard = self.send(step.request, step.timeout_s)
                elif isinstance(step, Listen):
                    if stream is not None:
                        stream.close()
                    stream = _Stream(self._http, self._address, self._deadline)
                    heard = stream.open(step.request, step.timeout_s)
                elif isinstance(step, More):
                    assert stream is not None
                    heard = stream.more(step.timeout_s)
                else:
                    self._sleep(step.seconds)
        finally:
            if stream is not None:
                stream.close()

    def send(self, request: Request, timeout_s: float) -> Outcome:
        """One attempt: the whole answer, or why there is none."""
        stream = _Stream(self._http, self._address, self._deadline)
        try:
            head = stream.open(request, timeout_s)
            return head if isinstance(head, Failure) else self._whole(stream, head)
        finally:
            stream.close()

    def _whole(self, stream: _Stream, head: Reply) -> Outcome:
        failure = unwanted(head.headers, self._max_bytes)
        if failure is not None:
            return failure
        body = bytearray()
        while piece := stream.more(None):
            if isinstance(piece, Failure):
                return piece
            body += piece
            if len(body) > self._max_bytes:
                return too_long(self._max_bytes)
        return Reply(head.status, head.headers, bytes(body))


class _Stream:
    """One answer as it comes."""

    def __init__(self, http: httpx2.Client, address: ServerAddress, deadline: Deadline) -> None:
        self._http, self._address, self._deadline = http, address, deadline
        self._response: httpx2.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def open(self, request: Request, timeout_s: float) -> Reply | Failure:
        """Send; the head of the answer, without its body."""
        self._deadline.start(timeout_s)
        body = request.body
        content = file_pieces(body) if isinstance(body, FileBody) else body
        try:
            asked = self._http.build_request(
                request.method,
                self._address.base + request.target,
                headers=headers_for(request, self._address),
                content=content,
                timeout=timeouts(timeout_s),
            )
            self._response = self._http.send(asked, stream=True)
        except TROUBLES as error:
            return failure_of(error, self._address)
        self._pieces = self._response.iter_raw(READ_BYTES)
        return Reply(self._response.status_code, small_headers(self._response.headers), b"")

    def more(self, timeout_s: float | None) -> bytes | Failure:
        """The next piece, none at the end; with ``timeout_s`` the deadline starts again."""
        if timeout_s is not None:
            self._deadline.start(timeout_s)
        if self._deadline.left_s <= 0:
            return out_of_time(self._address)
        try:
            return next(self._pieces, b"")
        except TROUBLES as error:
            return failure_of(error, self._address)

    def close(self) -> None:
        """Give the connection back, or close it where the answer was not read to its end."""
        if self._response is not None:
            self._response.close()
            self._response = None
