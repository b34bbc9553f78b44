"""One process of the service: serves on a socket that it was handed, until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from leafsight.service.accepting import Accepting, Shares
from leafsight.service.admin_side import admin_side
from leafsight.service.app import create_app
from leafsight.service.handing_over import HandingOver
from leafsight.service.lifecycle import Lifecycle
from leafsight.service.logs import write_json_lines
from leafsight.service.options import ServiceOptions
from leafsight.service.protocol import TimedProtocol

READY = "ready"
LOOK_S = 0.05
LAST_S = 30
"""Seconds for what is still being answered when everything else is closed."""


class DrainingServer(uvicorn.Server):
    """Before it closes idle connections it tells their callers: each answer says ``Connection: close``.

    A connection that is closed without a word can meet a request on its way; that request would fail.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        lifecycle: Lifecycle,
        drain_s: float,
        ready: Callable[[], None],
        shares: Shares | None = None,
        handing: HandingOver | None = None,
    ) -> None:
        super().__init__(config)
        self._lifecycle, self._drain_s, self._ready, self._shares = lifecycle, drain_s, ready, shares
        self._handing = handing
        self.servers = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open everything, listen, then say so. As uvicorn's, but for who takes the connections."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        assert sockets
        many = lambda: len(self.server_state.connections)  # noqa: E731
        self._accepting = [Accepting(sockets[0], self._public_protocol, many, self._shares)]
        # Few ask there, so nobody has to see that they are spread.
        self._accepting += [Accepting(one, self._admin_protocol, many, None) for one in sockets[1:]]
        if self._handing is not None:
            self._handing.listen(self._public_protocol)
        gc.collect()
        gc.freeze()  # application and model stay: no later look for garbage stops for them
        self.started = True
        self._ready()

    def _quiet(self) -> list[Any]:
        """Transports of the connections that may go on in another process."""
        held: list[Any] = list(self.server_state.connections)
        return [one.transport for one in held if one.hand_over is not None and one.is_quiet]

    def _protocol(self) -> TimedProtocol:
        made: TimedProtocol = self.config.http_protocol_class(  # type: ignore[call-arg, assignment]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def _public_protocol(self, came_along: bytes = b"") -> TimedProtocol:
        made = self._protocol()
        made.came_along = came_along
        if self._handing is not None:
            made.hand_over = self._handing.hand_over
        return made

    def _admin_protocol(self) -> TimedProtocol:
        made = self._protocol()
        made.app = admin_side(made.app)
        return made

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No new connections; quiet ones go on in other processes; answers end theirs; then the rest."""
        self._lifecycle.draining = True
        for accepting in self._accepting:
            accepting.close()
        if self._handing is not None:
            self._handing.leave()
        until = asyncio.get_running_loop().time() + self._drain_s
        while self.server_state.connections and asyncio.get_running_loop().time() < until:
            if self._handing is not None:
                await self._handing.part_with(self._quiet)
            await asyncio.sleep(LOOK_S)
        if self._handing is not None:
            await self._handing.close()
        await super().shutdown(sockets)


def run_worker(
    options: ServiceOptions,
    listening: socket.socket,
    parent: Connection | None = None,
    shares: Shares | None = None,
    admin: socket.socket | None = None,
    handing: HandingOver | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent is gone.

    Args:
        options: as the operator chose.
        listening: bound and listening; shared with the other processes.
        parent: told when this process is ready.
        shares: how many connections the other workers hold.
        admin: as ``listening``, for the admin side; ``None`` when there is none.
        handing: gives connections to other workers and takes theirs; ``None`` for a worker that is alone.
    """
    write_json_lines()
    if handing is None:
        app = create_app(options)
    else:
        app = create_app(options, line_told=handing.tell)
        handing.given = app.state.metrics.handed_over
    TimedProtocol.header_timeout_s = options.header_timeout_s
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_S,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = DrainingServer(
        config, app.state.lifecycle, options.drain_s, lambda: _tell(parent), shares, handing
    )
    if parent is not None:
        app.state.bell.hang(parent.send)
        threading.Thread(target=_end_with_parent, args=(parent, server), daemon=True).start()
    server.run(sockets=[listening] if admin is None else [listening, admin])


def _tell(parent: Connection | None) -> None:
    if parent is not None:
        parent.send(READY)


def _end_with_parent(parent: Connection, server: uvicorn.Server) -> None:
    """The other end of the pipe closes when the supervisor is gone, whatever killed it."""
    try:
        while True:
            parent.recv()
    except (EOFError, OSError):
        server.should_exit = True
