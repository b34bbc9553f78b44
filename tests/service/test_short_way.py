"""The short way past the framework's routing, and the long one: callers cannot tell which they went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes

from leafsight.service import predicting, short_way

JPEG = {"content-type": "image/jpeg"}
FORM = {"content-type": "multipart/form-data; boundary=x"}
WAYS = {
    "a diagnosis": ("/v1/predict?top=2", picture_bytes(), JPEG),
    "several": ("/v1/predict?combine=true", picture_bytes(), JPEG),
    "a query that cannot be used": ("/v1/predict?top=no&crop=" + "x" * 200, picture_bytes(), JPEG),
    "no such crop": ("/v1/predict?crop=rose", picture_bytes(), JPEG),
    "no photograph": ("/v1/predict", b"--x--\r\n", FORM),
    "not a form": ("/v1/predict", b"--", FORM),
    "another type": ("/v1/predict", b"text", {"content-type": "text/plain"}),
    "another site": ("/v1/predict", picture_bytes(), {**JPEG, "origin": "https://elsewhere.example"}),
    "a stranger": ("/v1/predict", picture_bytes(), {**JPEG, "host": "leaves.example"}),
    "too long a key": ("/v1/predict", picture_bytes(), {**JPEG, "idempotency-key": "k" * 300}),
    "too much": ("/v1/predict", b"x" * 3_000_000, JPEG),
}
OF_THE_MOMENT = {"request_id", "id", "timing_ms"}


def plain(said: Any) -> Any:
    """Without what is different in every answer."""
    if isinstance(said, dict):
        return {name: plain(value) for name, value in said.items() if name not in OF_THE_MOMENT}
    return [plain(one) for one in said] if isinstance(said, list) else said


@pytest.mark.parametrize("name", WAYS)
def test_both_ways_answer_alike(
    name: str, start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, content, headers = WAYS[name]
    service = start(max_image_bytes=2_000_000)
    calls: list[str] = []
    monkeypatch.setattr(
        short_way, "predict", lambda request: calls.append("short") or predicting.predict(request)
    )
    short = service.post(path, content=content, headers={**headers, "x-request-id": "one"})
    monkeypatch.setattr(short_way, "PATH", "/nowhere")
    long = service.post(path, content=content, headers={**headers, "x-request-id": "one"})
    assert calls == ["short"]
    assert (short.status_code, plain(short.json())) == (long.status_code, plain(long.json()))
    lengths = {"content-length": ""}  # of times
    assert {**short.headers, **lengths} == {**long.headers, **lengths}


def test_it_is_counted_under_its_route(service: TestClient) -> None:
    service.post("/v1/predict", content=picture_bytes(), headers=JPEG)
    counted = service.get("/metrics").text
    assert 'leafsight_requests_total{method="POST",route="/v1/predict",status="200"} 1.0' in counted


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_go_the_long_way(service: TestClient, method: str) -> None:
    answer = service.request(method, "/v1/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_what_goes_wrong_inside_says_nothing_of_itself(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(request: Any) -> Any:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(short_way, "predict", broken)
    answer = service.post("/v1/predict", content=picture_bytes(), headers=JPEG)
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    assert "1234" not in answer.text
