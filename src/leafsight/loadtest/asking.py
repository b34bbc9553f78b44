"""Short requests to a server outside of any load: readiness, counters, lists. Standard library only."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from leafsight.errors import RemoteError

TIMEOUT_S = 30.0
POLL_S, LOOK_S = 0.2, 2.0
"""Between two questions, and between two looks at whether it still runs (an engine takes its time)."""


@dataclass(frozen=True, slots=True)
class Address:
    """One server.

    Attributes:
        host: name or number.
        port: of TCP.
        https: whether TLS is spoken.
    """

    host: str
    port: int
    https: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@cache
def unverified() -> ssl.SSLContext:
    """TLS with whoever answers: the certificate of a set-up is nobody's. No authorities are read (30 ms)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(
    address: Address, method: str, path: str, *, key: str = "", body: bytes | None = None, kind: str = "",
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, bytes]:  # fmt: skip
    """One request on a connection of its own.

    Raises:
        RemoteError: no answer came.
    """
    headers = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if kind:
        headers["Content-Type"] = kind
    connection: http.client.HTTPConnection
    if address.https:
        connection = http.client.HTTPSConnection(
            address.host, address.port, timeout=timeout_s, context=unverified()
        )
    else:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise RemoteError(
            f"{address} gives no answer to {method} {path.partition('?')[0]}: {type(error).__name__}",
            hint="look whether the server runs",
        ) from error
    finally:
        connection.close()


def ask_json(address: Address, path: str, *, key: str) -> dict[str, Any]:
    """The object at ``path``.

    Raises:
        RemoteError: no answer, another status than 200, or no JSON object.
    """
    status, body = ask(address, "GET", path, key=key)
    try:
        found = json.loads(body) if status == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RemoteError(
            f"{address} answers GET {path.partition('?')[0]} with status {status}",
            hint="look into the log of the server; the key must have the scopes predict, upload and admin",
        )
    return found


def wait_until_ready(address: Address, limit_s: float, alive: Callable[[], bool]) -> float:
    """Ask ``/readyz`` until it says yes; how long that took.

    Args:
        address: of the server.
        limit_s: for how long.
        alive: whether there is still somebody who could answer.

    Raises:
        RemoteError: not in time, or it has ended.
    """
    begun_s = looked_s = time.monotonic()
    while (passed_s := time.monotonic() - begun_s) < limit_s:
        try:
            if ask(address, "GET", "/readyz", timeout_s=2.0)[0] == 200:
                return passed_s
        except RemoteError:
            pass
        if time.monotonic() - looked_s >= LOOK_S and not alive():
            raise RemoteError(
                f"the server at {address} has ended before it was ready", hint="its log says why"
            )
        time.sleep(POLL_S)
    raise RemoteError(
        f"the server at {address} was not ready within {limit_s:.0f} s", hint="its log says why"
    )


def read_counters(address: Address, key: str) -> dict[str, float]:
    """Counters of ``/metrics`` that begin with ``leafsight_``, by name with labels; no buckets of histograms.

    Raises:
        RemoteError: they cannot be read.
    """
    status, body = ask(address, "GET", "/metrics", key=key)
    if status != 200:
        raise RemoteError(
            f"{address} answers GET /metrics with status {status}", hint="the key needs scope admin"
        )
    return parse_counters(body.decode())


def parse_counters(text: str) -> dict[str, float]:
    """Lines of Prometheus' text format as values by name with labels, without buckets."""
    found = {}
    for line in text.splitlines():
        if line.startswith("leafsight_") and "_bucket{" not in line:
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found
