"""Jobs on both databases: only allowed steps, and only one claims a job."""

from __future__ import annotations

import threading
from itertools import product

import pytest
from tests.state.conftest import Clock
from tests.state.made_records import T0, a_job

from leafsight.errors import ConflictError, NotFoundError, UsageError
from leafsight.state import JOB_STATES, State, new_id

ALLOWED = {
    ("queued", "running"), ("queued", "failed"), ("queued", "cancelled"),
    ("running", "done"), ("running", "failed"), ("running", "cancelled"),
}  # fmt: skip


def test_a_job_comes_back_as_it_went(state: State) -> None:
    one = a_job(request={"data": ["a", 1, None]}, progress={"done": 0.25}, error={"type": "x"})
    state.jobs.add(one)
    assert state.jobs.get(one.id) == one
    assert state.jobs.get(new_id()) is None
    assert state.jobs.page().records == (one,)


def test_pages_of_one_kind(state: State) -> None:
    made = [a_job(kind="retraining" if number % 3 == 0 else "report") for number in range(7)]
    for one in made:
        state.jobs.add(one)
    first = state.jobs.page(limit=2, kind="retraining")
    assert first.records == (made[6], made[3])
    rest = state.jobs.page(first.next, 2, kind="retraining")
    assert (rest.records, rest.next) == ((made[0],), None)
    assert state.jobs.page(kind="none").records == ()


def test_a_job_from_the_queue_to_its_end(state: State, clock: Clock) -> None:
    one = a_job()
    state.jobs.add(one)
    clock.now_ms = T0 + 5
    assert state.jobs.update(one.id, state="running").updated_ms == T0 + 5
    assert state.jobs.update(one.id, progress={"epoch": 3}).progress == {"epoch": 3}
    done = state.jobs.update(one.id, state="done", result={"bundle": "x"})
    assert (done.state, done.progress, done.result, done.error) == (
        "done",
        {"epoch": 3},
        {"bundle": "x"},
        None,
    )
    assert state.jobs.get(one.id) == done


def test_only_allowed_steps_are_taken(state: State) -> None:
    for before, after in product(JOB_STATES, JOB_STATES):
        one = a_job(state=before)
        state.jobs.add(one)
        if (before, after) in ALLOWED:
            assert state.jobs.update(one.id, state=after).state == after
            continue
        with pytest.raises(ConflictError, match=f"is {before} and cannot become {after}"):
            state.jobs.update(one.id, state=after, progress={"never": 1})
        assert state.jobs.get(one.id) == one


def test_a_job_that_has_ended_stays_as_it_is(state: State) -> None:
    one = a_job(state="done")
    state.jobs.add(one)
    with pytest.raises(ConflictError, match="has ended"):
        state.jobs.update(one.id, progress={"late": True})
    assert state.jobs.get(one.id) == one


def test_cancelling(state: State) -> None:
    waiting, done = a_job(), a_job(state="done")
    state.jobs.add(waiting)
    state.jobs.add(done)
    assert state.jobs.cancel(waiting.id).state == "cancelled"
    assert state.jobs.cancel(waiting.id).state == "cancelled"
    with pytest.raises(ConflictError, match="is done"):
        state.jobs.cancel(done.id)
    for missing in (new_id(), "nonsense"):
        with pytest.raises(NotFoundError):
            state.jobs.cancel(missing)
        with pytest.raises(NotFoundError):
            state.jobs.update(missing, progress={})


def test_of_many_who_claim_a_job_one_gets_it(state: State) -> None:
    one = a_job()
    state.jobs.add(one)
    got: list[str] = []
    together = threading.Barrier(4)

    def claim() -> None:
        together.wait()
        try:
            got.append(state.jobs.update(one.id, state="running").state)
        except ConflictError:
            got.append("refused")

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["refused"] * 3 + ["running"]


def test_what_does_not_fit(state: State) -> None:
    with pytest.raises(UsageError, match="kind has 101 characters"):
        state.jobs.add(a_job(kind="x" * 101))
    one = a_job()
    state.jobs.add(one)
    with pytest.raises(UsageError, match="bytes of JSON"):
        state.jobs.update(one.id, progress={"log": "x" * 300_000})
    with pytest.raises(ConflictError):
        state.jobs.add(one)
    assert state.jobs.page().records == (one,)
