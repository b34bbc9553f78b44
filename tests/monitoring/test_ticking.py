"""Every minute: drift is noted with its beginning, one process does it, what fails stops nothing else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.monitoring.conftest import World
from tests.monitoring.hook import listening
from tests.monitoring.made_memory import embeddings, made_memory, remembering_bundle

from leafsight.errors import StateError
from leafsight.monitoring import Monitor, alert, alerts_now, begin_watch, drift_now, limits_of
from leafsight.monitoring.drift_looks import LIMITS


def monitor(world: World, **words: Any) -> Monitor:
    return Monitor(world.state, world.registry, now_ms=world.clock, **words)


@pytest.fixture(autouse=True)
def quick_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leafsight.monitoring.drift_looks.limits_of", partial(limits_of, windows=400))


def serve_remembering(world: World, tmp_path: Path) -> str:
    bundle = remembering_bundle(tmp_path / "remembering.leafsight", made_memory(), name="remembering")
    world.models["remembering"] = world.registry.add(bundle.path).hash
    world.promote("remembering")
    return world.models["remembering"]


def send(world: World, model: str, many: int, seed: int, **words: Any) -> None:
    """Six photographs an hour."""
    sent = embeddings(many, seed, **words)[0].astype(np.float16)
    world.answers(model, many, minutes=10 * many, embeddings=sent)


def test_drift_is_noted_and_told_once_while_it_lasts(world: World, tmp_path: Path) -> None:
    model = serve_remembering(world, tmp_path)
    one = monitor(world)
    assert one.tick()["drift"]["state"] == "too_few"
    world.clock.go(24 * 60)
    send(world, model, 60, 2, moved=1.5)
    first = one.tick()["drift"]
    assert (first["state"], first["since_ms"], first["at_ms"]) == (
        "drift",
        world.clock.now_ms,
        world.clock.now_ms,
    )
    world.clock.go(5)
    again = one.tick()["drift"]
    assert (again["state"], again["since_ms"]) == ("drift", first["since_ms"])
    assert drift_now(world.state) == again
    (told,) = alerts_now(world.state)["newest"]
    assert (told["kind"], told["said"]) == ("drift", first["said"])
    assert len(told["details"]["photographs"]) == 10
    world.clock.go(24 * 60)
    send(world, model, 110, 3)  # no window reaches back to the others
    assert one.tick()["drift"]["state"] == "none"
    world.clock.go(24 * 60)
    send(world, model, 60, 4, moved=1.5)
    assert one.tick()["drift"]["since_ms"] == world.clock.now_ms
    assert len(alerts_now(world.state)["newest"]) == 2


def test_limits_are_set_once_for_a_model(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = serve_remembering(world, tmp_path)
    first = monitor(world).tick()["drift"]
    kept = world.state.marks.get(LIMITS)
    assert kept is not None
    assert kept["model"] == model
    monkeypatch.setattr("leafsight.monitoring.drift_looks.limits_of", lambda *_: pytest.fail("set again"))
    world.clock.go(1)
    assert monitor(world).tick()["drift"]["reference_photographs"] == first["reference_photographs"]


def test_a_model_that_remembers_nothing_says_so(world: World) -> None:
    found = monitor(world).tick()["drift"]
    assert (found["state"], found["windows"], found["drifted"]) == ("unknown", [], [])
    assert "remembers no photographs" in found["said"]


def test_of_all_processes_one_does_the_minutes_work(world: World) -> None:
    one, other = monitor(world), monitor(world)
    assert one.tick()
    assert other.tick() == {}
    world.clock.go(1)
    assert other.tick()
    assert one.tick() == {}
    world.clock.go(-600)  # the clock went back
    assert one.tick()


def test_what_fails_stops_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise StateError("gone")

    alert(world.state, "promoted", "said", event="1", now_ms=world.clock.now_ms)
    with listening() as hook:
        with monkeypatch.context() as patched:
            patched.setattr("leafsight.monitoring.ticking.look_at_watch", broken)
            patched.setattr("leafsight.monitoring.ticking.note_drift", broken)
            assert monitor(world, alert_url=hook.url).tick() == {"alerts_sent": 1}
        assert [body["kind"] for body in hook.taken] == ["promoted"]
    with monkeypatch.context() as patched:
        patched.setattr(world.state.marks, "get", broken)
        assert monitor(world).tick() == {}


def test_a_model_file_is_looked_at_and_no_promotion_is_watched(world: World, tmp_path: Path) -> None:
    bundle = remembering_bundle(tmp_path / "a.leafsight")
    begin_watch(world.state, model_hash="a" * 64, former="b" * 64, minutes=60, now_ms=world.clock.now_ms)
    found = monitor(world, model=bundle.path).tick()
    assert "watch" not in found
    assert found["drift"]["model"] == bundle.content_hash


def test_counters_that_cannot_be_read_cost_only_themselves(world: World) -> None:
    def broken() -> Any:
        raise OSError("no such file")

    assert monitor(world, counts=broken).tick()["watch"]["state"] == "none"


def test_alert_of_the_monitor(world: World) -> None:
    assert monitor(world).alert("gate_failed", "It is worse.", event="job 1", candidate="b" * 64)
    assert alerts_now(world.state)["newest"][0]["details"] == {"candidate": "b" * 64}


def test_a_promotion_that_nobody_watches_is_watched(world: World) -> None:
    """Who promoted died behind it, or was a command that knows no database."""
    one = monitor(world, watch_minutes=60)
    world.answers(world.models["old"], 300, minutes=300)
    change = world.promote("new")
    world.clock.go(2)
    found = one.tick()["watch"]
    assert (found["state"], found["model"], found["change"]) == ("watching", change.hash, change.number)
    assert found["began_ms"] == change.since_ms
    world.clock.go(2)
    assert one.tick()["watch"]["began_ms"] == change.since_ms, "it began again"
    world.registry.rollback()
    world.clock.go(2)
    assert one.tick()["watch"]["state"] == "none"
    world.clock.go(2)
    assert one.tick()["watch"]["model"] == change.hash, "a rollback is not watched"


def test_what_was_promoted_long_ago_is_let_be(world: World) -> None:
    world.promote("new")
    world.clock.go(61)
    assert monitor(world, watch_minutes=60).tick()["watch"]["said"].startswith("Nothing was promoted yet")
    world.promote("third")
    world.clock.go(1)
    assert monitor(world, watch_minutes=0).tick()["watch"]["state"] == "none"
