"""The dashboard and the alert rules name only what ``/metrics`` has, and labels that it has there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import RED
from tests.monitoring.made_memory import embeddings, remembering_bundle

from leafsight.monitoring import Monitor, begin_watch
from leafsight.service import ServiceOptions, create_app
from leafsight.state import PredictionRecord, ShadowRecord, new_id

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
NAME = re.compile(r"\b(leafsight_[a-z_]+)(?:\{([^}]*)\})?")
FROM_PROMETHEUS = {"instance", "job"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Names in ``/metrics`` of a server with a bit of everything, and the labels of each."""
    folder = tmp_path_factory.mktemp("served")
    model = remembering_bundle(folder / "a.leafsight").path
    options = ServiceOptions(
        registry_dir=folder / "registry", database_url=f"sqlite:///{folder / 'leafsight.db'}",
        blob_url=str(folder / "blobs"), model=model,
    )  # fmt: skip
    app = create_app(options)
    with TestClient(app, base_url="http://localhost:8000", client=("127.0.0.1", 5)) as service:
        service.post("/v1/predict", content=picture_bytes(RED), headers={"content-type": "image/jpeg"})
        _fill(app.state.parts)
        text = service.get("/metrics").text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        if not family.samples:  # a counter with labels that has counted nothing yet
            found.setdefault(f"{family.name}_total", set())
    return found


def _fill(parts: Any) -> None:
    """A window for drift, a watch with numbers, a shadow, requests that were refused."""
    held, now_ms = parts.model.now, parts.now_ms()
    records = [
        PredictionRecord(
            id=new_id(now_ms - place * 900_000), created_ms=now_ms - place * 900_000, model_hash=held.id,
            model_name="a", verdict="diagnosis", photo_sha256="0" * 64, latency_ms=9.0, class_key=None,
            answer={"top": [{"probability": 0.9}]}, embedding=one.astype("float16"),
        )
        for place, one in enumerate(embeddings(60, 1)[0])
    ]  # fmt: skip
    parts.state.predictions.add_many(records)
    begin_watch(parts.state, model_hash=held.id, former="b" * 64, minutes=60, now_ms=now_ms)
    mark = parts.state.marks.get("watch")
    shares = {"name": "cannot_tell", "before": 0.1, "now": 0.1}
    parts.state.marks.put("watch", {**mark, "measures": [shares]})
    parts.model.shadow = type("Held", (), {"id": "c" * 64, "name": "c"})()
    parts.state.shadows.add_many(
        [ShadowRecord(id=new_id(), created_ms=now_ms, prediction_id=records[0].id, model_hash="c" * 64,
                      verdict="diagnosis", latency_ms=9.0)]
    )  # fmt: skip
    for reason in ("queue-full", "deadline"):
        parts.metrics.refused(reason)
    parts.metrics.shadowed("answered")
    parts.metrics.verdict("diagnosis", "apple/scab", 0.9)
    monitor = Monitor(parts.state, parts.registry, model=parts.options.model, now_ms=lambda: now_ms + 120_000)
    assert monitor.tick()["drift"]["windows"]


def dashboard() -> Any:
    return json.loads((FOLDER / "grafana-dashboard.json").read_text())


def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((FOLDER / "prometheus-alerts.yaml").read_text())
    return [rule for group in read["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    board = dashboard()
    yield from (target["expr"] for panel in board["panels"] for target in panel.get("targets", []))
    yield from (one["expr"] for one in board["annotations"]["list"])
    yield from (one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query")
    yield from (rule["expr"] for rule in rules())


def test_every_metric_and_label_is_there(samples: dict[str, set[str]]) -> None:
    for expression in expressions():
        for name, labels in NAME.findall(expression):
            assert name in samples, f"{name} in {expression}"
            named = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", labels)) - FROM_PROMETHEUS
            assert named <= samples[name], f"{named - samples[name]} of {name} in {expression}"


def test_every_figure_of_learning_is_on_the_dashboard(samples: dict[str, set[str]]) -> None:
    shown = {name for expression in expressions() for name, _ in NAME.findall(expression)}
    wanted = {
        name for name in samples if re.match(r"leafsight_(drift|watch|shadow|contributions|alerts)", name)
    }
    left = wanted - shown - {"leafsight_contributions_doubtful", "leafsight_shadow_answers_created"}
    assert not left


def test_legends_name_labels_that_are_there(samples: dict[str, set[str]]) -> None:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            names = [name for name, _ in NAME.findall(target["expr"])]
            known = set().union(*(samples[name] for name in names)) | {"le"}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known | {"pid"}


def test_panels_have_their_own_place_and_number() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells


def test_every_rule_says_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "warn", "info")
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
