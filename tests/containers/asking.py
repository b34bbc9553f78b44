"""Requests to what runs in containers, each on a connection of its own, with nothing tried again.

Enters: an address on this machine. Leaves: status, headers and body as they came.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Web:
    """A service on a port of this machine.

    Attributes:
        port: where.
        key: sent with every request, if there is one.
        tls: whether it speaks TLS; its certificate is not looked at.
    """

    port: int
    key: str = ""
    tls: bool = False

    def _connected(self, within_s: float) -> http.client.HTTPConnection:
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=within_s)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=within_s, context=context)

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**({"Authorization": f"Bearer {self.key}"} if self.key else {}), **(headers or {})}

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "",
        within_s: float = WITHIN_S,
    ) -> Answer:
        """One request; with a body a POST."""
        with closing(self._connected(within_s)) as connection:
            connection.request(
                method or ("GET" if body is None else "POST"), path, body, self._headers(headers)
            )
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def send_json(self, path: str, value: Any) -> Answer:
        """One POST with JSON."""
        return self.ask(path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def predict(self, photograph: bytes, query: str = "") -> Answer:
        """One diagnosis."""
        return self.ask(f"/v1/predict{query}", photograph, {"Content-Type": "image/jpeg"})

    def events(self, job: str, within_s: float) -> Iterator[dict[str, Any]]:
        """The states of a job, as they come."""
        with closing(self._connected(within_s)) as connection:
            connection.request("GET", f"/v1/jobs/{job}/events", headers=self._headers(None))
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            while line := answer.readline():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])
