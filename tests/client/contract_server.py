"""A small real HTTP server that answers as the contract says, or fails, stalls and lies as it is told.

Written with the standard library only; it listens on this machine and nothing leaves it. Behind it stands
``tests.fakes.predictor.FakePredictor``.
"""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import LABELS

from leafsight.client import MOST_TOP
from leafsight.errors import (
    AuthenticationError,
    LeafsightError,
    NotFoundError,
    RequestTooLargeError,
    UsageError,
)

Behaviour = Callable[["Handler"], None]
JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class ContractServer(ThreadingHTTPServer):
    """Attributes.

    script: what happens to the next requests, one each; afterwards the contract holds.
    asked: every request.
    key: wanted of every request, when set.
    most_photographs, most_bytes: above these a request is too large.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Behaviour] = []
        self.asked: list[Asked] = []
        self.ended = threading.Event()
        self.key = ""
        self.most_photographs, self.most_bytes = 1000, 10**9
        self.predictor = FakePredictor()
        self.answers: dict[str, tuple[int, Any]] = {}
        self.kept: list[dict[str, Any]] = []
        self.corrections: list[dict[str, Any]] = []
        self.jobs: dict[str, list[str]] = {}
        self.events = True
        self.ready = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what many tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: ContractServer
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        if "chunked" in headers.get("transfer-encoding", ""):
            raise AssertionError("the contract server wants a length")
        self.question = Asked(self.command, parts.path, query, headers, body)
        self.server.asked.append(self.question)
        if self.server.script:
            self.server.script.pop(0)(self)
            return
        keep_contract(self)

    do_GET = do_POST = do_DELETE = handle_one

    def reply(self, status: int, body: bytes, kind: str = JSON, **headers: str) -> None:
        """A whole answer; a header of the same name replaces ours."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def plain(self, value: Any, status: int = 200) -> None:
        self.reply(status, json.dumps(value).encode())

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


def problem(error: LeafsightError, **headers: str) -> Behaviour:
    """The problem document of one of our errors."""
    document = {
        "type": f"https://leafsight.example/problems/{error.slug}", "title": "Problem",
        "status": error.http_status, "detail": error.message, "hint": error.hint, "request_id": "req-1",
    }  # fmt: skip
    body = json.dumps(document).encode()
    return lambda handler: handler.reply(error.http_status, body, PROBLEM, **headers)


def answer(status: int, body: bytes = b"{}", kind: str = JSON, **headers: str) -> Behaviour:
    """Any answer."""
    return lambda handler: handler.reply(status, body, kind, **headers)


