"""Which addresses mean this computer alone."""

from __future__ import annotations

from ipaddress import ip_address

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared with, not bound)
"""Addresses that listen everywhere, and where such a server is asked from here."""


def is_local(host: str) -> bool:
    """Whether only this computer reaches a server on ``host``."""
    try:
        return host.rstrip(".").lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def asked_at(host: str, port: int) -> str:
    """The address at which this computer asks a server that listens on ``host`` and ``port``."""
    name = EVERYWHERE.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"
