"""A collector of traces on this computer: what arrives by OTLP over HTTP is decoded and kept.

Enters: protobuf. Leaves: spans as they were sent. It can also be told to say nothing at all.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent."""

    daemon_threads = True

    def __init__(self, *, silent: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.silent, self.release = silent, threading.Event()
        self.received: list[ResourceSpans] = []
        self.asked: list[str] = []

    @property
    def endpoint(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Span]:
        """All that came."""
        return [span for one in self.received for scope in one.scope_spans for span in scope.spans]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Collector = self.server  # type: ignore[assignment]
        server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        if server.silent:
            server.release.wait(60)
            return
        assert self.headers["content-type"] == "application/x-protobuf"
        server.received.extend(ExportTraceServiceRequest.FromString(body).resource_spans)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@contextlib.contextmanager
def collector(*, silent: bool = False) -> Iterator[Collector]:
    """Run one until the block ends.

    Args:
        silent: take connections and requests, and never answer.
    """
    with Collector(silent=silent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()
