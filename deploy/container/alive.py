"""Whether the service in this container is ready: asked by the container's healthcheck.

Ends with 0 when ``/readyz`` answers 200 within three seconds. It loads next to nothing, for it runs every few
seconds beside a service that may have less than one processor: started with ``python -I -S``.
"""

import os
import socket

ANSWER_WITHIN_S = 3.0


def main() -> int:
    """Ask once."""
    port = int(os.environ.get("LEAFSIGHT_PORT") or 8000)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_WITHIN_S) as asked:
            asked.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return 0 if asked.recv(16).startswith(b"HTTP/1.1 200") else 1
    except OSError:
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
