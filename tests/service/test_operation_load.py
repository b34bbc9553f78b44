"""Load: what two looks at the counters say, and what the route tells."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes

from leafsight.service.load import LOOK_S, Load, quantiles_ms, resident_bytes
from leafsight.service.metrics import Metrics

JPEG = {"content-type": "image/jpeg"}


class Clock:
    now_s = 500.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def load(metrics: Metrics, clock: Clock) -> Load:
    return Load(metrics, clock, lambda: int(clock.now_s * 1000))


def diagnoses(metrics: Metrics, many: int, seconds: float = 0.02, status: int = 200) -> None:
    for _ in range(many):
        metrics.request("POST", "/v1/predict", status, seconds)
        if status == 200:
            metrics.verdict("diagnosis")


def test_rates_are_those_of_the_last_minute(load: Load, metrics: Metrics, clock: Clock) -> None:
    load.look()
    diagnoses(metrics, 600)
    for _ in range(12):
        clock.now_s += LOOK_S
        load.look()
    diagnoses(metrics, 120)
    diagnoses(metrics, 30, 0.001, 503)
    diagnoses(metrics, 6, 0.5, 500)
    said = load.answer()
    assert said["window_s"] == 60.0
    assert said["per_second"] == {"requests": 2.6, "photographs": 2.0, "refused": 0.5, "failed": 0.1}
    assert said["totals"] == {"requests": 756, "photographs": 720, "refused": 30, "failed": 6}


def test_refused_and_failed_requests_do_not_make_diagnoses_look_quick(load: Load, metrics: Metrics) -> None:
    load.look()
    diagnoses(metrics, 10, 0.1)
    diagnoses(metrics, 1000, 0.001, 503)
    found = quantiles_ms(load.look().predict)
    assert 80 <= found["p50"] <= 120


def test_watching_is_no_load(load: Load, metrics: Metrics, clock: Clock) -> None:
    load.look()
    for route in ("/v1/load", "/v1/insight", "/metrics", "/healthz", "other", "/page/{name}"):
        metrics.request("GET", route, 200, 0.01)
    clock.now_s += 60
    assert load.answer()["per_second"]["requests"] == 0


def test_before_anything_happened(load: Load) -> None:
    said = load.answer()
    assert (said["window_s"], said["latency_ms"], said["series"]) == (0.0, {}, [])
    assert set(said["per_second"].values()) == {0.0}


def test_the_history_is_bounded_and_has_gaps_where_nothing_was_diagnosed(
    metrics: Metrics, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leafsight.service.load.SERIES", 6)
    load = Load(metrics, clock, lambda: int(clock.now_s * 1000))
    for at in range(20):
        if at % 2:
            diagnoses(metrics, 5, 0.03)
        load.look()
        load.look()  # somebody asks in between
        clock.now_s += LOOK_S
    series = load.answer()["series"]
    assert {bool(one["latency_ms"]) for one in series} == {True, False}
    assert [one["window_s"] for one in series] == [LOOK_S] * 6


def test_counters_that_went_back_are_no_negative_rate(load: Load, metrics: Metrics, clock: Clock) -> None:
    diagnoses(metrics, 10)
    first = load.look()
    first.requests["200"] += 100  # as if a file of counters was taken away
    clock.now_s += 60
    assert load.answer()["per_second"]["requests"] == 0.0


@pytest.mark.parametrize(
    ("cumulative", "said"),
    [
        ({}, {}),
        ({0.1: 0.0, float("inf"): 0.0}, {}),
        ({0.1: 100.0, 0.2: 100.0, float("inf"): 100.0}, {"p50": 50.0, "p95": 95.0, "p99": 99.0}),
        ({0.1: 50.0, 0.2: 100.0, float("inf"): 100.0}, {"p50": 100.0, "p95": 190.0, "p99": 198.0}),
        ({0.1: 0.0, 0.2: 0.0, float("inf"): 10.0}, {"p50": 200.0, "p95": 200.0, "p99": 200.0}),
    ],
)
def test_quantiles(cumulative: dict[float, float], said: dict[str, float]) -> None:
    assert quantiles_ms(cumulative) == pytest.approx(said)


def test_memory_is_a_number_of_bytes() -> None:
    found = resident_bytes()
    assert found is None or found > 2**20


def test_the_route_tells_of_this_service(service: TestClient) -> None:
    for _ in range(3):
        service.post("/v1/predict", content=picture_bytes(), headers=JPEG)
    said = service.get("/v1/load").json()
    assert said["totals"]["photographs"] == 3
    assert said["in_flight"] == 1
    assert said["health"] == {
        "ready": True,
        "database": {"ok": True, "said": "answers"},
        "store": {"ok": True, "said": "answers"},
        "jobs": {"ok": True, "said": "this server works them off"},
    }
    (process,) = said["processes"]
    assert (process["number"], process["model"]) == (1, said["model"]["hash"])
    assert set(said["versions"]) == {"leafsight", "python", "onnxruntime"}
    assert 0 <= said["uptime_s"] < 600


def test_a_store_that_does_not_answer_is_told(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight.errors import StateError

    def gone(*_: Any) -> None:
        raise StateError("the folder is gone")

    parts = service.app.state.parts  # type: ignore[attr-defined]
    monkeypatch.setattr(type(parts.blobs), "check", gone)
    said = service.get("/v1/load").json()["health"]
    assert said["store"] == {"ok": False, "said": "the folder is gone"}
    assert said["database"]["ok"]


def test_process_gauges_are_in_the_metrics(service: TestClient) -> None:
    service.get("/v1/load")
    text = service.get("/metrics").text
    for name in (
        "leafsight_requests_in_flight",
        "leafsight_process_memory_bytes",
        "leafsight_process_model",
        "leafsight_start_seconds",
        "leafsight_predict_seconds_bucket",
    ):
        assert name in text
