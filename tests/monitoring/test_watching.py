"""The watch after a promotion: what passes, what is taken back, and what is said when it cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.monitoring.conftest import World

from leafsight.errors import StorageError
from leafsight.monitoring import alerts_now, begin_watch, look_at_watch, watch_now
from leafsight.state import CorrectionRecord, ShadowRecord, State, new_id

Watched = Callable[..., World]


def look(world: World, **words: Any) -> dict[str, Any]:
    return look_at_watch(world.state, world.registry, now_ms=world.clock.now_ms, **words)


def measure(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = [one for one in found["measures"] if one["name"] == name]
    return dict(one)


def test_nothing_was_promoted(state: State) -> None:
    assert watch_now(state)["state"] == "none"


def test_a_model_that_does_as_well_passes_after_its_minutes(watched: Watched) -> None:
    world = watched()
    world.clock.go(30)
    world.answers(world.models["new"], 200, minutes=30, seed=1)
    half = look(world)
    assert (half["state"], half["photographs"]) == ("watching", 200)
    assert "no limit was crossed in 200 photographs so far" in half["said"]
    world.clock.go(31)
    world.answers(world.models["new"], 200, minutes=30, seed=2)
    done = look(world)
    assert (done["state"], done["watched"]) == ("passed", True)
    assert done["said"] == "Passed: no limit was crossed in 400 photographs."
    assert world.serving() == "new"
    assert alerts_now(world.state)["newest"] == []
    assert look(world) == done == watch_now(world.state)


@pytest.mark.parametrize(
    ("odds", "name", "words"),
    [
        ({"p": (0.4, 0.55, 0.05)}, "cannot_tell", "'cannot tell' rose from"),
        ({"p": (0.5, 0.1, 0.4)}, "not_a_leaf", "'not a leaf' rose from"),
        ({"latency_ms": 200.0}, "slow", "answers slower than before rose from"),
        ({"sure": (0.3, 0.7)}, "unsure", "doubt in the most probable class rose from"),
    ],
)
def test_a_worse_model_is_taken_back_and_it_says_why(
    watched: Watched, odds: dict[str, Any], name: str, words: str
) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, seed=1, **odds)
    found = look(world)
    assert (found["state"], world.serving()) == ("rolled_back", "old")
    assert measure(found, name)["crossed"]
    assert words in found["said"]
    newest = world.registry.history()[0]
    assert (newest.kind, newest.by) == ("rollback", "watch")
    assert words in newest.reason
    (alert,) = alerts_now(world.state)["newest"]
    assert (alert["kind"], alert["said"]) == ("rolled_back", found["said"])
    assert alert["details"]["former"] == world.models["old"]
    assert look(world)["state"] == "rolled_back"
    assert len(world.registry.history()) == 3  # old, new, back


def test_a_small_rise_is_no_reason(watched: Watched) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 800, minutes=49, seed=1, p=(0.7, 0.25, 0.05))
    found = look(world)
    assert found["state"] == "watching"
    assert not measure(found, "cannot_tell")["crossed"]


def test_one_visitor_with_odd_photographs_is_no_reason(watched: Watched) -> None:
    """Three hundred photographs without a leaf in one minute are one occasion."""
    world = watched()
    world.clock.go(55)
    world.answers(world.models["new"], 200, minutes=54, seed=1)
    world.answers(world.models["new"], 300, minutes=1, seed=2, p=(0, 0.1, 0.9))
    found = look(world)
    assert measure(found, "not_a_leaf")["now"] > 0.4
    assert (found["state"], world.serving()) == ("watching", "new")


def test_too_few_photographs_wait_and_then_pass_unwatched(watched: Watched) -> None:
    world = watched()
    world.clock.go(61)
    world.answers(world.models["new"], 30, minutes=60, seed=1, p=(0, 1, 0))
    waiting = look(world)
    assert waiting["state"] == "watching"
    assert "30 photographs so far, too few to tell" in waiting["said"]
    world.clock.go(180)
    passed = look(world)
    assert (passed["state"], passed["watched"]) == ("passed", False)
    assert passed["said"].startswith("Passed unwatched: too few photographs to tell. 30 came")


def test_without_answers_of_the_former_model_nothing_can_be_compared(watched: Watched) -> None:
    world = watched(many=0)
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))
    assert look(world)["state"] == "watching"
    world.clock.go(300)
    assert look(world)["watched"] is False


def test_failed_requests_take_it_back_without_any_prediction(watched: Watched) -> None:
    world = watched()
    counts = {"since": 1.0, "answered": 1000.0, "failed": 1.0}
    assert look(world, counts=counts)["state"] == "watching"
    world.clock.go(2)
    found = look(world, counts={"since": 1.0, "answered": 1100.0, "failed": 60.0})
    assert (found["state"], world.serving()) == ("rolled_back", "old")
    assert "requests that failed rose from 0% to 59%" in found["said"]


def test_failures_of_before_are_not_the_new_models(watched: Watched) -> None:
    world = watched()
    look(world, counts={"since": 1.0, "answered": 1000.0, "failed": 500.0})
    world.clock.go(2)
    found = look(world, counts={"since": 1.0, "answered": 1200.0, "failed": 500.0})
    assert (found["state"], measure(found, "failed")["now"]) == ("watching", 0.0)
    # another server, or this one started again, counts from its first look on
    found = look(world, counts={"since": 2.0, "answered": 70.0, "failed": 70.0})
    assert found["state"] == "watching"


def test_corrections_that_say_wrong(watched: Watched) -> None:
    world = watched(many=100)
    ids = world.answers(world.models["old"], 40, minutes=300)
    for place, one in enumerate(ids):
        world.state.corrections.add(_correction(one, place % 4 > 0, world.clock.now_ms - place * 300_000))
    begin_watch(
        world.state, model_hash=world.models["new"], former=world.models["old"], minutes=60,
        now_ms=world.clock.now_ms, change=2,
    )  # fmt: skip
    world.clock.go(55)
    new = world.answers(world.models["new"], 100, minutes=54, seed=1)
    for place, one in enumerate(new[::2]):
        world.state.corrections.add(_correction(one, False, world.clock.now_ms - place * 60_000))
    found = look(world)
    assert (found["state"], measure(found, "wrong")["crossed"]) == ("rolled_back", True)


def _correction(prediction: str, right: bool, at_ms: int) -> CorrectionRecord:
    return CorrectionRecord(id=new_id(at_ms), prediction_id=prediction, created_ms=at_ms, right=right)


def test_pairs_with_the_shadow_take_the_senders_photographs_out_of_it(watched: Watched) -> None:
    """Twice as many photographs that nobody can tell: the former model cannot tell them either."""
    world = watched()
    world.clock.go(55)
    ids = world.answers(world.models["new"], 300, minutes=54, seed=1, p=(0.4, 0.55, 0.05))
    _shadow(world, ids, lambda record: (record.verdict, record.class_key))
    found = look(world)
    assert (measure(found, "cannot_tell")["how"], found["state"]) == ("pairs", "watching")
    assert measure(found, "disagrees")["now"] == 0.0


def test_a_model_that_disagrees_with_the_former_one_is_taken_back(watched: Watched) -> None:
    world = watched()
    world.clock.go(55)
    ids = world.answers(world.models["new"], 300, minutes=54, seed=1)
    _shadow(world, ids, lambda record: ("diagnosis", "tomato/early_blight"))
    found = look(world)
    assert (found["state"], measure(found, "disagrees")["crossed"]) == ("rolled_back", True)
    assert "answers unlike those of the former model: 100%" in found["said"]


def test_a_class_that_the_former_model_does_not_know_is_no_disagreement(watched: Watched) -> None:
    world = watched()
    world.clock.go(55)
    ids = world.answers(world.models["new"], 300, minutes=54, seed=1, p=(1, 0, 0))
    with world.state.database.writing() as connection:
        from sqlalchemy import text

        connection.execute(
            text("UPDATE predictions SET class_key = 'rice/blast' WHERE verdict = 'diagnosis'")
        )
    _shadow(world, ids, lambda record: ("diagnosis", "apple/scab"))
    assert measure(look(world), "disagrees")["now"] == 0.0


def _shadow(world: World, ids: list[str], said: Any) -> None:
    records = []
    for one in ids:
        record = world.state.predictions.get(one)
        assert record is not None
        verdict, key = said(record)
        records.append(
            ShadowRecord(
                id=new_id(), created_ms=record.created_ms, prediction_id=one, model_hash=world.models["old"],
                verdict=verdict, class_key=key, latency_ms=20.0,
            )
        )  # fmt: skip
    world.state.shadows.add_many(records)


def test_another_promotion_ends_the_watch_and_is_left_alone(watched: Watched) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))
    world.promote("third")
    found = look(world)
    assert (found["state"], world.serving()) == ("none", "third")
    assert "another model was put in its place" in found["said"]


@pytest.mark.parametrize(("minutes", "former"), [(0, "f" * 64), (60, None)])
def test_nothing_to_watch(world: World, minutes: float, former: str | None) -> None:
    found = begin_watch(
        world.state, model_hash="a" * 64, former=former, minutes=minutes, now_ms=world.clock.now_ms
    )
    assert found["state"] == watch_now(world.state)["state"] == "none"
    assert look(world)["state"] == "none"


def test_killed_between_the_decision_and_the_rollback(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))

    def killed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(world.registry, "rollback", killed)
        with pytest.raises(KeyboardInterrupt):
            look(world)
    assert (watch_now(world.state)["state"], world.serving()) == ("watching", "new")
    found = look(world)
    assert (found["state"], world.serving()) == ("rolled_back", "old")
    assert len(alerts_now(world.state)["newest"]) == 1


def test_killed_between_the_rollback_and_its_mark(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))
    rollback = world.registry.rollback

    def then_killed(*words: Any, **more: Any) -> Any:
        rollback(*words, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(world.registry, "rollback", then_killed)
        with pytest.raises(KeyboardInterrupt):
            look(world)
    assert world.serving() == "old"
    assert look(world)["state"] == "rolled_back"
    assert len(world.registry.history()) == 3
    assert len(alerts_now(world.state)["newest"]) == 1


def test_a_promotion_in_the_same_moment_is_not_taken_back(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))
    rollback = world.registry.rollback

    def late(*words: Any, **more: Any) -> Any:
        world.promote("third")
        return rollback(*words, **more)

    monkeypatch.setattr(world.registry, "rollback", late)
    look(world)
    assert world.serving() == "third"


def test_a_registry_that_cannot_roll_back_is_tried_again_and_somebody_hears_of_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))

    def full(*_: Any, **__: Any) -> Any:
        raise StorageError("the disk is full", hint="make room")

    with monkeypatch.context() as patched:
        patched.setattr(world.registry, "rollback", full)
        for _ in range(2):
            with pytest.raises(StorageError):
                look(world)
    (alert,) = alerts_now(world.state)["newest"]
    assert "could not be rolled back: the disk is full" in alert["said"]
    assert look(world)["state"] == "rolled_back"


def test_two_servers_look_at_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second looks while the first is about to roll back: it happens once, and is told once."""
    world = watched()
    world.clock.go(50)
    world.answers(world.models["new"], 300, minutes=49, p=(0, 1, 0))
    rollback = world.registry.rollback

    def meanwhile(*words: Any, **more: Any) -> Any:
        monkeypatch.setattr(world.registry, "rollback", rollback)
        assert look(world)["state"] == "rolled_back"
        return rollback(*words, **more)

    monkeypatch.setattr(world.registry, "rollback", meanwhile)
    try:
        look(world)
    finally:
        assert world.serving() in ("old",)
        assert len(alerts_now(world.state)["newest"]) == 1


def test_a_clock_that_went_back_ends_nothing(watched: Watched) -> None:
    world = watched()
    world.clock.go(-600)
    assert look(world)["state"] == "watching"
