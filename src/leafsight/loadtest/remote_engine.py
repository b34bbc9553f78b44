"""A server that runs already: nothing is started, nothing is measured but what it answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from leafsight.errors import UsageError
from leafsight.loadtest.asking import Address, wait_until_ready
from leafsight.loadtest.engines import Running
from leafsight.loadtest.setups import SetUp

READY_LIMIT_S = 20.0


class RemoteEngine:
    """One address.

    Args:
        url: such as ``http://127.0.0.1:8000``.
        key: opens predict and upload, and admin if counters and losses are to be looked at.
        may: whether its owner allows a load on another computer than this one.

    Raises:
        UsageError: no such address, or not of this computer and not allowed.
    """

    def __init__(self, url: str, key: str, *, may: bool) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise UsageError(f"'{url}' is no address of a server", hint="write it as http://127.0.0.1:8000")
        if not (may or _is_loopback(parts.hostname)):
            raise UsageError(
                f"{parts.hostname} is not this computer, and a load study can take a server down",
                hint="with the leave of its owner: --i-may",
            )
        secure = parts.scheme == "https"
        self._address = Address(parts.hostname, parts.port or (443 if secure else 80), secure)
        self._key = key

    def facts(self) -> dict[str, Any]:
        """What is known."""
        return {
            "engine": "a server that runs already",
            "version": str(self._address),
            "images": {},
            "database": "not known",
        }

    def clean(self) -> int:
        """Nothing was made."""
        return 0

    @contextlib.contextmanager
    def running(self, setup: SetUp, folder: Path) -> Iterator[Running]:
        """See ``Engine``."""
        folder.mkdir(parents=True, exist_ok=True)
        ready_s = wait_until_ready(self._address, READY_LIMIT_S, lambda: True)
        yield Running((self._address,), (self._address,), self._key, (), ready_s)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
