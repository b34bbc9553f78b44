"""A server that reads and says a fixed answer: what the generator can drive when nothing holds it back.

python -m leafsight.loadtest.trivial        # prints its port on stdout, ends on SIGTERM
"""

from __future__ import annotations

import asyncio
import json
import sys

ANSWER: dict[str, object] = {
    "verdict": "cannot_tell", "key": None, "top": [{"key": "none", "probability": 1.0}], "quality": {},
    "recorded": False,
}  # fmt: skip
NAME = b'filename="'


class Trivial(asyncio.Protocol):
    """One connection: reads whole requests by their Content-Length and answers each."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = 0
        self._name = ""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request."""
        if self._left > 0:
            self._left -= len(data)
            if self._left > 0:
                return
            self._answer()
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        at = self._head.find(NAME, end)
        if end < 0 or (at < 0 and len(self._head) < end + 400):
            return
        length = int(bytes(self._head[:end]).lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self._name = bytes(self._head[at + len(NAME) :]).split(b'"', 1)[0].decode() if at >= 0 else ""
        self._left = length - (len(self._head) - end - 4)
        self._head.clear()
        if self._left <= 0:
            self._answer()

    def _answer(self) -> None:
        body = json.dumps({"predictions": [ANSWER | {"photo": self._name}], "combined": None}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if self._transport is not None:
            self._transport.write(head.encode() + body)


async def main() -> None:
    """Serve on a free port of this computer until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Trivial, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
