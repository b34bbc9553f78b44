"""A server that does nothing but answer: against it the generator's own cost is measured.

python -m benchmarks.serve.trivial --port 8000
"""

from __future__ import annotations

import argparse
import asyncio

BODY = b'{"predictions":[' + b'{"verdict":"diagnosis","probability":0.5},' * 24 + b'{"verdict":"diagnosis"}]}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


class Nothing(asyncio.Protocol):
    """Waits for as many bytes as Content-Length says, then answers."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.received, self.wanted = bytearray(), -1

    def data_received(self, data: bytes) -> None:
        self.received += data
        while self.received:
            if self.wanted < 0:
                at = self.received.find(b"\r\n\r\n")
                if at < 0:
                    return
                head = bytes(self.received[:at]).lower()
                length = head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
                self.wanted = at + 4 + int(length or 0)
            if len(self.received) < self.wanted:
                return
            del self.received[: self.wanted]
            self.wanted = -1
            self.transport.write(ANSWER)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
