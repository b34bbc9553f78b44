"""The admin side of the service: what comes by its socket is marked, and nothing else can be.

Enters: an ASGI application. Leaves: the same, for the connections of the admin socket. Which requests belong
there ``access`` decides: all that want the scope admin. A mark, not a comparison of addresses: the same port
may be listened for on two addresses, and a header says what its sender likes.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

MARK = "leafsight.admin_side"


def admin_side(app: ASGIApp) -> ASGIApp:
    """``app`` for connections of the admin socket."""

    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        scope[MARK] = True
        await app(scope, receive, send)

    return marked


def is_admin_side(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request came by the admin socket."""
    return scope.get(MARK) is True
