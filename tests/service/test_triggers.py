"""What begins a retraining by itself, and what does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.conftest import options_in

from leafsight.errors import StateBusyError
from leafsight.service import retrainings, triggers
from leafsight.service.newly_accepted import (
    BEGUN,
    TRAINED,
    accepted,
    lower,
    note_begun,
    note_trained,
    since,
    trained_ms,
)
from leafsight.service.options import ServiceOptions
from leafsight.service.ticking import EVERY_MS, LONGEST_MS, leave, take
from leafsight.state import ContributionRecord, State, new_id, open_state

HOUR_MS = 3_600_000
NOON_MS = 1_763_800_000_000


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path, clock: Clock) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}", now=clock) as one:
        yield one


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., ServiceOptions]:
    return lambda **changes: options_in(tmp_path, **changes)


def accept(state: State, count: int) -> list[str]:
    """So many photographs more that a person accepted."""
    ids = [new_id() for _ in range(count)]
    state.contributions.add_many(
        [
            ContributionRecord(
                id=one, created_ms=state.now(), name=one, class_name="x", label="x", photo_sha256="0" * 64,
                pixel_hash="0" * 64, blob=f"contributions/{one}.jpg", group_id=one,
            )
            for one in ids
        ]
    )  # fmt: skip
    state.contributions.decide(ids, "accepted", by="somebody")
    return ids


def begin(state: State) -> None:
    """The trainer takes the oldest retraining and is done with it."""
    job = state.claims.claim(["retraining"], alone=True)
    assert job is not None
    note_begun(state, job.id)
    note_trained(state, job.id)
    state.claims.finish(job, "done", result={})


def why(job: Any) -> str | None:
    return None if job is None else str(job.request["why"])


def test_nothing_begins_by_itself_unless_the_operator_says_so(state: State, options: Any) -> None:
    accept(state, 50)
    assert triggers.look(state, options()) is None


def test_enough_accepted_photographs_begin_one(state: State, options: Any) -> None:
    wish = options(retrain_after=5)
    accept(state, 4)
    assert triggers.look(state, wish) is None
    accept(state, 1)
    job = triggers.look(state, wish)
    assert job is not None
    assert (job.state, job.request) == (
        "queued",
        {"path": "quick", "why": "count", "by": "leafsight", "reason": ""},
    )
    accept(state, 9)
    assert triggers.look(state, wish) is None, "the one that waits will know them"
    begin(state)
    assert triggers.look(state, wish) is None
    accept(state, 5)
    assert why(triggers.look(state, wish)) == "count"


def test_what_is_accepted_while_one_runs_begins_the_next(state: State, options: Any) -> None:
    wish = options(retrain_after=2)
    accept(state, 2)
    assert triggers.look(state, wish) is not None
    job = state.claims.claim(["retraining"], alone=True)
    assert job is not None
    note_begun(state, job.id)
    accept(state, 1)
    assert triggers.look(state, wish) is None
    accept(state, 1)
    found = triggers.look(state, wish)
    assert found is not None
    assert found.id == job.id, "while one runs for the same reason, that one is the answer"
    state.claims.finish(job, "done", result={})
    following = triggers.look(state, wish)
    assert following is not None
    assert (following.id != job.id, why(following)) == (True, "count")


def test_one_that_failed_does_not_begin_again_by_itself(state: State, options: Any) -> None:
    wish = options(retrain_after=2)
    accept(state, 2)
    triggers.look(state, wish)
    job = state.claims.claim(["retraining"], alone=True)
    assert job is not None
    note_begun(state, job.id)
    state.claims.finish(job, "failed", error={"type": "x"})
    assert triggers.look(state, wish) is None
    assert since(state.marks.get(TRAINED), accepted(state)) == 2, "the page still says that they are new"


def test_one_that_was_cancelled_while_it_waited_is_not_asked_for_again(
    state: State, options: Any, clock: Clock
) -> None:
    by_count = options(retrain_after=10, retrain_every_h=24)
    accept(state, 10)
    unwanted = triggers.look(state, by_count)
    assert unwanted is not None
    state.jobs.cancel(unwanted.id)
    clock.now_ms += 60_000
    assert triggers.look(state, by_count) is None
    accept(state, 9)
    assert triggers.look(state, by_count) is None
    accept(state, 1)
    assert why(triggers.look(state, by_count)) == "count", "twenty now, of which ten are new"


def test_cancelling_the_next_one_does_not_touch_the_one_that_runs(state: State, options: Any) -> None:
    by_count = options(retrain_after=10)
    accept(state, 10)
    triggers.look(state, by_count)
    running = state.claims.claim(["retraining"], alone=True)
    assert running is not None
    note_begun(state, running.id)
    accept(state, 10)
    waiting = triggers.look(state, by_count)
    assert waiting is not None
    state.jobs.cancel(waiting.id)
    triggers.look(state, by_count)
    note_trained(state, running.id)
    assert trained_ms(state) == NOON_MS, "the caps count from the one that ran"


def test_time_begins_one_if_something_is_new(state: State, options: Any, clock: Clock) -> None:
    wish = options(retrain_every_h=24)
    assert triggers.look(state, wish) is None
    clock.now_ms += 30 * HOUR_MS
    assert triggers.look(state, wish) is None, "nothing new was accepted"
    accept(state, 1)
    assert why(triggers.look(state, wish)) == "schedule"
    begin(state)
    accept(state, 1)
    assert triggers.look(state, wish) is None
    clock.now_ms += 23 * HOUR_MS
    assert triggers.look(state, wish) is None
    clock.now_ms += HOUR_MS
    assert why(triggers.look(state, wish)) == "schedule"


def test_a_clock_that_jumps_begins_one_at_most(state: State, options: Any, clock: Clock) -> None:
    wish = options(retrain_every_h=24, retrain_after=3)
    triggers.look(state, wish)
    clock.now_ms += 10 * 365 * 24 * HOUR_MS
    accept(state, 2)
    assert why(triggers.look(state, wish)) == "schedule"
    begin(state)
    accept(state, 3)
    assert why(triggers.look(state, wish)) == "count"
    begin(state)
    clock.now_ms = NOON_MS  # somebody set it right; what was decided lies years ahead
    for _ in range(5):
        assert triggers.look(state, wish) is None
    accept(state, 1)
    clock.now_ms += 25 * HOUR_MS
    assert why(triggers.look(state, wish)) == "schedule", "time goes on from there"
    begin(state)
    accept(state, 3)
    assert why(triggers.look(state, wish)) == "count"


def test_a_drift_begins_one_once(state: State, options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import leafsight.monitoring as monitoring

    said: dict[str, Any] = {"state": "none"}
    monkeypatch.setattr(monitoring, "drift_now", lambda state: said)
    wish = options(retrain_on_drift=True)
    accept(state, 1)
    assert triggers.look(state, wish) is None
    said |= {"state": "drift", "model": "a" * 64, "since_ms": 7}
    assert triggers.look(state, options(retrain_after=9)) is None, "only where the operator wishes it"
    assert why(triggers.look(state, wish)) == "drift"
    begin(state)
    accept(state, 1)
    assert triggers.look(state, wish) is None, "the same drift"
    said |= {"since_ms": 8}
    assert why(triggers.look(state, wish)) == "drift"


def test_a_drift_that_nobody_could_ask_about_is_asked_about_later(
    state: State, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import leafsight.monitoring as monitoring

    drift = {"state": "drift", "model": "a" * 64, "since_ms": 7}
    monkeypatch.setattr(monitoring, "drift_now", lambda state: drift)

    def busy(*_: Any, **__: Any) -> Any:
        raise StateBusyError("the database is locked")

    wish = options(retrain_on_drift=True)
    accept(state, 1)
    with monkeypatch.context() as locked:
        locked.setattr(triggers, "ask_for", busy)
        with pytest.raises(StateBusyError):
            triggers.look(state, wish)
    assert why(triggers.look(state, wish)) == "drift"


def test_one_that_was_taken_up_this_moment_is_not_asked_for_again(state: State, options: Any) -> None:
    wish = options(retrain_after=2)
    accept(state, 2)
    retrainings.ask_for(state, path="quick", why="hand", by="somebody")
    job = state.claims.claim(["retraining"], alone=True)
    assert job is not None
    assert triggers.look(state, wish) is None, "it has not counted yet what it will learn from"
    note_begun(state, job.id)
    assert triggers.look(state, wish) is None


def test_after_many_were_rejected_new_ones_count(state: State, options: Any) -> None:
    wish = options(retrain_after=3)
    wrong = accept(state, 9)
    triggers.look(state, wish)
    begin(state)
    state.contributions.decide(wrong, "rejected", by="x")
    lower(state)
    accept(state, 3)
    assert since(state.marks.get(TRAINED), accepted(state)) == 3
    assert why(triggers.look(state, wish)) == "count"
    lower(state)
    begun = state.marks.get(BEGUN)
    assert begun is not None
    assert begun["accepted"] == 0


def test_a_training_in_the_future_lifts_no_cap(state: State, clock: Clock) -> None:
    assert trained_ms(state) == 0
    begin_now(state)
    assert trained_ms(state) == NOON_MS
    clock.now_ms -= HOUR_MS  # it was ahead while that one was trained
    assert trained_ms(state) == 0, "caps count from the beginning, not from a time to come"


def begin_now(state: State) -> None:
    retrainings.ask_for(state, path="quick", why="hand", by="somebody")
    begin(state)


def test_of_many_who_press_at_once_one_retraining_is_made(tmp_path: Path, state: State) -> None:
    ready = threading.Barrier(6)
    ids: list[str] = []

    def press() -> None:
        with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}") as one:
            ready.wait(30)
            ids.append(retrainings.ask_for(one, path="quick", why="hand", by="x").id)

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ids), len(set(ids)), len(state.jobs.page().records)) == (6, 1, 1)


def test_decisions_that_are_taken_back_begin_nothing(state: State, options: Any) -> None:
    wish = options(retrain_after=3)
    ids = accept(state, 3)
    triggers.look(state, wish)
    begin(state)
    for _ in range(4):
        state.contributions.decide(ids, "rejected", by="x")
        state.contributions.decide(ids, "accepted", by="x")
        assert triggers.look(state, wish) is None


def test_of_many_who_look_at_once_one_asks(tmp_path: Path, state: State, options: Any) -> None:
    wish = options(retrain_after=1)
    accept(state, 1)
    others = [open_state(f"sqlite:///{tmp_path / 'leafsight.db'}") for _ in range(4)]
    threads = [threading.Thread(target=triggers.look, args=(one, wish)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert len(state.jobs.page().records) == 1


def test_a_retraining_that_goes_on_has_begun_already(state: State) -> None:
    accept(state, 2)
    note_begun(state, "first")
    accept(state, 3)
    note_begun(state, "first")  # its process died
    begun = state.marks.get(BEGUN)
    assert begun is not None
    assert (begun["accepted"], since(begun, accepted(state))) == (2, 3)


def test_a_minute_is_one_processs(state: State, clock: Clock) -> None:
    held = take(state)
    assert held is not None
    assert take(state) is None
    clock.now_ms += EVERY_MS
    assert take(state) is None, "it is still at it"
    leave(state, held)
    assert take(state) is not None
    clock.now_ms += EVERY_MS
    assert take(state) is None, "that one died: it never left"
    clock.now_ms += LONGEST_MS
    held = take(state)
    assert held is not None
    leave(state, held)
    clock.now_ms -= 365 * 24 * HOUR_MS
    assert take(state) is not None, "the clock went back"
