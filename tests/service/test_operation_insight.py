"""What the service tells of its predictions: counts, corrections, drift; looked up beside the work."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import GREY, RED
from tests.web.made_history import write_history

from leafsight.errors import OverloadError, StateBusyError
from leafsight.service.insight import FRESH_S, MOST_WAITING, Insights

JPEG = {"content-type": "image/jpeg"}


def predict(service: TestClient, colour: tuple[int, int, int] = RED, **query: Any) -> dict[str, Any]:
    sent = picture_bytes(colour)
    return dict(
        service.post("/v1/predict", content=sent, headers=JPEG, params=query).json()["predictions"][0]
    )


def test_before_the_first_photograph(service: TestClient) -> None:
    said = service.get("/v1/insight").json()
    assert (said["predictions"], said["shares"], said["hours"], said["newest_corrections"]) == (0, {}, [], [])
    assert said["stored_photographs"] == 0
    assert said["drift"]["state"] in ("too_few", "no_earlier_time")
    assert said["drift"]["measures"][0]["recent"]["photographs"] == 0


def test_shares_hours_and_stored_photographs(service: TestClient) -> None:
    for _ in range(3):
        predict(service, store=True)
    predict(service, GREY)
    said = service.get("/v1/insight").json()
    assert said["shares"] == {"diagnosis": 0.75, "not_a_leaf": 0.25}
    assert sum(sum(one["verdicts"].values()) for one in said["hours"]) == 4
    assert said["stored_photographs"] == 3


def test_the_newest_corrections_say_what_was_said_of_what(service: TestClient) -> None:
    one = predict(service)
    body = {"right": False, "class": "apple/healthy", "note": "seen under the lens"}
    service.post(f"/v1/predictions/{one['id']}/correction", json=body)
    service.post(f"/v1/predictions/{one['id']}/correction", json={"right": True})
    said = service.get("/v1/insight").json()
    newest, first = said["newest_corrections"]
    assert said["corrections"] == {"right": 1, "wrong": 1}
    assert (newest["right"], newest["class"]) == (True, None)
    assert (first["prediction"], first["key"], first["display"]) == (one["id"], one["key"], one["display"])
    assert (first["right"], first["class"], first["note"]) == tuple(body.values())


def test_drift_of_the_model_in_service(service: TestClient, tmp_path: Path) -> None:
    write_history(tmp_path, predict(service)["model_hash"])
    said = service.get("/v1/insight").json()["drift"]
    assert said["state"] == "drift"
    assert said["reference"]["photographs"] == 250
    assert said["reference"]["until_ms"] <= said["recent"]["from_ms"]
    assert {one["name"]: one for one in said["measures"]}["look"]["difference"]["large"]
    early = service.get("/v1/insight?recent_hours=48&reference_hours=24").json()["drift"]
    assert early["reference"]["photographs"] < 250


def test_another_models_predictions_are_not_compared(service: TestClient, tmp_path: Path) -> None:
    predict(service)
    write_history(tmp_path, "f" * 64)
    said = service.get("/v1/insight").json()
    assert said["predictions"] == 401
    assert said["drift"]["recent"]["photographs"] == 1
    assert said["drift"]["state"] == "no_earlier_time"


@pytest.mark.parametrize(
    "query", ["days=0", "days=367", "recent_hours=0", "reference_hours=9999", "recent_hours=x"]
)
def test_windows_that_cannot_be(service: TestClient, query: str) -> None:
    assert service.get(f"/v1/insight?{query}").status_code == 422


class Slow:
    """A state whose look takes until it is let go."""

    def __init__(self) -> None:
        self.go, self.looks, self.fails = threading.Event(), 0, False
        self.predictions = self.corrections = self

    def check(self) -> None:
        self.looks += 1
        self.go.wait(30)
        if self.fails:
            raise StateBusyError("locked")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def insights(slow: Slow) -> Any:
    made: Any = Insights(slow, slow, lambda: "model", lambda: 0, Clock())  # type: ignore[arg-type]
    yield made
    slow.go.set()
    made.close()


def test_many_who_look_at_once_cost_one_look(insights: Insights, slow: Slow) -> None:
    async def look() -> None:
        waiting = [asyncio.create_task(insights.health()) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(*waiting)

    asyncio.run(look())
    assert slow.looks == 2  # one of the database, one of the store


def test_no_endless_queue_of_those_who_look(insights: Insights, slow: Slow) -> None:
    async def look() -> None:
        waiting = [asyncio.create_task(insights.health()) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadError):
            await insights.health()
        slow.go.set()
        await asyncio.gather(*waiting)
        await insights.health()

    asyncio.run(look())


def test_what_was_found_is_kept_for_a_moment(slow: Slow) -> None:
    clock, counted = Clock(), [0]

    def count() -> int:
        counted[0] += 1
        return counted[0]

    insights = Insights(slow, slow, lambda: "model", lambda: 0, clock)  # type: ignore[arg-type]

    async def look() -> list[int]:
        found = []
        for now_s in (0.0, FRESH_S - 0.1, FRESH_S, FRESH_S + 1):
            clock.now_s = now_s
            found.append(await insights._fresh(("a",), FRESH_S, count))
        return found

    assert asyncio.run(look()) == [1, 1, 2, 2]
    insights.close()


def test_a_look_that_took_long_is_kept_for_long(slow: Slow) -> None:
    clock, counted = Clock(), [0]

    def count() -> int:
        counted[0] += 1
        clock.now_s += 3.0
        return counted[0]

    insights = Insights(slow, slow, lambda: "model", lambda: 0, clock)  # type: ignore[arg-type]

    async def look() -> list[int]:
        found = []
        for now_s in (0.0, 32.9, 33.0):
            clock.now_s = now_s
            found.append(await insights._fresh(("a",), FRESH_S, count))
        return found

    assert asyncio.run(look()) == [1, 1, 2]
    insights.close()


def test_predictions_are_kept_while_somebody_looks(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look has a thread and a connection of its own."""
    parts = service.app.state.parts  # type: ignore[attr-defined]
    began, go = threading.Event(), threading.Event()
    summary = parts.state.predictions.summary

    def slowly(since_ms: int) -> Any:
        began.set()
        assert go.wait(30)
        return summary(since_ms)

    monkeypatch.setattr(parts.state.predictions, "summary", slowly)
    looking = threading.Thread(target=service.get, args=("/v1/insight",))
    looking.start()
    assert began.wait(30)
    assert predict(service)["recorded"] is True
    go.set()
    looking.join(30)
