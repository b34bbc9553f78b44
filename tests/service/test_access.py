"""Who may ask: this computer while there are no keys, then keys with scopes and allowances."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import RED

from leafsight.errors import StateBusyError
from leafsight.service.guesses import ONE_MORE_S, TRIES

JPEG = {"content-type": "image/jpeg"}


def make_key(service: TestClient, *scopes: str, **allowances: Any) -> dict[str, str]:
    """A key as the header that it is sent in. What is remembered of keys is forgotten."""
    parts = service.app.state.parts  # type: ignore[attr-defined]
    allowances = {"rate_per_minute": None, "photographs_per_day": None, **allowances}
    _, secret = parts.state.keys.make("test", scopes, **allowances)
    parts.access._any = (-1e9, True)
    return {"authorization": f"Bearer {secret}"}


def test_without_keys_another_computer_is_refused(start: Callable[..., TestClient]) -> None:
    far = start(client=("192.0.2.7", 1234))
    answer = far.get("/v1/models")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "forbidden")
    assert "leafsight keys make" in answer.json()["hint"]
    assert far.get("/healthz").status_code == 200


def test_without_keys_another_name_of_this_computer_is_refused(service: TestClient) -> None:
    """A page of evil.example may let its own name point to 127.0.0.1; the browser then sends that name."""
    assert service.get("/v1/models", headers={"host": "evil.example"}).status_code == 403
    assert service.get("/v1/models", headers={"host": "127.0.0.1:8000"}).status_code == 200


def test_a_page_of_another_site_may_not_send_forms(service: TestClient) -> None:
    headers = {**JPEG, "origin": "https://evil.example"}
    assert service.post("/v1/predict", content=picture_bytes(RED), headers=headers).status_code == 403
    headers["origin"] = "http://localhost:8000"
    assert service.post("/v1/predict", content=picture_bytes(RED), headers=headers).status_code == 200


def test_no_other_site_is_told_that_it_may_read(service: TestClient) -> None:
    answer = service.options(
        "/v1/predict", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
    )
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("sent", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}])
def test_once_there_is_a_key_everybody_needs_one(service: TestClient, sent: dict[str, str]) -> None:
    make_key(service, "predict")
    answer = service.get("/v1/conditions", headers=sent)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_scopes(service: TestClient) -> None:
    predict, upload, admin = (make_key(service, scope) for scope in ("predict", "upload", "admin"))
    assert service.get("/v1/conditions", headers=predict).status_code == 200
    assert service.get("/v1/predictions", headers=predict).status_code == 403
    assert service.get("/metrics", headers=upload).status_code == 403
    assert service.get("/v1/predictions", headers=admin).status_code == 200
    assert service.get("/v1/conditions", headers=admin).status_code == 200


def test_a_revoked_key_is_refused(service: TestClient) -> None:
    header = make_key(service, "predict")
    assert service.get("/v1/conditions", headers=header).status_code == 200
    parts = service.app.state.parts  # type: ignore[attr-defined]
    parts.state.keys.revoke(parts.state.keys.list()[0].id)
    parts.access._known.clear()  # what a few seconds do
    make_key(service, "predict")
    assert service.get("/v1/conditions", headers=header).status_code == 401


def test_a_rate_is_kept_and_says_when_to_come_back(service: TestClient) -> None:
    header = make_key(service, "predict", rate_per_minute=3)
    answers = [service.get("/v1/conditions", headers=header) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_photographs_of_a_day_are_counted(service: TestClient) -> None:
    header = {**make_key(service, "predict", photographs_per_day=2), **JPEG}
    statuses = [
        service.post("/v1/predict", content=picture_bytes(RED), headers=header).status_code for _ in range(3)
    ]
    assert statuses == [200, 200, 429]


def test_one_key_does_not_see_what_another_asked(service: TestClient) -> None:
    mine, other, admin = (make_key(service, scope) for scope in ("predict", "predict", "admin"))
    said = service.post("/v1/predict", content=picture_bytes(RED), headers={**mine, **JPEG}).json()
    path = f"/v1/predictions/{said['predictions'][0]['id']}"
    assert [service.get(path, headers=header).status_code for header in (mine, other, admin)] == [
        200,
        404,
        200,
    ]
    assert service.post(f"{path}/correction", json={"right": True}, headers=other).status_code == 404


def wrong(service: TestClient, number: int) -> Response:
    key = f"Bearer ls_{'0' * 32}_{number:064x}"
    return service.get("/v1/conditions", headers={"authorization": key})


def test_whoever_guesses_keys_is_slowed_without_asking_the_database(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(service, "predict")
    parts = service.app.state.parts  # type: ignore[attr-defined]
    asked: list[str] = []
    verify = parts.state.keys.verify
    monkeypatch.setattr(parts.state.keys, "verify", lambda token: asked.append(token) or verify(token))
    answers = [wrong(service, number) for number in range(TRIES + 5)]
    assert [answer.status_code for answer in answers] == [401] * TRIES + [429] * 5
    assert 1 <= int(answers[-1].headers["retry-after"]) <= ONE_MORE_S
    assert len(asked) == TRIES


def test_guesses_at_once_are_bounded_like_those_one_by_one(service: TestClient) -> None:
    make_key(service, "predict")
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda number: wrong(service, number).status_code, range(40)))
    assert statuses.count(401) == TRIES


def test_a_key_that_worked_before_goes_on_while_a_neighbour_guesses(service: TestClient) -> None:
    known, new = make_key(service, "predict"), make_key(service, "predict")
    assert service.get("/v1/conditions", headers=known).status_code == 200
    for number in range(TRIES + 1):
        wrong(service, number)
    access = service.app.state.parts.access  # type: ignore[attr-defined]
    access._known = {name: (when - 60, key) for name, (when, key) in access._known.items()}  # a minute later
    assert service.get("/v1/conditions", headers=known).status_code == 200
    assert service.get("/v1/conditions", headers=new).status_code == 429  # has to wait: it looks like a guess


def test_a_revoked_key_is_a_guess_like_any_other(service: TestClient) -> None:
    header = make_key(service, "predict")
    make_key(service, "predict")
    assert service.get("/v1/conditions", headers=header).status_code == 200
    parts = service.app.state.parts  # type: ignore[attr-defined]
    parts.state.keys.revoke(min(parts.state.keys.list(), key=lambda one: one.id).id)
    parts.access._known = {name: (when - 60, key) for name, (when, key) in parts.access._known.items()}
    statuses = [service.get("/v1/conditions", headers=header).status_code for _ in range(TRIES + 2)]
    assert statuses == [401] * TRIES + [429] * 2


def test_asking_without_a_key_is_no_guess(service: TestClient) -> None:
    header = make_key(service, "predict")
    for _ in range(3 * TRIES):
        assert service.get("/v1/conditions").status_code == 401
    assert service.get("/v1/conditions", headers=header).status_code == 200


def test_valid_keys_are_no_guesses_however_many(service: TestClient) -> None:
    headers = [make_key(service, "predict") for _ in range(TRIES + 5)]
    assert {service.get("/v1/conditions", headers=header).status_code for header in headers} == {200}


def test_a_database_that_does_not_answer_makes_no_key_wrong(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = make_key(service, "predict")
    parts = service.app.state.parts  # type: ignore[attr-defined]
    assert service.get("/healthz").status_code == 200

    def busy(token: str) -> None:
        raise StateBusyError("locked")

    with monkeypatch.context() as patch:
        patch.setattr(parts.state.keys, "verify", busy)
        statuses = {service.get("/v1/conditions", headers=header).status_code for _ in range(TRIES + 2)}
    assert statuses == {503}
    assert service.get("/v1/conditions", headers=header).status_code == 200


def test_no_guess_is_written_down(service: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    make_key(service, "predict")
    with caplog.at_level("DEBUG"):
        for number in range(TRIES + 2):
            wrong(service, number)
    assert caplog.records
    assert "ls_" not in "".join(str(vars(record)) for record in caplog.records if record.name != "httpx2")


METRICS_KEY = "counters-" + "0" * 32


def test_the_key_for_counters_opens_them_and_nothing_else(start: Callable[..., TestClient]) -> None:
    service = start(client=("192.0.2.7", 1234), metrics_key=METRICS_KEY)
    header = {"authorization": f"Bearer {METRICS_KEY}"}
    assert service.get("/metrics").status_code == 403  # there are no keys: this computer only
    make_key(service, "predict")
    assert service.get("/metrics", headers=header).status_code == 200
    for path in ("/v1/load", "/v1/predictions", "/v1/conditions"):
        assert service.get(path, headers=header).status_code == 401
    for wrong in (METRICS_KEY[:-1], METRICS_KEY + "0", "", "é"):
        refused = service.get("/metrics", headers={"authorization": f"Bearer {wrong}".encode()})
        assert refused.status_code == 401


def test_without_a_key_for_counters_an_empty_one_opens_nothing(service: TestClient) -> None:
    make_key(service, "predict")
    assert service.get("/metrics", headers={"authorization": "Bearer "}).status_code == 401


def test_counters_are_read_with_their_key_while_the_database_does_not_answer(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of the database could not be looked up, so Prometheus would not learn that it is away."""
    service = start(metrics_key=METRICS_KEY)
    header = make_key(service, "admin")
    parts = service.app.state.parts  # type: ignore[attr-defined]

    def away(*_: Any) -> Any:
        raise StateBusyError("away", hint="later")

    monkeypatch.setattr(parts.state, "check", away)
    monkeypatch.setattr(parts.state.keys, "verify", away)
    monkeypatch.setattr(parts.state.keys, "any", away)
    parts.access._any = (-1e9, True)
    assert service.get("/metrics", headers=header).status_code == 503
    answer = service.get("/metrics", headers={"authorization": f"Bearer {METRICS_KEY}"})
    assert answer.status_code == 200
    assert "leafsight_requests_total" in answer.text
