"""An upload that could not be looked into, for a reason that is not its own, is looked into again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from starlette.testclient import TestClient
from tests.fakes.made_archives import leaf_zip
from tests.fakes.pictures import picture_bytes
from tests.service.conftest import options_in
from tests.service.test_access import make_key
from tests.service.test_uploads import JPEG, looked_into, send

from leafsight.errors import StateBusyError
from leafsight.service import create_app
from leafsight.service.clerk import Clerk

ROUTE = "/v1/uploads/{id}/check"


def again(service: TestClient, upload: str, **headers: str) -> Any:
    return service.post(f"/v1/uploads/{upload}/check", headers=headers)


def failed(service: TestClient, monkeypatch: pytest.MonkeyPatch, **key: str) -> dict[str, Any]:
    """An upload whose job failed because the store was gone for longer than anybody waits."""
    parts = service.app.state.parts  # type: ignore[attr-defined]
    upload = send(service, picture_bytes(), JPEG, "?label=tomato/rust", **key)

    def gone(name: str) -> bytes:
        raise StateBusyError("the store does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(parts.blobs, "get", gone)
        assert Clerk(parts.state, parts.blobs, parts.options, lambda: False, patience_s=0.0).work_one()
    found: dict[str, Any] = service.get(f"/v1/uploads/{upload}", headers=key).json()
    assert (found["state"], found["job"]["state"]) == ("waiting", "failed")
    return found


@pytest.mark.slow
def test_a_failed_look_is_made_up_for(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = failed(service, monkeypatch)
    answer = again(service, upload["id"])
    assert answer.status_code == 202
    job = answer.json()
    assert (job["id"], job["state"], job["error"], job["progress"]) == (upload["id"], "queued", None, {})
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    found = looked_into(service, upload["id"])
    assert (found["state"], found["job"]["state"], found["job"]["error"]) == ("checked", "done", None)
    assert found["job"]["result"]["class_counts"] == {"tomato/rust": 1}


@pytest.mark.slow
def test_an_extra_that_was_missing_is_there_now(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = send(service, leaf_zip())
    with monkeypatch.context() as patch:
        patch.setattr("leafsight.service.job_work.find_spec", lambda name: None)
        assert looked_into(service, upload)["job"]["error"]["type"] == "missing-extra"
    assert again(service, upload).status_code == 202
    assert looked_into(service, upload)["state"] == "checked"


def test_what_was_found_may_be_looked_for_again_and_waits_meanwhile(service: TestClient) -> None:
    upload = send(service, picture_bytes(), JPEG)
    first = looked_into(service, upload)
    assert again(service, upload).json()["result"] is None
    assert service.get(f"/v1/uploads/{upload}").json()["state"] == "waiting"
    second = looked_into(service, upload)
    assert second["job"]["result"] == first["job"]["result"]
    assert second["state"] == first["state"] == "checked"


def test_what_was_left_out_is_still_said(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = service.app.state.parts  # type: ignore[attr-defined]
    upload = failed(service, monkeypatch)["id"]
    before = parts.state.jobs.get(upload).request
    again(service, upload)
    assert parts.state.jobs.get(upload).request == before


def test_a_cancelled_look_is_taken_up(service: TestClient) -> None:
    upload = send(service, picture_bytes(), JPEG)
    assert service.delete(f"/v1/jobs/{upload}").json()["state"] == "cancelled"
    assert again(service, upload).status_code == 202
    assert looked_into(service, upload)["state"] == "checked"


def test_while_one_runs_another_is_a_conflict(service: TestClient) -> None:
    parts = service.app.state.parts  # type: ignore[attr-defined]
    upload = send(service, picture_bytes(), JPEG)
    assert again(service, upload).status_code == 409
    held = parts.state.claims.claim(["check-upload"])
    answer = again(service, upload)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "conflict")
    assert parts.state.jobs.get(upload) == held, "nothing was changed"


def test_an_upload_without_a_job_gets_one(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = service.app.state.parts  # type: ignore[attr-defined]
    monkeypatch.setattr("leafsight.state.uploads.add_job", lambda *_: None)
    upload = send(service, picture_bytes(), JPEG)
    assert parts.state.jobs.get(upload) is None
    monkeypatch.undo()
    assert again(service, upload).status_code == 202
    assert looked_into(service, upload)["state"] == "checked"


def test_sent_again_with_its_key_it_is_the_same_answer(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = failed(service, monkeypatch)["id"]
    first, second = (again(service, upload, **{"idempotency-key": "k"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"


def test_an_upload_that_is_not_there_or_is_anothers(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert again(service, "0" * 32).status_code == 404
    mine, other, admin, predict = (
        make_key(service, scope) for scope in ("upload", "upload", "admin", "predict")
    )
    upload = send(service, picture_bytes(), JPEG, **mine)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    parts.state.jobs.cancel(upload)
    assert again(service, upload).status_code == 401
    assert again(service, upload, **predict).status_code == 403
    assert again(service, upload, **other).status_code == 404
    assert again(service, upload, **admin).status_code == 202
    assert again(service, upload, **mine).status_code == 409


def test_it_counts_as_a_photograph_of_the_day(start: Callable[..., TestClient]) -> None:
    service = start()
    key = make_key(service, "upload", photographs_per_day=2)
    upload = send(service, picture_bytes(), JPEG, **key)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    parts.state.jobs.cancel(upload)
    assert again(service, upload, **key).status_code == 202
    parts.state.jobs.cancel(upload)
    assert again(service, upload, **key).status_code == 429


def test_the_clerk_is_rung_for_it(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = failed(service, monkeypatch)["id"]
    rung: list[str] = []
    service.app.state.bell.hang(rung.append)  # type: ignore[attr-defined]
    again(service, upload)
    assert rung


def test_the_document_shows_an_answer_that_fits() -> None:
    document = create_app(options_in(Path("nowhere"))).openapi()
    answers = document["paths"][ROUTE]["post"]["responses"]
    assert {"202", "4XX"} <= set(answers)
    shown = answers["202"]["content"]["application/json"]
    schema = {**shown["schema"], "components": document["components"]}
    for example in shown["examples"].values():
        assert list(OAS31Validator(schema).iter_errors(example["value"])) == []
