"""Who may see what, what is read of those who may not, and answers that say exactly what is wrong."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.service.test_access import make_key

from leafsight.errors import StateBusyError
from leafsight.service import jobs_routes

JPEG = {"content-type": "image/jpeg"}
NOBODY = "0" * 32


def slug(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_one_key_does_not_see_the_jobs_of_another(service: TestClient) -> None:
    mine, other, admin = (make_key(service, scope) for scope in ("upload", "upload", "admin"))
    said = service.post("/v1/uploads", content=picture_bytes(), headers={**mine, **JPEG}).json()
    for path in (f"/v1/jobs/{said['job']}", f"/v1/uploads/{said['id']}"):
        statuses = [service.get(path, headers=header).status_code for header in (mine, other, admin)]
        assert statuses == [200, 404, 200]
    assert service.get(f"/v1/jobs/{said['job']}/events", headers=other).status_code == 404
    assert service.delete(f"/v1/jobs/{said['job']}", headers=mine).status_code == 403


def test_who_was_refused_is_written_down_and_the_key_is_not(
    service: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    make_key(service, "predict")
    secret = "ls_" + "0" * 32 + "_" + "s" * 43
    with caplog.at_level("DEBUG"):
        answer = service.get("/v1/conditions?secret=query", headers={"authorization": f"Bearer {secret}"})
        assert slug(answer)[0] == 401
        service.get("/v1/about")
    fields = [record.fields for record in caplog.records if record.getMessage() == "request"]  # type: ignore[attr-defined]
    assert [(one["status"], one.get("client")) for one in fields] == [(401, "127.0.0.1"), (200, None)]
    assert fields[0]["request_id"] == answer.headers["x-request-id"]
    told = json.dumps(fields) + answer.text
    assert secret not in told
    assert "query" not in told


def test_uploads_count_against_the_allowance_of_a_day(service: TestClient) -> None:
    header = {**make_key(service, "upload", photographs_per_day=2), **JPEG}
    statuses = [
        service.post("/v1/uploads", content=picture_bytes(), headers=header).status_code for _ in range(3)
    ]
    assert statuses == [202, 202, 429]


@pytest.mark.parametrize(
    "inside", ["", "\x00", "../../etc/passwd", "' OR 1=1 --", "z" * 32, "0" * 31, "0" * 65]
)
def test_a_cursor_that_was_not_ours_is_refused(service: TestClient, inside: str) -> None:
    cursor = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    for path in ("/v1/predictions", "/v1/models", "/v1/jobs"):
        assert slug(service.get(path, params={"after": cursor}))[0] == 400


@pytest.mark.parametrize(
    "query", ["plant_id=a%00b", "plant_id=a%0ab", "plant_id=%1b[31m", "plant_id=" + "a" * 101]
)
def test_names_of_plants_are_one_plain_line(service: TestClient, query: str) -> None:
    answer = service.post(f"/v1/predict?{query}", content=picture_bytes(), headers=JPEG)
    assert slug(answer) == (422, "validation")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"right": true, "note": "a\\u0000b"}', "application/json", 422),
        (b'{"right": true, "note": "\\ud800"}', "application/json", 422),
        (b'{"right": true, "class": "a\\nb"}', "application/json", 422),
        (b"[" * 50_000, "application/json", 422),
        (b"", "application/json", 422),
        (b"\xff", "application/json", 422),
        (b'{"right": true}', "text/plain", 415),
        (b'{"right": true}', "application/x-www-form-urlencoded", 415),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_corrections_that_are_none(service: TestClient, body: bytes, kind: str, status: int) -> None:
    """Other types than JSON are also what a page of another site could send without being asked."""
    answer = service.post(
        f"/v1/predictions/{NOBODY}/correction", content=body, headers={"content-type": kind}
    )
    assert slug(answer)[0] == status


def test_a_method_that_is_not_there_names_those_that_are(service: TestClient) -> None:
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE"):
        answer = service.request(method, f"/v1/jobs/{NOBODY}")
        assert slug(answer) == (405, "method-not-allowed")
        assert answer.headers["allow"] == "DELETE, GET"


def test_only_so_many_follow_jobs(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_routes, "MOST_FOLLOWERS", 0)
    job = service.post("/v1/uploads", content=picture_bytes(), headers=JPEG).json()["job"]
    answer = service.get(f"/v1/jobs/{job}/events")
    assert slug(answer) == (503, "overload")
    assert answer.headers["retry-after"]


def test_following_a_job_outlasts_a_busy_database(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_routes, "LOOK_S", 0.0)
    job = service.post("/v1/uploads", content=picture_bytes(), headers=JPEG).json()["job"]
    parts = service.app.state.parts  # type: ignore[attr-defined]
    kind, looks = type(parts.state.jobs), []
    real = kind.get

    def busy_at_first(self: Any, one: str) -> Any:
        looks.append(one)
        if len(looks) in (2, 3):
            raise StateBusyError("locked")
        if len(looks) == 4:
            self.cancel(one)
        return real(self, one)

    monkeypatch.setattr(kind, "get", busy_at_first)
    answer = service.get(f"/v1/jobs/{job}/events")
    assert '"state": "cancelled"' in answer.text
    assert parts.lifecycle.followers == 0


def test_a_sender_who_leaves_is_forgotten(service: TestClient) -> None:
    """Held bytes go down again, whatever became of the request."""
    lifecycle = service.app.state.lifecycle  # type: ignore[attr-defined]
    for content, kind in (
        (picture_bytes(), "image/jpeg"),
        (b"x" * 100, "text/html"),
        (b"[", "application/json"),
    ):
        service.post("/v1/predict", content=content, headers={"content-type": kind})
    asyncio.run(asyncio.sleep(0))
    assert (lifecycle.held_bytes, lifecycle.in_flight) == (0, 0)


def test_who_only_looks_whether_it_lives_fills_no_log(
    service: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        for path in ("/healthz", "/readyz", "/v1/about"):
            assert service.get(path).status_code == 200
    written = [
        vars(record)["fields"]["path"] for record in caplog.records if record.getMessage() == "request"
    ]
    assert written == ["/v1/about"]


def test_that_it_was_not_ready_is_written_down(service: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    service.app.state.lifecycle.draining = True  # type: ignore[attr-defined]
    with caplog.at_level("DEBUG"):
        assert service.get("/readyz").status_code == 503
    fields = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "request"]
    assert [(one["path"], one["status"]) for one in fields] == [("/readyz", 503)]
