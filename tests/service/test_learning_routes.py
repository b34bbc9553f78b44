"""Retraining, promotion, rollback and the watch over HTTP; what trains is not started here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.tiny_bundle import tiny_onnx, tiny_weights, write_tiny_bundle
from tests.service.contributed import parts_of

from leafsight.errors import StateBusyError
from leafsight.state import JobRecord, new_id


@pytest.fixture
def service(start: Callable[..., TestClient]) -> TestClient:
    """It follows the registry."""
    return start(model=None)


@pytest.fixture
def models(service: TestClient, tmp_path: Path) -> list[str]:
    """Two models in the registry, not promoted."""
    return [add_model(service, tmp_path / f"{seed}.leafsight", seed) for seed in (1, 2)]


def add_model(service: TestClient, file: Path, seed: int) -> str:
    write_tiny_bundle(file, network=tiny_onnx(tiny_weights(seed)), provenance={"seed": seed})
    return parts_of(service).registry.add(file).hash


def ended(service: TestClient, **result: Any) -> str:
    """A retraining that ended so."""
    state = parts_of(service).state
    now_ms = state.now()
    job = JobRecord(
        id=new_id(), kind="retraining", state="done", created_ms=now_ms, updated_ms=now_ms,
        request={"path": "quick", "why": "hand", "by": "somebody", "reason": "a new crop"}, result=result,
    )  # fmt: skip
    state.jobs.add(job)
    return job.id


def detail(answer: Any) -> str:
    said: str = answer.json()["detail"]
    return said


def test_a_retraining_waits_for_its_turn_and_is_asked_for_once(service: TestClient) -> None:
    first = service.post("/v1/retraining", json={"path": "quick", "reason": "a new crop"})
    assert first.status_code == 202
    job = first.json()["job"]
    assert first.headers["location"] == f"/v1/jobs/{job}"
    assert service.post("/v1/retraining", json={"path": "quick"}).json()["job"] == job
    assert service.post("/v1/retraining", json={"path": "full"}).json()["job"] != job
    listed = service.get("/v1/retraining").json()
    shown = [(one["path"], one["state"], one["why"], one["by"]) for one in listed["retrainings"]]
    assert shown == [
        ("full", "queued", "hand", "this computer"),
        ("quick", "queued", "hand", "this computer"),
    ]
    found = service.get(f"/v1/retraining/{job}").json()
    assert (found["reason"], found["gate"], found["snapshot"]) == ("a new crop", None, None)
    cancelled = service.delete(f"/v1/jobs/{job}")
    assert cancelled.json()["state"] == "cancelled"
    assert service.get(f"/v1/retraining/{job}").json()["state"] == "cancelled"


def test_while_one_runs_another_may_wait(service: TestClient) -> None:
    state = parts_of(service).state
    first = service.post("/v1/retraining", json={"path": "quick"}).json()["job"]
    assert state.claims.claim(["retraining"], alone=True) is not None
    second = service.post("/v1/retraining", json={"path": "quick"}).json()["job"]
    assert second != first
    assert service.post("/v1/retraining", json={"path": "quick"}).json()["job"] == second
    assert state.claims.claim(["retraining"], alone=True) is None, "one at a time"


def test_a_page_of_retrainings_says_what_would_begin_one(start: Callable[..., TestClient]) -> None:
    service = start(retrain_after=100, retrain_every_h=24, retrain_on_drift=True)
    said = service.get("/v1/retraining").json()
    assert said["trigger"] == {"accepted_since": 0, "after": 100, "every_hours": 24, "on_drift": True}
    assert "remembers nothing" in said["paths"]["quick"]["why_not"], "the tiny model has no memory"
    assert "original photographs" in said["paths"]["full"]["why_not"]
    for _ in range(3):
        ended(service)
    first = service.get("/v1/retraining?limit=2").json()
    rest = service.get("/v1/retraining", params={"limit": 2, "after": first["next"]}).json()
    assert (len(first["retrainings"]), len(rest["retrainings"]), rest["next"]) == (2, 1, None)


def test_the_gate_and_its_report_are_shown(service: TestClient) -> None:
    job, blobs = ended(service, gate={"passed": True}), parts_of(service).blobs
    assert service.get(f"/v1/retraining/{job}/report").status_code == 404
    assert service.post(f"/v1/retraining/{job}/ticket").status_code == 404
    gate = {"passed": True, "said": "it is no worse", "checks": []}
    blobs.put(f"retrainings/{job}/gate.json", json.dumps(gate).encode())
    blobs.put(f"retrainings/{job}/gate.html", b"<!doctype html><title>The gate</title>")
    snapshot = {"hash": "ab", "rows": 500, "classes": ["a"]}
    blobs.put(f"retrainings/{job}/snapshot-summary.json", json.dumps(snapshot).encode())
    found = service.get(f"/v1/retraining/{job}").json()
    assert found["gate"] == gate
    assert found["snapshot"] == snapshot
    page = service.get(f"/v1/retraining/{job}/report")
    assert page.text.startswith("<!doctype html>")
    assert page.headers["content-security-policy"].startswith("sandbox ")
    url = service.post(f"/v1/retraining/{job}/ticket").json()["url"]
    parts_of(service).state.keys.make("somebody", ["predict"])
    parts_of(service).access._any = (-10.0, True)
    assert service.get(f"/v1/retraining/{job}/report").status_code == 401
    assert service.get(url).text == page.text
    other = ended(service)
    assert service.get(url.replace(job, other)).status_code == 403
    assert service.get(url[:-1] + ("0" if url[-1] != "0" else "1")).status_code == 403


def test_what_is_no_retraining_is_not_found(service: TestClient) -> None:
    state = parts_of(service).state
    other = JobRecord(
        id=new_id(), kind="report", state="done", created_ms=state.now(), updated_ms=state.now(), request={}
    )
    state.jobs.add(other)
    for one in (other.id, "0" * 32):
        for path in (f"/v1/retraining/{one}", f"/v1/retraining/{one}/report"):
            assert service.get(path).status_code == 404
        assert service.post(f"/v1/retraining/{one}/ticket").status_code == 404


def test_promotion_and_the_way_back(service: TestClient, models: list[str]) -> None:
    builtin = service.get("/v1/models/serving").json()["id"]
    done = service.post(f"/v1/models/{models[0]}/promote", json={"reason": "it knows okra"})
    assert done.status_code == 200, done.text
    change = done.json()
    assert (change["kind"], change["model"], change["former"]) == ("promote", models[0], builtin)
    assert (change["reason"], change["by"], change["alias"]) == ("it knows okra", "this computer", "serving")
    again = service.post(f"/v1/models/{models[0]}/promote", json={})
    assert again.json()["number"] == change["number"], "it serves already"
    second = service.post(f"/v1/models/{models[1][:12]}/promote", json={}).json()
    assert (second["model"], second["former"]) == (models[1], models[0])
    back = service.post("/v1/models/rollback", json={"reason": "too many doubts"}).json()
    assert (back["kind"], back["model"], back["reason"]) == ("rollback", models[0], "too many doubts")
    history = service.get("/v1/models/history").json()["changes"]
    assert [(one["kind"], one["model"]) for one in history] == [
        ("rollback", models[0]), ("promote", models[1]), ("promote", models[0]),
    ]  # fmt: skip
    assert service.post("/v1/models/rollback", json={}).json()["model"] == builtin
    assert service.post("/v1/models/rollback", json={"steps": 1}).status_code == 409
    assert service.get("/v1/models/history?alias=challenger").json() == {"changes": []}
    named = service.post(f"/v1/models/{models[1]}/promote", json={"alias": "challenger"}).json()
    assert named["alias"] == "challenger"
    assert service.get("/v1/models/challenger").json()["id"] == models[1]


def test_running_processes_take_it_up(
    service: TestClient, models: list[str], start: Callable[..., TestClient]
) -> None:
    import time

    other = start(model=None)
    service.post(f"/v1/models/{models[0]}/promote", json={})
    until = time.monotonic() + 30
    while any(one.get("/v1/about").json()["model"]["id"] != models[0] for one in (service, other)):
        assert time.monotonic() < until
        time.sleep(0.02)
    service.post("/v1/models/rollback", json={})
    while any(one.get("/v1/about").json()["model"]["id"] == models[0] for one in (service, other)):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_model_whose_gate_did_not_hold_needs_a_word(service: TestClient, models: list[str]) -> None:
    ended(service, candidate=models[0], gate={"passed": False, "said": "it loses 3 points on apple"})
    ended(service, candidate=models[1], gate={"passed": False, "said": "worse"})
    ended(service, candidate=models[1], gate={"passed": True, "said": "not worse"})
    refused = service.post(f"/v1/models/{models[0]}/promote", json={"reason": "trust me"})
    assert refused.status_code == 409
    assert "it loses 3 points on apple" in detail(refused)
    assert service.get("/v1/models/history").json()["changes"] == []
    done = service.post(f"/v1/models/{models[0]}/promote", json={"reason": "trust me", "override": True})
    assert done.json()["reason"] == "although its gate did not hold: trust me"
    assert service.post(f"/v1/models/{models[1]}/promote", json={}).status_code == 200, "it held one later"


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_gate_that_did_not_hold_counts_though_its_retraining_never_ended(
    service: TestClient, models: list[str], tmp_path: Path, state: str
) -> None:
    parts = parts_of(service)
    job = JobRecord(
        id=new_id(), kind="retraining", state=state, created_ms=1, updated_ms=1,  # type: ignore[arg-type]
        request={"path": "quick", "why": "hand", "by": "somebody", "reason": ""},
    )  # fmt: skip
    parts.state.jobs.add(job)
    parts.registry.add(tmp_path / "1.leafsight", f"retraining {job.id} by the quick path from 0; and so on")
    report = {"candidate": models[0], "passed": False, "said": "it loses 3 points on apple"}
    parts.blobs.put(f"retrainings/{job.id}/gate.json", json.dumps(report).encode())
    refused = service.post(f"/v1/models/{models[0]}/promote", json={})
    assert refused.status_code == 409, refused.text
    assert "it loses 3 points on apple" in detail(refused)
    assert service.post(f"/v1/models/{models[0]}/promote", json={"override": True}).status_code == 200


def test_a_promotion_that_could_not_be_watched_is_told_in_the_log(
    service: TestClient, models: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import leafsight.monitoring as monitoring

    def busy(*_: Any, **__: Any) -> Any:
        raise StateBusyError("the database is locked")

    monkeypatch.setattr(monitoring, "begin_watch", busy)
    assert service.post(f"/v1/models/{models[0]}/promote", json={}).status_code == 200
    assert "promoted, and not watched" in caplog.text


def test_what_was_promoted_is_watched_and_told(service: TestClient, models: list[str]) -> None:
    from leafsight.monitoring import alerts_now

    assert service.get("/v1/watch").json()["state"] == "none"
    for model in models:
        service.post(f"/v1/models/{model}/promote", json={})
    watch = service.get("/v1/watch").json()
    assert (watch["state"], watch["model"], watch["former"]) == ("watching", models[1], models[0])
    service.post(f"/v1/models/{models[0]}/promote", json={"alias": "challenger"})
    assert service.get("/v1/watch").json()["model"] == models[1]
    assert len(alerts_now(parts_of(service).state)["newest"]) == 3


def test_what_cannot_be_promoted(service: TestClient, models: list[str]) -> None:
    assert service.post("/v1/models/0123456789ab/promote", json={}).status_code == 404
    assert service.post(f"/v1/models/{models[0]}/promote", json={"alias": "Serving!"}).status_code == 422
    assert service.post(f"/v1/models/{models[0]}/promote", json={"alias": "builtin"}).status_code == 400
    assert service.post(f"/v1/models/{models[0]}/promote", content=b"{").status_code == 415
    file = parts_of(service).registry.path(parts_of(service).registry.get(models[0]))
    file.write_bytes(file.read_bytes()[:-100])
    broken = service.post(f"/v1/models/{models[0]}/promote", json={})
    assert (broken.status_code, broken.json()["type"].rpartition("/")[2]) == (500, "bundle-corrupt")
    assert service.get("/v1/models/history").json()["changes"] == []


def test_a_write_is_done_once(service: TestClient, models: list[str]) -> None:
    service.post(f"/v1/models/{models[0]}/promote", json={})
    service.post(f"/v1/models/{models[1]}/promote", json={})
    key = {"idempotency-key": "back"}
    first = service.post("/v1/models/rollback", json={}, headers=key)
    again = service.post("/v1/models/rollback", json={}, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert len(service.get("/v1/models/history").json()["changes"]) == 3


ADMIN = [
    ("GET", "/v1/retraining"), ("POST", "/v1/retraining"), ("GET", f"/v1/retraining/{'0' * 32}"),
    ("GET", f"/v1/retraining/{'0' * 32}/report"), ("POST", f"/v1/retraining/{'0' * 32}/ticket"),
    ("POST", "/v1/models/serving/promote"), ("POST", "/v1/models/rollback"), ("GET", "/v1/models/history"),
    ("GET", "/v1/watch"), ("POST", "/v1/contributions/decide"), ("POST", "/v1/classes/declared"),
    ("DELETE", "/v1/classes/declared/x"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ADMIN)
def test_deciding_is_for_admins(start: Callable[..., TestClient], method: str, path: str) -> None:
    service = start(admin_port=9)
    assert service.request(method, path).status_code == 404, "not on the port of everybody"
    service = start()
    _, secret = parts_of(service).state.keys.make("sender", ["predict", "upload"])
    answer = service.request(method, path, headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 403
