"""A server that answers the routes of the learning loop by heart, and asks a real one for everything else.

Enters: contributions and trainings as plain values. Leaves: answers in the shapes of the contract, and what
was asked. It is for sights that a real service takes minutes to come to; ``test_learning_server.py`` holds
its answers against the contract of the real one.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.web.made_learning import KNOWN, NOW_MS, drawn_jpeg
from tests.web.made_trainings import a_change, a_gate, a_training

Query = dict[str, str]
DROPPED = {"connection", "transfer-encoding", "content-length", "host", "accept-encoding", "date", "server"}


@dataclass
class Learning:
    """What the server remembers; a test changes it at will.

    Attributes:
        contributions: newest first.
        declared: names of classes.
        scopes: of whoever asks; without ``admin`` deciding is refused.
        answers: whole answers by path, before everything else: values, or functions of the query.
        asked: method, path and body of each request that was answered here.
        trainings: newest first, as `/v1/retraining` lists them.
        play: jobs that a new training goes through, one an event.
        trigger, paths: of `/v1/retraining`.
        changes: of the alias serving, newest first.
        models: beside those of the real service.
    """

    contributions: list[dict[str, Any]] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    scopes: frozenset[str] = frozenset({"predict", "upload", "admin"})
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    trainings: list[dict[str, Any]] = field(default_factory=list)
    play: Callable[[dict[str, Any]], Iterator[dict[str, Any]]] = lambda training: iter([training])
    trigger: dict[str, Any] = field(
        default_factory=lambda: {"accepted_since": 112, "after": 500, "every_hours": 24.0, "on_drift": True}
    )
    paths: dict[str, Any] = field(default_factory=lambda: {"quick": {"why_not": ""}, "full": {"why_not": ""}})
    changes: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)

    def page(self, query: Query) -> dict[str, Any]:
        some = [one for one in self.contributions if is_wanted(one, query)]
        shown = some[: int(query.get("limit", "50"))]
        return {"contributions": shown, "next": shown[-1]["id"] if len(some) > len(shown) else None}

    def summary(self) -> dict[str, Any]:
        labels: dict[str, dict[str, Any]] = {}
        known = {name for name, _ in KNOWN}
        for one in self.contributions:
            row = labels.setdefault(
                one["label"],
                {
                    "label": one["label"], "display": one["display"], "known": one["label"] in known,
                    "declared": one["label"] in self.declared, "waiting": 0, "accepted": 0, "rejected": 0,
                },
            )  # fmt: skip
            row[one["state"]] += 1
        states = {
            name: sum(row[name] for row in labels.values()) for name in ("waiting", "accepted", "rejected")
        }
        doubtful = sum(one["state"] == "waiting" and is_doubtful(one) for one in self.contributions)
        return {
            "states": states, "labels": sorted(labels.values(), key=lambda row: row["display"]),
            "doubtful": doubtful, "new_since_training": states["accepted"],
        }  # fmt: skip

    def decide(self, body: dict[str, Any]) -> dict[str, Any]:
        known = dict(KNOWN)
        changed, skipped = 0, []
        clean = body.get("all") == "clean"
        for one in self.contributions:
            if "ids" in body and one["id"] not in body["ids"]:
                continue
            if "upload" in body and one["upload"] != body["upload"]:
                continue
            if clean and not self.is_clean(one, body.get("label")):
                continue
            label = one["label"] if clean else body.get("label") or one["label"]
            if body["state"] == "accepted" and label not in known and label not in self.declared:
                skipped.append({"id": one["id"], "why": f"the class {label} is neither known nor declared"})
            elif body["state"] == "accepted" and any(f["kind"] == "test_duplicate" for f in one["findings"]):
                skipped.append({"id": one["id"], "why": "it is in the locked test"})
            else:
                changed += 1
                one.update(
                    state=body["state"], label=label, display=known.get(label, label.replace("___", ": "))
                )
                one.update(decided_at=NOW_MS, decided_by="tests", reason=body.get("reason", ""))
        return {"changed": changed, "skipped": skipped}

    def is_clean(self, one: dict[str, Any], label: str | None) -> bool:
        learnable = one["label"] in self.declared or one["label"] in {name for name, _ in KNOWN}
        return (
            one["state"] == "waiting" and learnable and not is_doubtful(one) and label in (None, one["label"])
        )

    def answer(self, method: str, path: str, query: Query, body: Any) -> Any:
        """JSON, bytes with their type, or None for what the real service answers."""
        if f"{method} {path}" in self.answers:
            found = self.answers[f"{method} {path}"]
            return found(query, body) if callable(found) else found
        if (path == "/v1/jobs" and "admin" not in self.scopes) or (
            method != "GET"
            and "admin" not in self.scopes
            and path.startswith(("/v1/contr", "/v1/classes", "/v1/retr"))
        ):
            return Refusal(403, "this wants the scope admin")
        if method == "GET" and path == "/v1/contributions":
            return self.page(query)
        if method == "GET" and path == "/v1/contributions/summary":
            return self.summary()
        if method == "POST" and path == "/v1/contributions/decide":
            return self.decide(body)
        if found := re.fullmatch(r"/v1/contributions/([0-9a-f]{32})/photograph", path):
            return (
                "image/jpeg",
                drawn_jpeg(int(found[1][12:], 16) % 36, min(int(query.get("side", "256")), 512)),
            )
        if method == "DELETE" and path.startswith("/v1/classes/declared/"):
            self.declared = [name for name in self.declared if name != path.split("/", 4)[4]]
            return {"classes": [a_declaration(name) for name in self.declared]}
        if path == "/v1/classes/declared":
            if method == "POST":
                self.declared.append(body["name"])
                for one in self.contributions:
                    one["findings"] = [f for f in one["findings"] if f["kind"] != "new_class"]
                return a_declaration(body["name"])
            return {"classes": [a_declaration(name) for name in self.declared]}
        return self.of_training(method, path, body)

    def of_training(self, method: str, path: str, body: Any) -> Any:
        """Retraining, promotion and rollback."""
        if path == "/v1/retraining" and method == "GET":
            return {"retrainings": self.trainings, "next": None, "trigger": self.trigger, "paths": self.paths}
        if path == "/v1/retraining":
            made = a_training(len(self.trainings), "queued", path=body["path"], reason=body["reason"])
            self.trainings.insert(0, made)
            return {"id": made["id"], "job": made["id"]}
        if found := re.fullmatch(r"/v1/jobs/([0-9a-f]{32})(/events)?", path):
            training = next((one for one in self.trainings if one["id"] == found[1]), None)
            if training is None:
                return None
            if method == "DELETE":
                training["state"] = "cancelled"
            job = {**training, "kind": "retraining", "updated_at": NOW_MS}
            return Events(self.play(training)) if found[2] else job
        if found := re.fullmatch(r"/v1/retraining/([0-9a-f]{32})(/ticket|/report)?", path):
            training = next(one for one in self.trainings if one["id"] == found[1])
            if found[2] == "/ticket":
                return {"url": f"/v1/retraining/{found[1]}/report?ticket=x", "expires_at": NOW_MS}
            if found[2] == "/report":
                return ("text/html; charset=utf-8", b"<!doctype html><title>Gate</title><h1>The gate</h1>")
            return {**training, "gate": whole_gate(training), "snapshot": {"hash": "5a" * 32}}
        if path == "/v1/models/history":
            return {"changes": self.changes}
        if path == "/v1/models" and self.models:
            return {"models": self.models, "next": None}
        if method == "POST" and (found := re.fullmatch(r"/v1/models/(\w+)/promote", path)):
            return self.promote(found[1], body)
        if method == "POST" and path == "/v1/models/rollback":
            return self.change("rollback", self.changes[0]["former"], body["reason"])
        return None

    def promote(self, model: str, body: dict[str, Any]) -> Any:
        gates = [
            one["result"]["gate"]
            for one in self.trainings
            if one["result"] and one["result"]["candidate"] == model
        ]
        if any(not gate["passed"] for gate in gates) and not body["override"]:
            return Refusal(409, f"the gate of this model did not hold: {gates[0]['said']}")
        return self.change("promote", model, body["reason"])

    def change(self, kind: str, model: str, reason: str) -> dict[str, Any]:
        former = next(one["id"] for one in self.models if one["serving"])
        for one in self.models:
            one["serving"] = one["id"] == model
            one["aliases"] = ["serving"] if one["serving"] else []
        made = a_change(len(self.changes) + 1, model, former, kind, reason=reason, by="tests")
        self.changes.insert(0, made)
        return made


@dataclass(frozen=True)
class Refusal:
    """An answer that is a problem."""

    status: int
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Events:
    """Server-sent events: values, sent when the generator gives them."""

    values: Iterator[Any]


def whole_gate(training: dict[str, Any]) -> dict[str, Any] | None:
    """As the report keeps it; the result of the job has the short of it."""
    result = training["result"]
    return result and a_gate(passed=result["gate"]["passed"])


def a_declaration(name: str) -> dict[str, Any]:
    display = name.replace("___", ": ")
    return {"name": name, "display": display, "created_at": NOW_MS, "by": "tests", "note": ""}


def is_wanted(one: dict[str, Any], query: Query) -> bool:
    kinds = [found["kind"] for found in one["findings"]]
    finding = query.get("finding")
    if finding and not (kinds if finding == "any" else finding in kinds):
        return False
    if query.get("after") and one["id"] >= query["after"]:
        return False
    return all(one[name] == query[name] for name in ("state", "upload", "label") if query.get(name))


def is_doubtful(one: dict[str, Any]) -> bool:
    return any(found["blocks"] for found in one["findings"])


@contextmanager
def learning_server(real: str, learning: Learning) -> Iterator[str]:
    """The address of a server that knows ``learning``; everything else it asks of ``real``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            data = self.rfile.read(length) if length else b""
            body = json.loads(data) if data[:1] in (b"{", b"[") else None
            path = unquote(parts.path)
            with learning.lock:
                found = learning.answer(self.command, path, dict(parse_qsl(parts.query)), body)
                if found is not None:
                    learning.asked.append((self.command, path, body))
            if found is None:
                self.pass_on(data)
            elif isinstance(found, Refusal):
                said = {
                    "status": found.status,
                    "title": "Refused",
                    "detail": found.detail,
                    "hint": found.hint,
                }
                self.send(found.status, "application/problem+json", json.dumps(said).encode())
            elif isinstance(found, Events):
                self.send_events(found)
            elif isinstance(found, tuple):
                self.send(200, *found)
            else:
                self.send(200, "application/json", json.dumps(found).encode())

        do_GET = do_POST = do_DELETE = do_HEAD = handle_any

        def send(self, status: int, kind: str, data: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {
                **(headers or {}),
                "content-type": kind,
                "content-length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def send_events(self, events: Events) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for value in events.values:
                self.wfile.write(f"event: job\ndata: {json.dumps(value)}\n\n".encode())
                self.wfile.flush()
            self.close_connection = True

        def pass_on(self, data: bytes) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
            url = real + quote(self.path, safe="/%?&=+,;:@!$'()*~")
            request = urllib.request.Request(url, data or None, headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    status, kind, said, sent = answer.status, answer.headers, answer.read(), answer.headers
            except urllib.error.HTTPError as error:
                status, kind, said, sent = error.code, error.headers, error.read(), error.headers
            kept = {
                name: value for name, value in sent.items() if name.lower() not in {*DROPPED, "content-type"}
            }
            self.send(status, kind.get("content-type", "text/plain"), said, kept)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def handle(self) -> None:
            with suppress(ConnectionError, TimeoutError):  # the browser went elsewhere
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
