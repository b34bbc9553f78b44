"""A job followed to its end: by events, by polling, and over lines that break."""

from __future__ import annotations

import json

import pytest
from tests.client.contract_server import ContractServer, answer, hang_up, keep_contract, plain_job

from leafsight.errors import NotFoundError, RemoteError, UsageError

EVENTS = "text/event-stream"


def states(client, **options) -> list[str]:
    return [job.state for job in client.follow("j1", **options)]


def test_by_events_each_state_comes_once(ask, told, server: ContractServer) -> None:
    server.jobs["j1"] = ["queued", "queued", "running", "running", "done"]
    assert states(ask(server.url)) == ["queued", "running", "done"]
    assert [asked.path for asked in server.asked] == ["/v1/jobs/j1", "/v1/jobs/j1/events"]
    assert told.waited == []


def test_without_events_it_is_asked_for_now_and_then(ask, told, server: ContractServer) -> None:
    server.jobs["j1"], server.events = ["queued", "running", "running", "running", "running", "failed"], False
    assert states(ask(server.url), poll_s=0.5) == ["queued", "running", "failed"]
    assert told.waited == [0.5] * 5
    assert sum(asked.path.endswith("/events") for asked in server.asked) == 3


def test_a_finished_job_is_not_listened_to(ask, server: ContractServer) -> None:
    server.jobs["j1"] = ["cancelled"]
    assert states(ask(server.url)) == ["cancelled"]
    assert len(server.asked) == 1


def test_a_line_that_breaks_is_opened_again_where_it_was(ask, told, server: ContractServer) -> None:
    running = json.dumps(plain_job("j1", "running")).encode()
    server.jobs["j1"] = ["running", "running", "done"]
    server.script = [keep_contract, answer(200, b"id: 7\ndata: " + running + b"\n\n", EVENTS), hang_up]
    assert states(ask(server.url)) == ["running", "done"]
    assert told.waited[0] == 1.0
    listened = [asked.headers.get("last-event-id") for asked in server.asked if "events" in asked.path]
    assert listened[:2] == [None, "7"]


def test_a_job_that_nobody_knows(ask, server: ContractServer) -> None:
    with pytest.raises(NotFoundError):
        states(ask(server.url))


def test_it_ends_when_the_time_is_over(ask, told, server: ContractServer) -> None:
    server.jobs["j1"], server.events = ["running"], False
    with pytest.raises(RemoteError, match="is not finished after 5 s: it is running") as caught:
        states(ask(server.url), timeout_s=5.0)
    assert "goes on" in caught.value.hint
    assert sum(told.waited) == 5.0


@pytest.mark.parametrize(
    "data", [b"{", b'{"state": "dancing", "id": "j1"}', b'{"state": 3}', b'{"state": "done", "id": "j2"}']
)
def test_events_that_lie(ask, server: ContractServer, data: bytes) -> None:
    server.jobs["j1"] = ["running"]
    server.script = [keep_contract, answer(200, b"data: " + data + b"\n\n", EVENTS)]
    with pytest.raises(RemoteError):
        states(ask(server.url))


def test_a_follower_may_leave_early(ask, server: ContractServer) -> None:
    server.jobs["j1"] = ["queued", "running", "done"]
    client = ask(server.url)
    assert next(iter(client.follow("j1"))).state == "queued"
    assert client.health()["status"] == "alive"


@pytest.mark.parametrize("options", [{"poll_s": 0.0}, {"poll_s": -1.0}, {"timeout_s": 0.0}])
def test_times_that_are_not_possible(ask, server: ContractServer, options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        states(ask(server.url), **options)
