"""The way to the server that was chosen: a client for it, and another one when something else is chosen.

Enters: a ``Server`` and the service of this computer. Leaves: a ``leafsight.client.Client`` that is ready to
be asked. Everything waits here, so it is used on errands, never on the window's thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from leafsight.desktop.session.servers import Server
from leafsight.desktop.session.serving_here import ServiceHere
from leafsight.desktop.session.teach_answers import not_taught_here, summary_of
from leafsight.errors import LeafsightError, NotFoundError, RemoteError

if TYPE_CHECKING:
    from leafsight.client import Client

TIMEOUT_S = 20.0
RETRIES = 1
"""Whoever asks, asks again by himself; a person sees sooner that a server is away."""


class Reach:
    """Safe to use from several threads.

    Args:
        here: the service of this computer, started when it is the one that was chosen.
        server: that was chosen.
    """

    def __init__(self, here: ServiceHere, server: Server) -> None:
        self.here, self._server = here, server
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._former: list[Client] = []
        self._made_for = Server()

    @property
    def server(self) -> Server:
        """That was chosen; of this computer without the address of the moment."""
        return self._server

    @property
    def is_here(self) -> bool:
        """Whether this computer is asked."""
        return self._server.is_here

    def choose(self, server: Server) -> None:
        """Ask another one from now on; what is under way with the former one ends with its answer."""
        with self._lock:
            self._server = server

    def client(self) -> Client:
        """For the server that was chosen.

        Raises:
            UsageError: its address is none, or the key would travel readable.
            MissingExtraError: the extra ``serve`` is not installed.
            RemoteError: the service of this computer did not start.
        """
        from leafsight.client import Client

        chosen = self._server
        wanted = self.here.server() if chosen.is_here else chosen
        with self._lock:
            if self._client is None or self._made_for != wanted:
                if self._client is not None:  # a call of another thread may be under way with it
                    self._former.append(self._client)
                self._client = Client(
                    wanted.address, key=wanted.key or None, timeout_s=TIMEOUT_S, retries=RETRIES
                )
                self._made_for = wanted
            return self._client

    def close(self) -> None:
        """Close the client and end the service of this computer."""
        with self._lock:
            for one in (*self._former, *((self._client,) if self._client is not None else ())):
                one.close()
            self._former, self._client = [], None
        self.here.stop()


def tried(server: Server) -> dict[str, Any]:
    """Ask a server who it is and whether it takes the key: its model, its version, what it allows.

    Raises:
        UsageError: the address is none, or the key would travel readable.
        RemoteError: nobody is there, or no leafsight server.
        AuthenticationError, ForbiddenError: the key is wrong, or opens too little.
    """
    from leafsight.client import Client

    with Client(server.address, key=server.key or None, timeout_s=TIMEOUT_S, retries=0) as client:
        model = client.model("serving")
        found: dict[str, Any] = {"model": model.name, "classes": model.classes, "version": _version(client)}
        try:
            told = client.learning.contributions_summary()
        except RemoteError:
            raise
        except NotFoundError as error:
            return {**found, "teaches": False, "why_not": (not_taught_here(error) or error).message}
        except LeafsightError as error:
            return {**found, "teaches": False, "why_not": error.message}
    try:
        summary_of(told)
    except RemoteError as error:  # of another version: it diagnoses all the same
        return {**found, "teaches": False, "why_not": error.message}
    return {**found, "teaches": True}


def _version(client: Client) -> str:
    """Of the leafsight there; empty where it does not say."""
    try:
        version = client.health().get("version")
    except LeafsightError:
        return ""
    return version if isinstance(version, str) else ""
