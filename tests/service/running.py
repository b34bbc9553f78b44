"""A service behind a real socket, as a process or as a thread, and raw connections to it.

Enters: a folder, a model file, arguments. Leaves: a running service that ends with its `with` block. It does
not use an HTTP library: what a library would never send is what is tried here.
"""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from leafsight.service import ServiceOptions, create_app
from leafsight.service.protocol import TimedProtocol

READY = re.compile(r"ready on http://[^ ]*:(\d+)")
ENTRY = "from leafsight.cli import main; main()"
PATIENCE_S = 60.0
"""No test waits this long unless something hangs."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer as it came over the wire.

    Attributes:
        status: of HTTP; 0 when the connection was closed without an answer.
        headers: names in lower case.
        body: as long as Content-Length said, or what came until the end.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class RawConnection:
    """A TCP connection that sends what it is told to, byte by byte.

    Args:
        port: on this computer.
        receive_buffer_bytes: a small one lets the other side feel early that nothing is read.
    """

    def __init__(self, port: int, *, receive_buffer_bytes: int | None = None) -> None:
        self._socket = socket.socket()
        if receive_buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(("127.0.0.1", port))
        self._read = b""

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> bool:
        """Send everything; whether the other side was still there to take it."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def answer(self) -> RawAnswer:
        """The next answer; status 0 when the connection ends without one."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return RawAnswer(0, {}, self._read)
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        status = int(first.split(" ")[1])
        if status == 100:
            return RawAnswer(status, headers, b"")
        length = int(headers.get("content-length", "-1"))
        while (length < 0 or len(self._read) < length) and self._more():
            pass
        end = length if length >= 0 else len(self._read)
        body, self._read = self._read[:end], self._read[end:]
        return RawAnswer(status, headers, body)

    def is_closed(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the other side ends the connection; what it still says is thrown away."""
        self._socket.settimeout(within_s)
        try:
            while self._socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def _more(self) -> bool:
        try:
            some = self._socket.recv(65_536)
        except ConnectionError:
            return False
        self._read += some
        return bool(some)


@dataclass(slots=True)
class Service:
    """A service that answers on 127.0.0.1.

    Attributes:
        port: it listens on.
    """

    port: int

    def connect(self, *, receive_buffer_bytes: int | None = None) -> RawConnection:
        """A new connection."""
        return RawConnection(self.port, receive_buffer_bytes=receive_buffer_bytes)

    def ask(self, request: bytes) -> RawAnswer:
        """The answer to one request on a connection of its own."""
        with self.connect() as connection:
            connection.send(request)
            return connection.answer()

    def get(self, path: str) -> RawAnswer:
        """A plain GET."""
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


@dataclass(slots=True)
class RunningService(Service):
    """A service in processes of its own.

    Attributes:
        process: the supervisor.
        said: its lines on stderr so far.
    """

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def end(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def service_in_thread(options: ServiceOptions, *, write_timeout_s: float = PATIENCE_S) -> Iterator[Service]:
    """The application of one process behind a socket, in this process: for limits that no option sets.

    Args:
        options: with any limits.
        write_timeout_s: for an answer that nobody reads.
    """

    class Protocol(TimedProtocol):
        header_timeout_s = options.header_timeout_s

    Protocol.write_timeout_s = write_timeout_s
    config = uvicorn.Config(
        create_app(options), http=Protocol, ws="none", lifespan="on", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                thread.join(0.01)
            yield Service(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


@contextlib.contextmanager
def running_service(folder: Path, model: Path | None, *arguments: str) -> Iterator[RunningService]:
    """Start `leafsight serve` and wait until it is ready; it ends with the block.

    Args:
        folder: for everything that it keeps.
        model: a file; ``None`` serves what the registry says.
        arguments: more of them.
    """
    command = [
        sys.executable, "-c", ENTRY, "serve", "--port", "0", "--workers", "1", "--state-dir", str(folder),
        *(["--model", str(model)] if model else []), *arguments,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    ready = threading.Event()
    port: list[int] = []

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if found := READY.search(line):
                port.append(int(found[1]))
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        ready.wait(PATIENCE_S)
        assert port, "".join(said)
        yield RunningService(port[0], process, said)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        listener.join(PATIENCE_S)
        if process.stderr is not None:
            process.stderr.close()
