"""One request to a service of a test, on a connection of its own.

Enters: a port of this computer and what is asked. Leaves: the answer as it came. It knows nobody who listens.
"""

from __future__ import annotations

import http.client
from email.message import Message

from tests.service.running import PATIENCE_S


def ask_once(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Message, bytes]:
    """Status, headers and body; a body is a photograph unless the headers say something else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        given = {"content-type": "image/jpeg"} if body else {}
        connection.request(method, path, body, {**given, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