def cut(body: bytes, after: int) -> Behaviour:
    """A body that ends before its announced length."""

    def act(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", JSON)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:after])
        handler.hang_up()

    return act


def stall(handler: Handler) -> None:
    """Nothing comes."""
    handler.server.ended.wait(5)
    handler.hang_up()


def drip(pieces: bytes, at_once: bytes = b"", every_s: float = 0.02) -> Behaviour:
    """A byte now and then: each comes in time, the whole never does."""

    def act(handler: Handler) -> None:
        handler.wfile.write(at_once)
        for number in range(500):
            handler.wfile.write(pieces[number : number + 1] or b" ")
            handler.wfile.flush()
            if handler.server.ended.wait(every_s):
                break
        handler.hang_up()

    return act


def endless(handler: Handler) -> None:
    """A body without end."""
    handler.send_response(200)
    handler.send_header("Content-Type", JSON)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while not handler.server.ended.is_set():
        handler.wfile.write(b"[" * 65536)


def hang_up(handler: Handler) -> None:
    """No answer at all."""
    handler.hang_up()


def garbage(handler: Handler) -> None:
    """No HTTP."""
    handler.wfile.write(b"220 mail.example ESMTP\r\n" * 20)
    handler.hang_up()


def keep_contract(handler: Handler) -> None:
    server, asked = handler.server, handler.question
    try:
        if server.key and asked.headers.get("authorization") != f"Bearer {server.key}":
            raise AuthenticationError("the key is not valid", hint="make one")
        token = asked.headers.get("idempotency-key", "")
        status, plain = server.answers.get(token) or _route(handler, server, asked)
        if token:
            server.answers[token] = (status, plain)
    except LeafsightError as error:
        problem(error)(handler)
        return
    if status:
        handler.plain(plain, status)


def _route(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    for method, pattern, act in ROUTES:
        found = re.fullmatch(pattern, asked.path)
        if found and method == asked.method:
            return act(handler, server, asked, *found.groups())
    raise NotFoundError(f"there is no {asked.path}", hint="see /openapi.json")


def _predict(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    photos = form_parts(asked)
    if len(photos) > server.most_photographs or len(asked.body) > server.most_bytes:
        raise RequestTooLargeError("too much at once", hint="send several requests")
    if int(asked.query.get("top", "5")) > MOST_TOP:
        raise UsageError("1 part of the request cannot be used", hint="each is named in errors")
    heatmap = asked.query.get("heatmap")
    found = server.predictor.predict([data for _, data in photos], crop=asked.query.get("crop"),
                                     heatmap=heatmap is not None)  # fmt: skip
    rows = []
    for (name, _), prediction in zip(photos, found, strict=True):
        plain = prediction.to_dict()
        plain["top"] = plain["top"][: int(asked.query.get("top", "5"))]
        plain["heatmap"] = None if prediction.heatmap is None else picture(prediction.heatmap)
        one = f"{len(server.kept):032x}"
        plain |= {"id": one, "photo": name, "recorded": True, "stored": False, "advice": ["apple/scab"]}
        server.kept.append({"created_at": 1, "plant_id": asked.query.get("plant_id"), **plain})
        rows.append(plain)
    combined = None
    if asked.query.get("combine") == "true" or "plant_id" in asked.query:
        own = {name: value for name, value in found[0].to_dict().items() if name != "timing_ms"}
        combined = {**own, "photographs": len(found), "used": len(found)}
    model = {"name": "fake", "hash": found[0].model_hash}
    timing = {"queued": 0.0, "total": 1.5}
    return 200, {
        "request_id": "req-1", "model": model, "predictions": rows, "combined": combined, "timing_ms": timing,
    }  # fmt: skip


def form_parts(asked: Asked) -> list[tuple[str, bytes]]:
    """File names and contents of ``multipart/form-data``."""
    found = re.fullmatch(r"multipart/form-data; boundary=([A-Za-z0-9-]+)", asked.headers["content-type"])
    assert found
    pieces = asked.body.split(f"--{found[1]}".encode())
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    parts = []
    for piece in pieces[1:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(r'filename="([^"]*)"', head.decode())
        assert name
        parts.append((name[1], data.removesuffix(b"\r\n")))
    return parts


def picture(heat: np.ndarray) -> dict[str, str]:
    """A heatmap as the contract sends it."""
    file = io.BytesIO()
    Image.fromarray((np.clip(heat, 0, 1) * 255 + 0.5).astype(np.uint8)).save(file, "PNG")
    return {"media_type": "image/png", "base64": base64.b64encode(file.getvalue()).decode()}


def _models(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    second = asked.query.get("after") == "page-2"
    entry = {"id": "b" * 64 if second else "a" * 64, "name": "fake", "aliases": ["serving"], "bytes": 7,
             "serving": not second, "created_at": 1, "of_the_future": [1]}  # fmt: skip
    return 200, {"models": [entry], "next": None if second else "page-2"}


def _model(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    if name != "serving":
        raise NotFoundError(f"there is no model {name}", hint="see /v1/models")
    return 200, {
        "id": "a" * 64, "name": "fake", "card": "# fake\n\nFor tests.", "metrics": {"accuracy": 1.0},
        "provenance": {"seed": 0}, "classes": 4, "labels": [label.to_dict() for label in LABELS],
    }  # fmt: skip


def _conditions(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 200, {"conditions": [{**label.to_dict(), "card": None} for label in LABELS]}


def _predictions(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    start, limit = int(asked.query.get("after", "0")), int(asked.query["limit"])
    some = server.kept[start : start + limit]
    more = start + limit < len(server.kept)
    return 200, {"predictions": some, "next": str(start + limit) if more else None}


def _prediction(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    for one in server.kept:
        if one["id"] == name:
            said = [{"id": "c1", "created_at": 2, **fixed} for fixed in server.corrections]
            return 200, {**one, "corrections": said}
    raise NotFoundError(f"there is no prediction {name}", hint="ids stand in the answers")


def _correct(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    server.corrections.append(json.loads(asked.body))
    return 201, {"id": "c1"}


def _upload(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 202, {"id": "u1", "job": "j1"}


def _upload_state(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    return 200, {"id": name, "state": "waiting"}


def _check_upload(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    return 202, plain_job(name, "queued")


def _uploads(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    one = {
        "id": "u1", "created_at": 1, "name": "u1.zip", "bytes": 5, "sha256": "a",
        "media_type": "application/zip", "label": None, "state": "waiting", "job": plain_job("j1", "queued"),
    }  # fmt: skip
    return 200, {"uploads": [one], "next": None}


def _reports(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    one = {"id": "r1", "created_at": 1, "collection": "leaves", "photographs": 7, "usable": 6, "classes": 2,
           "findings": {"mend": 1}}  # fmt: skip
    return 200, {"reports": [one], "next": None, "collection": "leaves", "job": None, "hint": ""}


def _report(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    return 200, {"id": name, "findings": []}


def _make_report(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 202, {"id": "r2", "job": "r2"}


def _load(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 200, {"waiting_photographs": 0}


def plain_job(name: str, state: str) -> dict[str, Any]:
    return {
        "id": name, "kind": "check-upload", "state": state, "created_at": 1, "updated_at": 2,
        "progress": {"done": 3}, "result": None, "error": None,
    }  # fmt: skip


def _jobs(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 200, {"jobs": [plain_job(name, states[0]) for name, states in server.jobs.items()], "next": None}


def _job(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    states = server.jobs.get(name)
    if not states:
        raise NotFoundError(f"there is no job {name}")
    return 200, plain_job(name, states.pop(0) if len(states) > 1 else states[0])


def _cancel(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    return 200, plain_job(name, "cancelled")


def _events(handler: Handler, server: ContractServer, asked: Asked, name: str) -> tuple[int, Any]:
    if not server.events:
        raise NotFoundError("there are no events here")
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b": hello\n\nevent: greeting\ndata: {}\n\n")
    for state in server.jobs[name]:
        handler.wfile.write(
            f"event: job\nid: {state}\ndata: {json.dumps(plain_job(name, state))}\n\n".encode()
        )
    handler.hang_up()
    return 0, None


def _insight(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 200, {"days": int(asked.query["days"]), "verdicts": {"diagnosis": len(server.kept)}}


def _health(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return 200, {"status": "alive", "version": "0"}


def _ready(handler: Handler, server: ContractServer, asked: Asked) -> tuple[int, Any]:
    return (200, {"status": "ready"}) if server.ready else (503, {"status": 503, "detail": "starting"})


ROUTES: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
    ("POST", "/v1/predict", _predict),
    ("GET", "/v1/models", _models),
    ("GET", "/v1/models/([^/]+)", _model),
    ("GET", "/v1/conditions", _conditions),
    ("GET", "/v1/predictions", _predictions),
    ("GET", "/v1/predictions/([^/]+)", _prediction),
    ("POST", "/v1/predictions/([^/]+)/correction", _correct),
    ("POST", "/v1/uploads", _upload),
    ("GET", "/v1/uploads/([^/]+)", _upload_state),
    ("POST", "/v1/uploads/([^/]+)/check", _check_upload),
    ("GET", "/v1/jobs", _jobs),
    ("GET", "/v1/jobs/([^/]+)", _job),
    ("GET", "/v1/jobs/([^/]+)/events", _events),
    ("DELETE", "/v1/jobs/([^/]+)", _cancel),
    ("GET", "/v1/insight", _insight),
    ("GET", "/v1/uploads", _uploads),
    ("GET", "/v1/reports", _reports),
    ("POST", "/v1/reports", _make_report),
    ("GET", "/v1/reports/([^/]+)", _report),
    ("GET", "/v1/load", _load),
    ("GET", "/healthz", _health),
    ("GET", "/readyz", _ready),
]


@contextmanager
def contract_server(context: Any = None) -> Iterator[ContractServer]:
    """A server for the length of the block; with a TLS ``context`` it speaks TLS."""
    server = ContractServer()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
