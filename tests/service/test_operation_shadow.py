"""A model in the shadow: it answers a share of the photographs, is never heard, and never delays anybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import RED, tiny_weights, write_tiny_bundle

from leafsight.errors import StateBusyError
from leafsight.monitoring import begin_watch
from leafsight.registry import open_registry
from leafsight.service import shadowing
from leafsight.service.metrics import Metrics
from leafsight.service.shadowing import MOST_BYTES, MOST_WAITING, Offered, Shadow

JPEG = {"content-type": "image/jpeg"}
Start = Callable[..., TestClient]


def until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def predict(service: TestClient) -> dict[str, Any]:
    answer = service.post("/v1/predict", content=picture_bytes(RED), headers=JPEG)
    assert answer.status_code == 200
    return dict(answer.json()["predictions"][0])


@pytest.fixture
def challenger(tmp_path: Path, colour_model: Path) -> str:
    """The serving model calls red scab, the challenger calls it healthy."""
    weights = tiny_weights(1)
    weights["dense_w"] = weights["dense_w"][[1, 0, 2, 3]]
    from tests.fakes.tiny_bundle import tiny_onnx

    registry = open_registry(tmp_path / "registry")
    registry.promote(registry.add(colour_model).hash)
    path = write_tiny_bundle(
        tmp_path / "challenger.leafsight", name="challenger", network=tiny_onnx(weights),
        cam_weight=weights["dense_w"], cam_bias=weights["dense_b"],
    )  # fmt: skip
    return registry.promote(registry.add(path).hash, "challenger").hash


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadowing, "LOOK_S", 0.02)
    monkeypatch.setattr(shadowing, "AFTER_S", 0.0)


def test_the_challenger_answers_too_and_nobody_hears_it(start: Start, challenger: str) -> None:
    service = start(model=None, shadow_percent=100)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    assert until(lambda: parts.model.shadow)
    said = predict(service)
    assert said["key"] == "apple/scab"
    found = until(lambda: parts.state.shadows.of([said["id"]], challenger))
    assert found[said["id"]].class_key == "apple/healthy"
    insight = parts.insights._shadow()
    assert (insight["model"], insight["compared"], insight["same"]) == (challenger, 1, 0)
    assert insight["said"] == "challenger answered 1 photographs of the last day, too; 100.0% otherwise."
    assert 'leafsight_shadow_answers_total{outcome="answered"} 1.0' in service.get("/metrics").text


def test_without_a_share_there_is_neither_thread_nor_second_model(start: Start, challenger: str) -> None:
    service = start(model=None)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    predict(service)
    assert parts.model.shadow is None
    assert "shadow" not in {thread.name for thread in threading.enumerate()}
    assert service.get("/v1/insight").json()["shadow"] is None


def test_no_challenger_no_shadow_and_it_comes_and_goes_with_the_alias(start: Start, challenger: str) -> None:
    service = start(model=None, shadow_percent=100)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    assert until(lambda: parts.model.shadow)
    parts.registry.promote(challenger)  # now both aliases point to it
    assert until(lambda: parts.model.shadow is None)


def test_in_a_watch_the_former_champion_answers(start: Start, challenger: str) -> None:
    service = start(model=None, shadow_percent=100)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    change = parts.registry.promote(challenger)
    begin_watch(
        parts.state, model_hash=change.hash, former=change.former, minutes=60, now_ms=parts.now_ms(),
        change=change.number,
    )  # fmt: skip
    assert until(lambda: parts.model.now.id == challenger)
    assert until(lambda: parts.model.shadow is not None and parts.model.shadow.id == change.former)
    said = predict(service)
    assert said["key"] == "apple/healthy"
    assert until(lambda: parts.state.shadows.of([said["id"]], change.former))


def test_a_challenger_that_cannot_be_loaded_costs_nothing(
    start: Start, challenger: str, tmp_path: Path
) -> None:
    next((tmp_path / "registry").rglob(f"{challenger}*.leafsight")).write_bytes(b"no bundle")
    service = start(model=None, shadow_percent=100)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    assert until(lambda: parts.model._no_shadow == challenger)
    assert predict(service)["key"] == "apple/scab"


class Holder:
    """Holds a model that is asked nothing."""

    shadow: Any = None


class Free:
    """A state that takes what comes, unless it is busy."""

    def __init__(self) -> None:
        self.shadows, self.kept, self.busy = self, 0, False

    def add_many(self, records: Any) -> None:
        if self.busy:
            raise StateBusyError("locked")
        self.kept += len(records)


def shadow_of(busy: Callable[[], bool], metrics: Metrics, state: Any = None) -> Shadow:
    words: Any = {"busy": busy, "metrics": metrics, "now_ms": lambda: 0}
    return Shadow(100, None, state, Holder(), **words)  # type: ignore[arg-type]


def offered(size: int = 10, at_s: float | None = None) -> Offered:
    return Offered("0" * 32, b"x" * size, None, "a" * 64, time.monotonic() if at_s is None else at_s)


def dropped(metrics: Metrics) -> float:
    for family in metrics.families():
        for sample in family.samples:
            if sample.name == "leafsight_shadow_answers_total" and sample.labels["outcome"] == "dropped":
                return sample.value
    return 0.0


def test_a_full_line_drops_what_comes() -> None:
    metrics = Metrics()
    shadow = shadow_of(lambda: False, metrics)
    for _ in range(MOST_WAITING + 3):
        shadow.put(offered())
    assert (len(shadow._waiting), dropped(metrics)) == (MOST_WAITING, 3)


def test_large_photographs_are_bounded_by_their_bytes() -> None:
    metrics = Metrics()
    shadow = shadow_of(lambda: False, metrics)
    for _ in range(5):
        shadow.put(offered(MOST_BYTES // 3))
    assert (len(shadow._waiting), dropped(metrics)) == (3, 2)


def test_while_somebody_waits_for_the_model_the_shadow_waits_and_in_the_end_gives_up() -> None:
    metrics = Metrics()
    shadow = shadow_of(lambda: True, metrics)
    shadow.put(offered(at_s=time.monotonic() - 3600))
    assert shadow._next() is None
    assert dropped(metrics) == 1


def test_the_share_is_chosen_by_the_ids_random_end() -> None:
    shadow = shadow_of(lambda: False, Metrics())
    shadow._percent = 10
    chosen = sum(shadow._is_chosen(f"{number:032x}") for number in range(1000))
    assert chosen == 100


def test_what_the_database_does_not_take_is_left_out() -> None:
    state = Free()
    shadow = shadow_of(lambda: False, Metrics(), state)
    state.busy = True
    shadow._holder.shadow = SimpleNamespace(id="b" * 64)
    shadow._record = lambda one, held: one  # type: ignore[assignment, method-assign, return-value]
    shadow._try(lambda: shadow._answer(offered()))
    state.busy = False
    shadow._try(lambda: shadow._answer(offered()))
    assert state.kept == 1
