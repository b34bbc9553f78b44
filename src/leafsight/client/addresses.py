"""Where a server is, and whether a key may travel there.

Enters: what a person typed. Leaves: the address to build requests on, or the reason why not. It does not
know what is sent.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from dataclasses import dataclass, field

from leafsight.errors import UsageError

KEY = re.compile(r"[\x21-\x7e]{1,500}")
ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9._:-]{1,200}")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """One server.

    Attributes:
        base: scheme, host, port and path without a slash at the end, such as ``https://leaf.example/api``.
        host: without brackets.
        is_loopback: whether it is this machine; such a server is never asked through a proxy.
        key: what is shown to this server and to nobody else, or None.
    """

    base: str
    host: str
    is_loopback: bool
    key: str | None = field(default=None, repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Whether the line is TLS."""
        return self.base.startswith("https:")


def server_address(url: str, key: str | None = None, *, allow_plain: bool = False) -> ServerAddress:
    """Check an address before anything is sent.

    Args:
        url: ``http://`` or ``https://``, a host, a port if need be, a path where the server sits below one.
        key: the key for it; None or empty for a server without keys.
        allow_plain: let the key travel on an open line to another machine.

    Raises:
        UsageError: no such address is possible, it has parts that do not belong there, or the key would
            travel where others can read it.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    loopback = _is_loopback(host)
    if key and not KEY.fullmatch(key):
        raise UsageError("the key has characters that no key has", hint="copy it again, without line breaks")
    if key and parts.scheme == "http" and not loopback and not allow_plain:
        raise UsageError(
            f"will not send a key to {host} on an open line",
            hint="use an https address (or allow_plain=True in a network that nobody else can read)",
        )
    return ServerAddress(
        f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", host, loopback, key or None
    )


def checked_id(text: str, what: str) -> str:
    """An id or name that may stand in a path.

    Raises:
        UsageError: empty, too long, or with characters that no id has.
    """
    if not ID.fullmatch(text):
        raise UsageError(
            f"{text[:80]!r} is not the id of a {what}", hint="copy it from an answer of the server"
        )
    return text


def _parts(url: str) -> urllib.parse.SplitResult:
    shown = repr(url[:200])
    hint = "write it like https://leafsight.example or http://127.0.0.1:8000"
    if not url.isprintable() or " " in url or "\\" in url:
        raise UsageError(f"{shown} is not an address", hint=hint)
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{shown} is not an address: {error}", hint=hint) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UsageError(f"{shown} is not the address of a server", hint=hint)
    if "@" in parts.netloc:
        # Not shown: what stands before the @ is a password.
        raise UsageError("the address has a user name or password in it", hint="give the key apart: --key")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise UsageError(f"{shown} has a question or a fragment in it", hint=hint)
    return parts


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
