"""Run as a program: moto's S3 server, with writes that are one step each, as those of S3 are.

moto looks at ``If-Match`` and writes later; another thread may write between the two, and both are told that
they were first. Of four writers at once, run with the shortest switch interval, two won in 6 of 400 rounds.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple

READING = ("GET", "HEAD", "OPTIONS")


def one_write_at_a_time(
    app: Callable[[dict[str, Any], Any], Iterable[bytes]],
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """The same application; a request that may write waits until the one before it is answered."""
    turn = threading.Lock()

    def called(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in READING:
            return app(environ, start_response)
        with turn:
            return list(app(environ, start_response))

    return called


def main(port: str, switch_interval_s: str) -> None:
    """Serve until the process ends; a short switch interval lets threads meet in unlikely places."""
    sys.setswitchinterval(float(switch_interval_s))
    app = one_write_at_a_time(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(port), app, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(*sys.argv[1:])
