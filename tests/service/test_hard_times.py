"""The database locked, the disk full, the object store gone, the clock set back, a model file damaged."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import GREEN, RED, write_tiny_bundle
from tests.service.running import running_service
from tests.service.test_access import make_key

from leafsight.errors import StateBusyError, StateError, StateFullError

JPEG = {"content-type": "image/jpeg"}
HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def predict(service: TestClient, query: str = "", **headers: str) -> dict[str, Any]:
    answer = service.post(f"/v1/predict{query}", content=picture_bytes(RED), headers={**JPEG, **headers})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def first(service: TestClient, query: str = "", **headers: str) -> dict[str, Any]:
    one: dict[str, Any] = predict(service, query, **headers)["predictions"][0]
    return one


def parts_of(service: TestClient) -> Any:
    return service.app.state.parts  # type: ignore[attr-defined]


def said_busy(answer: Any) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["type"].endswith("/state-busy")
    assert answer.json()["hint"]
    assert int(answer.headers["retry-after"]) >= 1


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        assert holder.stdin is not None
        holder.stdin.close()


@pytest.mark.slow
def test_a_locked_database_costs_no_answer_and_no_correction_silently(
    service: TestClient, tmp_path: Path
) -> None:
    before = first(service)["id"]
    path, body = f"/v1/predictions/{before}/correction", {"right": False, "note": "seen under the lens"}
    with locked(tmp_path / "leafsight.db"):
        answers = [first(service) for _ in range(4)]
        assert [(one["verdict"], one["recorded"], one["id"]) for one in answers] == [
            ("diagnosis", False, None)
        ] * 4
        said_busy(service.post(path, json=body))
        said_busy(service.post(path, json=body, headers={"idempotency-key": "k"}))
        said_busy(service.post("/v1/uploads", content=picture_bytes(RED), headers=JPEG))
        assert service.get(f"/v1/predictions/{before}").status_code == 200
        assert service.get("/readyz").status_code == 200
    assert service.post(path, json=body, headers={"idempotency-key": "k"}).status_code == 201
    assert len(service.get(f"/v1/predictions/{before}").json()["corrections"]) == 1
    assert b"leafsight_predictions_unrecorded_total 4.0" in service.get("/metrics").content
    parts_of(service).recorder._busy_until = 0  # what two seconds do
    assert first(service)["recorded"]


def test_an_allowance_that_cannot_be_counted_is_not_given(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StateBusyError("the database is locked", hint="try again")

    limited = make_key(service, "predict", rate_per_minute=100)
    free = make_key(service, "predict")
    state = parts_of(service).state
    monkeypatch.setattr(type(state.usage), "count", busy)
    monkeypatch.setattr(type(state.predictions), "add_many", busy)
    said_busy(service.post("/v1/predict", content=picture_bytes(RED), headers={**JPEG, **limited}))
    assert first(service, **free)["recorded"] is False
    parts_of(service).access._known.clear()
    monkeypatch.setattr(type(state.keys), "verify", busy)
    said_busy(service.get("/v1/conditions", headers=free))


def test_what_was_done_is_answered_although_its_key_cannot_be_kept(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock may come between the work and the key."""
    one, answers = first(service)["id"], type(parts_of(service).state.answers)

    def busy(*_: object, **__: object) -> None:
        raise StateBusyError("the database is locked", hint="try again")

    for name in ("finish", "forget"):
        monkeypatch.setattr(answers, name, busy)
    headers, path = {"idempotency-key": "k"}, f"/v1/predictions/{one}/correction"
    assert service.post(path, json={"right": True}, headers=headers).status_code == 201
    unknown = service.post(
        path.replace(one, "0" * 32), json={"right": True}, headers={"idempotency-key": "l"}
    )
    assert unknown.status_code == 404  # its own reason, not that of the key


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (StateBusyError("the store does not answer"), 503, "1"),
        (StateFullError("the disk is full"), 503, "10"),
        (StateError("damaged"), 500, None),
    ],
)
def test_a_store_that_takes_nothing_costs_the_copy_not_the_answer(
    service: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    error: StateError,
    status: int,
    retry_after: str | None,
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(parts_of(service).blobs), "put", refuse)
    one = first(service, "?store=true")
    assert (one["verdict"], one["recorded"], one["stored"]) == ("diagnosis", True, False)
    upload = service.post("/v1/uploads", content=picture_bytes(RED), headers=JPEG)
    assert (upload.status_code, upload.headers["content-type"]) == (status, "application/problem+json")
    assert upload.headers.get("retry-after") == retry_after
    assert service.get("/v1/jobs").json()["jobs"] == []


def test_a_full_disk_under_the_blobs_is_told(service: TestClient, tmp_path: Path) -> None:
    """A file in the place of the folder: whatever the system says, it ends in a problem."""
    folder = tmp_path / "blobs"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    if folder.is_dir():
        folder.rmdir()
    folder.write_bytes(b"")
    answer = service.post("/v1/uploads", content=picture_bytes(RED), headers=JPEG)
    assert answer.status_code >= 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert first(service, "?store=true")["stored"] is False


