"""Promotion while a real service is at work and while its processes are replaced."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import tiny_onnx, tiny_weights, write_tiny_bundle
from tests.service.asking import ask_once
from tests.service.running import PATIENCE_S, RunningService, running_service
from tests.service.test_supervisor import Load

from leafsight.registry import open_registry

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as on POSIX"),
]
JSON = {"content-type": "application/json"}
REPLACED = "all processes are replaced"


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """Two models of a registry; the first serves."""
    registry = open_registry(tmp_path / "state" / "registry")
    found = []
    for seed in (1, 2):
        file = write_tiny_bundle(
            tmp_path / f"{seed}.leafsight", network=tiny_onnx(tiny_weights(seed)), provenance={"seed": seed}
        )
        found.append(registry.add(file).hash)
    registry.promote(found[0])
    return found


def ask(service: RunningService, method: str, path: str, said: Any = None) -> Any:
    body = None if said is None else json.dumps(said).encode()
    status, _, answer = ask_once(service.port, method, path, body, JSON if body else None)
    assert status < 400, answer
    return json.loads(answer)


def replaced(service: RunningService, times: int) -> bool:
    return sum(REPLACED in line for line in service.said) >= times


def serve_in(service: RunningService) -> set[str]:
    """The models that the processes answer with."""
    return {one["model"] for one in ask(service, "GET", "/v1/load")["processes"]}


def until(service: RunningService, true: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"waited for {what}: {service.said[-5:]}"
        time.sleep(0.02)


def test_a_promotion_during_a_rolling_restart_fails_no_request(tmp_path: Path, models: list[str]) -> None:
    """Processes that start meanwhile begin with the new model, the others take it up: all end with it."""
    words = ("--workers", "2", "--deadline-ms", "60000")
    with running_service(tmp_path / "state", None, *words) as service:
        load = Load(service.port, 3)
        for times in (1, 2):
            service.process.send_signal(signal.SIGHUP)
            until(service, lambda: any("replacing" in line for line in service.said), "a restart")
            for model in (models[1], models[0], models[1]):
                ask(service, "POST", f"/v1/models/{model}/promote", {"reason": "while they are replaced"})
                time.sleep(0.05)
            until(service, lambda times=times: replaced(service, times), REPLACED)  # type: ignore[misc]
            until(service, lambda: serve_in(service) == {models[1]}, "the new model everywhere")
            back = ask(service, "POST", "/v1/models/rollback", {})
            assert back["model"] == models[0]
            until(service, lambda: serve_in(service) == {models[0]}, "the former model everywhere")
        load.stop()
        assert load.failed == []
        assert load.answered > 20
        status, _, answer = ask_once(service.port, "POST", "/v1/predict", picture_bytes())
        assert (status, json.loads(answer)["model"]["hash"]) == (200, models[0])
        kinds = [one["kind"] for one in ask(service, "GET", "/v1/models/history")["changes"]]
        assert kinds == ["rollback", *["promote"] * 3] * 2 + ["promote"]
