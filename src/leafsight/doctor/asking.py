"""One short question to a server, with the standard library: the base install has no other client.

Enters: an address. Leaves: status, headers and a JSON value, or why there is none. It never follows a
redirect, so that a key stays with whom it was meant for.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from leafsight.errors import RemoteError, UsageError

MAX_ANSWER_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered.

    Attributes:
        status: of HTTP.
        value: the JSON object of the body; empty when it was none.
        server_ms: what time the server has, to the second; None when it does not tell.
    """

    status: int
    value: Mapping[str, Any] = field(default_factory=dict)
    server_ms: int | None = None


def checked_server(url: str) -> str:
    """An address to ask, without a slash at the end.

    Raises:
        UsageError: none, or one with a password in it.
    """
    try:
        parts = urlsplit(url)
        there = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        there = False
    if not there or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise UsageError("--url is not the address of a server", hint="such as https://leaf.example")
    if "@" in parts.netloc:
        raise UsageError("the address has a user name or password in it", hint="give the key apart: --key")
    return url.rstrip("/")


def ask(server: str, path: str, *, timeout_s: float, key: str = "") -> Reply:
    """GET ``path`` on a new connection.

    Args:
        server: from ``checked_server``.
        path: with a slash in front.
        timeout_s: for each wait.
        key: sent as a bearer token when not empty.

    Raises:
        RemoteError: nobody answers, or nobody who speaks HTTP.
    """
    parts = urlsplit(server)
    host, port = parts.hostname or "", parts.port
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        line = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
    else:
        line = http.client.HTTPConnection(host, port, timeout=timeout_s)
    headers = {"User-Agent": "leafsight-doctor", "Accept": "application/json", "Connection": "close"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    try:
        line.request("GET", parts.path + path, headers=headers)
        answer = line.getresponse()
        body = answer.read(MAX_ANSWER_BYTES)
        return Reply(answer.status, _object(body), _date(answer.getheader("Date", "")))
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        raise RemoteError(f"{server} has no certificate that is trusted: {why}", hint=_CERTIFICATE) from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise RemoteError(
            f"{server} does not answer: {why}", hint="check that leafsight serve runs there"
        ) from error
    finally:
        line.close()


_CERTIFICATE = "renew it, or let SSL_CERT_FILE name the authority that signed it"


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _date(text: str) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp() * 1000)
    except (ValueError, TypeError):
        return None
