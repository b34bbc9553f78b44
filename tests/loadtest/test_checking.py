"""Nothing that was accepted is lost: or it is found to be."""

from __future__ import annotations

import pytest
from tests.loadtest.fake_server import FakeServer

from leafsight.loadtest import Running, checking
from leafsight.loadtest.asking import Address
from leafsight.loadtest.checking import find_lost
from leafsight.loadtest.outcomes import Outcome


def running(port: int) -> Running:
    address = Address("127.0.0.1", port)
    return Running((address,), (address,), "key", (), 0.0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PAUSE_S", 0.01)


def test_what_is_there_is_not_lost() -> None:
    with FakeServer() as server:
        server.kept = {"p1": {"id": "p1", "corrections": [{"id": "c1"}]}, "u1": {"id": "u1"}}
        rows = [
            Outcome("ok", 0, 0.1, ids=("p1",)),
            Outcome("ok", 0, 0.1, deed="correction", ids=("c1",), about="p1"),
            Outcome("ok", 0, 0.1, deed="upload", ids=("u1",)),
            Outcome("refused", 0, 0.1),
        ]
        found = find_lost(running(server.port), rows)
    assert found["checked"] == {"predictions": 1, "corrections": 1, "uploads": 1}
    assert found["lost"] == {"predictions": [], "corrections": [], "uploads": []}
    assert found["error"] == ""


def test_what_is_not_there_is_named() -> None:
    with FakeServer() as server:
        server.kept = {"p1": {"id": "p1", "corrections": []}}
        rows = [
            Outcome("ok", 0, 0.1, ids=("p1", "p2")),
            Outcome(
                "wrong", 0, 0.1, ids=("p3",)
            ),  # a wrong answer is a failure, but what it keeps must be there
            Outcome("ok", 0, 0.1, deed="correction", ids=("c1",), about="p1"),
            Outcome("ok", 0, 0.1, deed="upload", ids=("u9",)),
        ]
        found = find_lost(running(server.port), rows)
    assert found["lost"] == {"predictions": ["p2", "p3"], "corrections": ["c1"], "uploads": ["u9"]}


def test_a_service_that_cannot_be_asked_is_not_a_service_that_lost_nothing() -> None:
    with FakeServer() as server:
        port = server.port
    found = find_lost(running(port), [Outcome("ok", 0, 0.1, ids=("p1",))])
    assert found["lost"] is None
    assert "no answer" in found["error"]
