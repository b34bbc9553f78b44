"""The other routes: corrections, models, conditions, uploads, jobs, operation, and problems everywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import RED, write_tiny_bundle

JPEG = {"content-type": "image/jpeg"}
NOBODY = "0" * 32


def predicted(service: TestClient) -> str:
    said = service.post("/v1/predict", content=picture_bytes(RED), headers=JPEG).json()
    return str(said["predictions"][0]["id"])


def test_a_correction_is_kept_with_the_prediction(service: TestClient) -> None:
    one = predicted(service)
    body = {"right": False, "class": "tomato/late_blight", "note": "seen under the lens"}
    answer = service.post(f"/v1/predictions/{one}/correction", json=body)
    assert answer.status_code == 201
    (kept,) = service.get(f"/v1/predictions/{one}").json()["corrections"]
    assert (kept["id"], kept["right"], kept["class"], kept["note"]) == (answer.json()["id"], *body.values())


def test_a_correction_sent_twice_under_one_key_is_kept_once(service: TestClient) -> None:
    one = predicted(service)
    answers = [
        service.post(
            f"/v1/predictions/{one}/correction", json={"right": True}, headers={"idempotency-key": "a"}
        )
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len(service.get(f"/v1/predictions/{one}").json()["corrections"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"right": "perhaps"}, 422),
        ({"right": True, "extra": 1}, 422),
        ({"right": False, "note": "x" * 2001}, 422),
        ({"right": False, "class": "banana/unheard_of"}, 422),
        ([], 422),
    ],
)
def test_corrections_that_cannot_be_used(service: TestClient, body: Any, status: int) -> None:
    answer = service.post(f"/v1/predictions/{predicted(service)}/correction", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/predict", 405),
        ("GET", f"/v1/predictions/{NOBODY}", 404),
        ("GET", "/v1/predictions/..%2f..%2fetc", 404),
        ("GET", "/v1/predictions/xyz", 422),
        ("POST", f"/v1/predictions/{NOBODY}/correction", 415),
        ("GET", "/v1/predictions?limit=0", 422),
        ("GET", "/v1/predictions?limit=201", 422),
        ("GET", "/v1/predictions?after=%00", 400),
        ("GET", "/v1/models/nobody", 404),
        ("GET", f"/v1/jobs/{NOBODY}", 404),
        ("GET", f"/v1/jobs/{NOBODY}/events", 404),
        ("DELETE", f"/v1/jobs/{NOBODY}", 404),
        ("GET", f"/v1/uploads/{NOBODY}", 404),
        ("POST", "/v1/uploads", 415),
        ("GET", "/v1/insight?days=x", 422),
    ],
)
def test_every_failure_is_a_problem_document(
    service: TestClient, method: str, path: str, status: int
) -> None:
    answer = service.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["request_id"]) == (status, answer.headers["x-request-id"])
    assert problem["detail"]


def test_pages_follow_each_other_without_gaps(service: TestClient) -> None:
    made = [predicted(service) for _ in range(5)]
    seen, after = [], ""
    while True:
        page = service.get(f"/v1/predictions?limit=2{after}").json()
        seen += [one["id"] for one in page["predictions"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == made[::-1]


def test_models_and_conditions_say_what_is_served(start: Callable[..., TestClient]) -> None:
    service = start(model=None)
    (builtin,) = service.get("/v1/models").json()["models"]
    assert (builtin["serving"], builtin["builtin"]) == (True, True)
    details = service.get(f"/v1/models/{builtin['id']}").json()
    assert details["card"].startswith("#")
    assert len(details["labels"]) == builtin["classes"]
    conditions = service.get("/v1/conditions").json()["conditions"]
    assert [one["key"] for one in conditions] == [one["key"] for one in details["labels"]]
    assert any(one["card"] and one["card"]["sources"] for one in conditions)


def test_a_promoted_model_is_taken_into_service_without_a_restart(
    start: Callable[..., TestClient], tmp_path: Path
) -> None:
    service = start(model=None)
    registry = service.app.state.parts.registry  # type: ignore[attr-defined]
    old = service.get("/readyz").json()["model"]
    entry = registry.add(write_tiny_bundle(tmp_path / "new.leafsight"))
    registry.promote(entry.hash, reason="test")
    until = time.monotonic() + 20
    while service.get("/readyz").json()["model"] == old and time.monotonic() < until:
        time.sleep(0.02)
    said = service.post("/v1/predict", content=picture_bytes(RED), headers=JPEG).json()
    assert said["model"]["hash"] == entry.hash != old
    assert b"leafsight_model_swaps_total 1.0" in service.get("/metrics").content


def test_an_upload_is_kept_and_becomes_a_job(service: TestClient) -> None:
    body = b"PK\x05\x06" + bytes(18)
    answer = service.post("/v1/uploads", content=body, headers={"content-type": "application/zip"})
    assert answer.status_code == 202
    said = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{said['job']}"
    kept = service.get(f"/v1/uploads/{said['id']}").json()
    assert (kept["bytes"], kept["media_type"]) == (len(body), "application/zip")
    job = service.get(f"/v1/jobs/{said['job']}").json()
    assert (job["kind"], job["state"]) == ("check-upload", "queued")
    assert [one["id"] for one in service.get("/v1/jobs").json()["jobs"]] == [said["job"]]


def test_a_job_is_followed_until_it_ends(service: TestClient) -> None:
    headers = {"content-type": "application/zip"}
    job = service.post("/v1/uploads", content=b"PK\x05\x06" + bytes(18), headers=headers).json()["job"]
    assert service.delete(f"/v1/jobs/{job}").json()["state"] == "cancelled"
    answer = service.get(f"/v1/jobs/{job}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(event.removeprefix("data: "))["state"] == "cancelled"
    assert service.delete(f"/v1/jobs/{job}").json()["state"] == "cancelled"


def test_operation(service: TestClient) -> None:
    predicted(service)
    assert service.get("/healthz").json()["status"] == "alive"
    assert service.get("/readyz").json()["status"] == "ready"
    service.app.state.lifecycle.draining = True  # type: ignore[attr-defined]
    refused = service.get("/readyz")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    text = service.get("/metrics").text
    assert 'leafsight_verdicts_total{verdict="diagnosis"} 1.0' in text
    assert 'route="/v1/predict",status="200"' in text
    insight = service.get("/v1/insight").json()
    assert (insight["predictions"], insight["verdicts"]["diagnosis"]) == (1, 1)


def test_the_contract_is_openapi_and_loads_nothing_from_elsewhere(service: TestClient) -> None:
    document = service.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/v1/predict", "/v1/models", "/v1/jobs/{id}/events"} <= set(document["paths"])
    assert service.get("/docs").status_code == 404
