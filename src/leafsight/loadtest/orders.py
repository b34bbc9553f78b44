"""What a generator in a process of its own is told to do, as a JSON file.

Enters: an order. Leaves: the file, and the order again in the other process. It imports nothing heavy:
Locust's process reads it, too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leafsight.loadtest.photographs import Photograph

BOUNDARY = "----leafsight-load-7d1f0c"


@dataclass(frozen=True, slots=True)
class Order:
    """One load.

    Attributes:
        addresses: ``host:port`` of each server that is asked in turn; one, when a proxy shares out.
        key: sent as a bearer token; empty sends none.
        photographs: what is sent, with weights.
        expected: file with reference answers; empty for none.
        out: file for the outcomes.
        seconds: for how long requests begin, after ``warm_s``.
        warm_s: what begins before is not counted.
        rate_per_s: of the open loop; 0 for a closed one.
        closed: connections of a closed loop without think time, to find the capacity; 0 for none.
        users: people of a closed loop with think times (Locust); 0 for none.
        arrivals: ``poisson`` or ``constant``.
        timeout_s: a request is given up, from its intended send time.
        think_s: mean of the pauses of people.
        seed: of the choice of photographs and times.
        https: whether TLS is spoken; the certificate is not looked at, only servers of one's own are driven.
    """

    addresses: tuple[str, ...]
    key: str
    photographs: tuple[Photograph, ...]
    expected: str
    out: str
    seconds: float
    warm_s: float = 0.0
    rate_per_s: float = 0.0
    closed: int = 0
    users: int = 0
    arrivals: str = "poisson"
    timeout_s: float = 10.0
    think_s: float = 2.0
    seed: int = 0
    https: bool = False

    def write(self, path: Path) -> None:
        """Keep it for the process that carries it out; it holds a key, so only its owner may read it."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_order(path: Path) -> Order:
    """The order in a file."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    values["photographs"] = tuple(Photograph(**one) for one in values["photographs"])
    values["addresses"] = tuple(values["addresses"])
    return Order(**values)


def read_expected(path: str) -> dict[str, Any]:
    """The reference answers in a file, by the name of the photograph; none without a file."""
    if not path:
        return {}
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def multipart(files: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Media type and body of a form with photographs, as browsers write it."""
    parts = []
    for name, data in files:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="{name}"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        parts += [head.encode(), data, b"\r\n"]
    return f"multipart/form-data; boundary={BOUNDARY}", b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def http_request(
    host: str, method: str, target: str, *, key: str = "", kind: str = "", body: bytes = b""
) -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Accept: application/json"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if kind:
        lines.append(f"Content-Type: {kind}")
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
