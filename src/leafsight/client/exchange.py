"""What sending has in common, with and without an event loop: headers, limits, and what failures mean.

Enters: requests, and exceptions of httpx2. Leaves: what httpx2 is given, and failures in plain words. It does
not send.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpcore2
import httpx2

from leafsight import __version__
from leafsight.client.addresses import ServerAddress
from leafsight.client.replies import NO_SERVER_HINT, Failure, shown
from leafsight.client.requests import FileBody, Request
from leafsight.errors import UsageError

CONNECT_S = 5.0
"""To reach a server, within the time for the attempt: a machine that is not there is noticed soon."""
READ_BYTES = 64 * 1024
MOST_CONNECTIONS = 100
IDLE_S = 3.0
"""An idle connection is closed before servers do so (uvicorn: after 5 s), or a request would meet its end."""
TROUBLES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, httpcore2.TimeoutException,
            httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError,
            httpcore2.UnsupportedProtocol, httpcore2.ConnectionNotAvailable, OSError)  # fmt: skip
TIMES_OUT = (httpx2.TimeoutException, httpcore2.TimeoutException, TimeoutError)
NOT_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError,
               httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout,
               httpcore2.ProxyError)  # fmt: skip


def client_options(address: ServerAddress) -> dict[str, Any]:
    """What both clients of httpx2 are made with: no redirects; proxies, but not to this machine."""
    return {"follow_redirects": False, "trust_env": not address.is_loopback}


def trusted(address: ServerAddress, ca_file: Path | None) -> ssl.SSLContext:
    """What TLS trusts. There is no way to trust everybody; where the line is open, nobody is.

    Raises:
        UsageError: the file holds no certificates.
    """
    if not address.is_encrypted:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificates take time to load
    if ca_file is None:
        return httpx2.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{ca_file} holds no certificates: {error}", hint="it must be a PEM file") from error


def headers_for(request: Request, address: ServerAddress) -> dict[str, str]:
    """All headers, the key among them; compressed answers are not asked for, so none can be a bomb."""
    headers = {"User-Agent": f"leafsight/{__version__}", "Accept-Encoding": "identity", **request.headers}
    if isinstance(request.body, FileBody):
        headers["Content-Length"] = str(request.body.size_bytes)
    if address.key is not None:
        headers["Authorization"] = f"Bearer {address.key}"
    return headers


def timeouts(seconds: float) -> httpx2.Timeout:
    """For one attempt."""
    return httpx2.Timeout(seconds, connect=min(seconds, CONNECT_S))


def file_pieces(body: FileBody) -> Iterator[bytes]:
    """A file, a piece at a time.

    Raises:
        OSError: it cannot be read, or is not as long any more as was announced.
    """
    left = body.size_bytes
    with body.path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            left -= len(piece)
            if left < 0:
                break
            yield piece
    if left:
        raise OSError(errno.EIO, "it changed while it was sent", str(body.path))


def small_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in small letters; several of one name are joined."""
    return {name.lower(): value for name, value in headers.items()}


def unwanted(headers: Mapping[str, str], max_bytes: int) -> Failure | None:
    """What the head of an answer says already: compressed, or longer than we read."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        return Failure(
            "refused", f"the server packed its answer ({shown(encoding, 40)}), unasked", NO_SERVER_HINT
        )
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > max_bytes):
        return too_long(max_bytes)
    return None


def too_long(max_bytes: int) -> Failure:
    """An answer over the limit."""
    return Failure(
        "refused",
        f"the server's answer has more than {max_bytes} bytes",
        "send fewer photographs at once, or ask without heatmaps",
    )


def out_of_time(address: ServerAddress) -> Failure:
    """No whole answer in time."""
    return Failure(
        "timeout",
        f"{address.base} did not answer in time",
        "try again, send fewer photographs at once, or wait longer (timeout_s)",
    )


def failure_of(error: BaseException, address: ServerAddress) -> Failure:
    """An exception of the libraries below in plain words."""
    causes = list(_chain(error))
    tls = next((one for one in causes if isinstance(one, ssl.SSLError)), None)
    if tls is not None:
        return _tls(tls, address)
    if any(isinstance(one, socket.gaierror) for one in causes):
        return Failure("unreachable", f"there is no host {address.host!r}", "check the address")
    if isinstance(error, NOT_REACHED):
        return Failure(
            "unreachable",
            f"cannot reach {address.base}: {shown(str(error)) or 'no connection'}",
            "check the address, and that the server runs (leafsight serve)",
        )
    if isinstance(error, TIMES_OUT):
        return out_of_time(address)
    if isinstance(error, httpx2.LocalProtocolError | httpcore2.LocalProtocolError | httpx2.InvalidURL):
        return Failure(
            "refused", f"the request cannot be sent: {shown(str(error))}", "a file may have changed"
        )
    if isinstance(error, OSError) and error.filename is not None:
        return Failure("refused", f"{error.filename} cannot be read: {error.strerror}", "check the file")
    return Failure(
        "broken",
        f"the line to {address.base} broke: {shown(str(error)) or type(error).__name__}",
        "the server may have been stopped, or something on the way cut the line; try again",
    )


def _tls(error: ssl.SSLError, address: ServerAddress) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(
            "refused",
            f"{address.base} cannot prove that it is {address.host}: {shown(error.verify_message)}",
            "if the certificate is your own, name its authority: ca_file, or the variable SSL_CERT_FILE",
        )
    return Failure(
        "refused",
        f"{address.base} does not speak TLS as we do: {shown(str(error.reason or error))}",
        "if it is a server on this machine, its address begins with http://",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
