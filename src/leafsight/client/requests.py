"""A request as a plain value, so that it can be built, compared and sent again.

Enters: names and bytes. Leaves: a ``Request``. It does not know who sends it, nor to which server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from leafsight.errors import UsageError

IDEMPOTENCY_KEY = "Idempotency-Key"
QueryValue = str | int | bool | None


@dataclass(frozen=True, slots=True)
class FileBody:
    """A body that is read from disk while it is sent, again for every attempt.

    Attributes:
        path: the file.
        size_bytes: its length when the request was built; a file that changes meanwhile is an error.
    """

    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a server.

    Attributes:
        method: in capitals.
        path: below the server's address, with a slash in front.
        query: encoded, without question mark.
        headers: without the key, which the sender adds.
        body: bytes, or a file.
        is_safe_again: whether it may be sent a second time when nobody knows what became of the first.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileBody = field(default=b"", repr=False)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_safe_again(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it the first time."""
        return self.method in ("GET", "HEAD", "DELETE") or IDEMPOTENCY_KEY in self.headers


def encoded_query(values: Mapping[str, QueryValue]) -> str:
    """``a=1&b=true``; a value of None is left out."""
    return urlencode({name: _as_text(value) for name, value in values.items() if value is not None})


def _as_text(value: QueryValue) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Part:
    """One photograph of a request: a name for people, its bytes, and what they are."""

    name: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


def multipart(parts: Sequence[Part], boundary: str) -> bytes:
    """A body of ``multipart/form-data`` (RFC 7578), names escaped as browsers do (WHATWG HTML, 4.10.21.8).

    Args:
        parts: the photographs, in the order of the answers.
        boundary: a token that stands in no photograph. It belongs to the request: the same request sent
            again has the same bytes, so that a server can tell that it is the same.

    Raises:
        UsageError: a photograph holds the boundary, which happens to nobody by chance.
    """
    pieces: list[bytes] = []
    for part in parts:
        if boundary.encode() in part.data:
            raise UsageError("a photograph holds the separator of the request", hint="send it again")
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="{_escaped(part.name)}"'
            f"\r\nContent-Type: {part.media_type}\r\n\r\n"
        )
        pieces += [head.encode(), part.data, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces)


def _escaped(name: str) -> str:
    plain = name.encode("utf-8", "replace").decode()
    return plain.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "%00")
