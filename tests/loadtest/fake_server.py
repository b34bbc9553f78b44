"""A server that answers like leafsight, as badly as a test wants it to. Threads, standard library."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "f" * 64


def said_about(name: str) -> dict[str, Any]:
    """The answer about a photograph: every name has another quality."""
    quality = {"sharpness": float(sum(name.encode()) % 9973)}
    top = [{"key": "tomato/rust", "probability": 0.6}, {"key": "tomato/healthy", "probability": 0.4}]
    return {"verdict": "cannot_tell", "key": None, "top": top, "quality": quality, "photo": name}


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        stalls: (from, until) in seconds after the start: nothing is answered in between.
        refuse_every, fail_every, wrong_every, mix_every, lose_every: 3 means each third prediction; 0 none.
        takes_s: for each prediction.
    """

    stalls: tuple[float, float] = (0.0, 0.0)
    refuse_every: int = 0
    fail_every: int = 0
    wrong_every: int = 0
    mix_every: int = 0
    lose_every: int = 0
    takes_s: float = 0.0


@dataclass
class FakeServer:
    """Runs while its block lasts."""

    faults: Faults = field(default_factory=Faults)
    names: list[str] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: int = 0
    paths: list[str] = field(default_factory=list)

    def __enter__(self) -> FakeServer:
        self._lock = threading.Lock()
        self.started_s = time.monotonic()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake.get(self)

            def do_POST(self) -> None:
                fake.post(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.paths.append(path)
        if path == "/readyz":
            answer(handler, 200, {"ready": True})
        elif path == "/metrics":
            reply(handler, 200, b"# HELP x y\nleafsight_queue_seconds_sum 1.5\n", "text/plain")
        elif path == "/v1/predictions":
            answer(handler, 200, {"predictions": [{"id": one} for one in self.kept], "next": None})
        elif path.startswith(("/v1/predictions/", "/v1/uploads/")):
            found = self.kept.get(path.rsplit("/", 1)[1])
            answer(handler, 200 if found is not None else 404, found or {"type": "x/not-found"})
        else:
            answer(handler, 200, {"conditions": [], "models": [], "model": {}})

    def post(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.paths.append(handler.path.partition("?")[0])
        if handler.path.startswith("/v1/predict?") or handler.path == "/v1/predict":
            self.predict(handler, body)
            return
        with self._lock:
            made = f"{len(self.kept) + 10_000:032x}"
            self.kept[made] = {"id": made}
            if handler.path.endswith("/correction"):
                self.kept[handler.path.split("/")[3]].setdefault("corrections", []).append({"id": made})
        answer(handler, 201, {"id": made, "job": made})

    def predict(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        faults = self.faults
        now_s = time.monotonic() - self.started_s
        if faults.stalls[0] <= now_s < faults.stalls[1]:
            time.sleep(faults.stalls[1] - now_s)
        time.sleep(faults.takes_s)
        with self._lock:
            self.asked += 1
            number = self.asked
        if due(number, faults.refuse_every):
            answer(handler, 503, {"type": "x/overload"}, {"Retry-After": "1"})
            return
        if due(number, faults.fail_every):
            answer(handler, 500, {"type": "x/internal"})
            return
        names = [part.split(b'"', 1)[0].decode() for part in body.split(b'filename="')[1:]]
        predictions = [self.prediction(name, number) for name in names]
        combined = {"photographs": len(names)} if len(names) > 1 else None
        answer(handler, 200, {"model": {"hash": MODEL}, "predictions": predictions, "combined": combined})

    def prediction(self, name: str, number: int) -> dict[str, Any]:
        faults, said = self.faults, said_about(name)
        if due(number, faults.wrong_every):
            said["quality"] = {"sharpness": -1.0}
        if due(number, faults.mix_every):
            other = next(one for one in self.names if one != name)
            said = said_about(other) | {"photo": name}
        with self._lock:
            made = f"{len(self.kept) + number * 100_000:032x}"
            if not due(number, faults.lose_every):
                self.kept[made] = {"id": made}
        return said | {"id": made, "recorded": True}


def due(number: int, every: int) -> bool:
    return bool(every) and number % every == 0


def answer(
    handler: BaseHTTPRequestHandler, status: int, value: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    reply(handler, status, json.dumps(value).encode(), "application/json", headers)


def reply(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    kind: str,
    headers: dict[str, str] | None = None,
) -> None:
    try:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
    except OSError:
        pass
