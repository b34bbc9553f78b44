"""What every request gets: an id, limits on its body, headers, a problem document for what nobody handled."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from leafsight.errors import NotFoundError
from leafsight.service.envelope import SECURITY_HEADERS, Envelope
from leafsight.service.lifecycle import Lifecycle
from leafsight.service.metrics import Metrics


class Call:
    """One request to an application behind an envelope, and what came out."""

    def __init__(
        self, app: Any, *, lifecycle: Lifecycle | None = None, metrics: Metrics | None = None
    ) -> None:
        self.metrics = metrics or Metrics()
        self.envelope = Envelope(
            app, lifecycle=lifecycle or Lifecycle(), metrics=self.metrics, max_bytes=10, body_timeout_s=0.05
        )
        self.sent: list[dict[str, Any]] = []

    def __call__(self, chunks: list[bytes] | None = None, headers: dict[str, str] | None = None) -> Call:
        parts = list(chunks or [])
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/predict",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }

        async def receive() -> dict[str, Any]:
            if parts:
                chunk = parts.pop(0)
                if chunk == b"(silence)":
                    await asyncio.sleep(60)
                return {"type": "http.request", "body": chunk, "more_body": bool(parts)}
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        asyncio.run(self.envelope(scope, receive, send))  # type: ignore[arg-type]
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def document(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(b"".join(part.get("body", b"") for part in self.sent[1:]))
        return said


async def reads_everything(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps({"bytes": len(body)}).encode()})


def raises(error: Exception) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return app


def test_a_body_within_the_limit_comes_through_with_an_id_and_headers() -> None:
    call = Call(reads_everything)([b"12345", b"67890"])
    assert (call.status, call.document) == (200, {"bytes": 10})
    assert len(call.headers["x-request-id"]) == 32
    assert {name: call.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert call.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("chunks", "headers"),
    [
        ([b"x"], {"content-length": "11"}),
        ([b"123456", b"789012"], {}),
        ([b"x" * 1000], {"content-length": "5"}),
    ],
)
def test_too_many_bytes_end_in_413_whatever_the_length_says(
    chunks: list[bytes], headers: dict[str, str]
) -> None:
    call = Call(reads_everything)(chunks, headers)
    assert call.status == 413
    assert call.document["type"].endswith("/request-too-large")
    assert call.headers["connection"] == "close"


def test_a_body_that_does_not_come_ends_in_408() -> None:
    call = Call(reads_everything)([b"x", b"(silence)"])
    assert call.status == 408
    assert call.document["hint"]


@pytest.mark.parametrize("given", ["abc-1_2.3", "x" * 64])
def test_the_callers_request_id_is_used(given: str) -> None:
    assert Call(reads_everything)([], {"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\r\nset-cookie: x", "é"])
def test_a_request_id_that_could_do_harm_is_not(given: str) -> None:
    assert Call(reads_everything)([], {"x-request-id": given}).headers["x-request-id"] != given


def test_an_error_of_ours_becomes_its_problem_and_a_bug_says_nothing_of_itself() -> None:
    ours = Call(raises(NotFoundError("there is no x", hint="look")))()
    assert (ours.status, ours.document["detail"], ours.document["hint"]) == (404, "there is no x", "look")
    bug = Call(raises(RuntimeError("password in /etc")))()
    assert bug.status == 500
    assert "password" not in json.dumps(bug.document)
    assert bug.document["request_id"] == bug.headers["x-request-id"]


def test_an_error_after_the_answer_began_does_not_begin_another() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("later")

    assert [message["type"] for message in Call(half)().sent] == ["http.response.start"]


def test_a_process_that_drains_ends_its_connections() -> None:
    lifecycle = Lifecycle()
    assert "connection" not in Call(reads_everything, lifecycle=lifecycle)().headers
    lifecycle.draining = True
    assert Call(reads_everything, lifecycle=lifecycle)().headers["connection"] == "close"
    assert lifecycle.in_flight == 0


def test_requests_are_counted_by_route_and_status_not_by_path() -> None:
    call = Call(raises(NotFoundError("no")))()
    text = call.metrics.text().decode()
    assert 'leafsight_requests_total{method="POST",route="other",status="404"} 1.0' in text
    assert "/v1/predict" not in text