def test_a_clock_that_goes_back_does_not_disturb_the_order(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, back = time.time_ns, [0]
    monkeypatch.setattr(time, "time_ns", lambda: real() - back[0])
    service = start()
    ids = []
    for hours in (0, 2, 1, 3):
        back[0] = hours * 3_600_000_000_000
        ids.append(first(service)["id"])
    assert ids == sorted(ids)
    listed = [one["id"] for one in service.get("/v1/predictions").json()["predictions"]]
    assert listed == ids[::-1]
    headers = {"idempotency-key": "k"}
    again = []
    for hours in (3, 30):
        back[0] = hours * 3_600_000_000_000
        again.append(first(service, **headers)["id"])
    assert again[0] == again[1]
    key = make_key(service, "predict", rate_per_minute=1)
    back[0] = 31 * 3_600_000_000_000
    statuses = [service.get("/v1/conditions", headers=key) for _ in range(2)]
    assert [one.status_code for one in statuses] == [200, 429]
    assert 1 <= int(statuses[1].headers["retry-after"]) <= 60


def test_two_services_share_one_database(start: Callable[..., TestClient]) -> None:
    services = [start(), start()]
    found: list[dict[str, Any]] = []

    def many(service: TestClient) -> None:
        found.extend(first(service) for _ in range(15))

    threads = [threading.Thread(target=many, args=(one,)) for one in services for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 60
    assert all(one["recorded"] for one in found)
    listed = services[0].get("/v1/predictions?limit=200").json()["predictions"]
    assert sorted(one["id"] for one in listed) == sorted(one["id"] for one in found)
    headers = {**JPEG, "idempotency-key": "k"}
    both = [one.post("/v1/predict", content=picture_bytes(RED), headers=headers) for one in services]
    assert both[0].json() == both[1].json()


@pytest.mark.slow
def test_two_services_in_two_processes_start_on_one_new_database(tmp_path: Path, colour_model: Path) -> None:
    with (
        running_service(tmp_path / "state", colour_model) as one,
        running_service(tmp_path / "state", colour_model) as other,
    ):
        photo = picture_bytes(RED)
        head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
        request = head + b"Content-Length: %d\r\n\r\n" % len(photo) + photo
        answers = [json.loads(service.ask(request).body) for _ in range(10) for service in (one, other)]
        ids = {answer["predictions"][0]["id"] for answer in answers}
        listed = json.loads(one.get("/v1/predictions").body)["predictions"]
        assert {entry["id"] for entry in listed} == ids
        assert (one.end(), other.end()) == (0, 0)


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("damage", ["gone", "truncated", "altered"])
def test_a_model_file_that_is_damaged_after_its_promotion(
    start: Callable[..., TestClient], tmp_path: Path, damage: str
) -> None:
    """What is in service goes on; the damage is told; another promotion helps."""
    service = start(model=None)
    registry = parts_of(service).registry
    entry = registry.add(write_tiny_bundle(tmp_path / "new.leafsight"))
    registry.promote(entry.hash, reason="test")
    wait_until(lambda: service.get("/readyz").json()["model"] == entry.hash)
    path = registry.path(entry)
    path.chmod(0o600)
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        half = len(data) // 2
        path.write_bytes(data[:half] if damage == "truncated" else data[:half] + b"!!!!" + data[half + 4 :])
    assert first(service)["key"] == "apple/scab"
    assert service.get("/v1/models").status_code == 200
    details = service.get(f"/v1/models/{entry.hash}")
    assert details.status_code >= 400
    assert details.headers["content-type"] == "application/problem+json"
    assert details.json()["hint"]
    assert "Traceback" not in details.text
    registry.promote("builtin", reason="test")
    wait_until(lambda: service.get("/readyz").json()["model"] != entry.hash)


def test_a_promotion_of_a_damaged_file_is_not_taken(start: Callable[..., TestClient], tmp_path: Path) -> None:
    service = start(model=None, watch_s=3600.0)
    parts = parts_of(service)
    old = service.get("/readyz").json()["model"]
    entry = parts.registry.add(write_tiny_bundle(tmp_path / "new.leafsight"))
    parts.registry.promote(entry.hash, reason="test")
    path = parts.registry.path(entry)
    path.chmod(0o600)
    path.write_bytes(b"PK\x03\x04")
    assert not parts.model.look()
    assert service.get("/readyz").json()["model"] == old
    assert first(service)["recorded"]


def test_a_model_file_given_by_name_may_go_while_it_serves(
    start: Callable[..., TestClient], tmp_path: Path
) -> None:
    path = write_tiny_bundle(tmp_path / "mine.leafsight")
    service = start(model=path)
    path.unlink()
    answer = service.post("/v1/predict?heatmap=png", content=picture_bytes(GREEN), headers=JPEG)
    assert answer.json()["predictions"][0]["key"] == "apple/healthy"
    assert service.get("/v1/conditions").status_code == 200
