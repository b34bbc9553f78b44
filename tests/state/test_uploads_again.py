"""A job that has ended begins anew with its upload: both, or neither, and once, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from tests.state.conftest import Clock
from tests.state.made_records import a_job, an_upload

from leafsight.errors import ConflictError, NotFoundError
from leafsight.state import JobRecord, State

KINDS = ("check-upload",)


def kept(state: State) -> JobRecord:
    upload = an_upload()
    job = a_job(id=upload.id, kind=KINDS[0], state="queued")
    state.uploads.add(upload, job)
    return job


def ended(state: State, how: str) -> JobRecord:
    job = kept(state)
    if how == "cancelled":
        return state.jobs.cancel(job.id)
    held = state.claims.claim(KINDS)
    assert held is not None
    said = {"result": {"found": 1}} if how == "done" else {"error": {"message": "no"}}
    done = state.claims.finish(held, how, **said)  # type: ignore[arg-type]
    assert done is not None
    state.uploads.set_state(job.id, "checked")
    return done


@pytest.mark.parametrize("how", ["done", "failed", "cancelled"])
def test_it_is_as_if_it_had_not_been_begun(state: State, how: str) -> None:
    before = ended(state, how)
    after = state.uploads.look_again(before.id, before)
    assert (after.state, after.progress, after.result, after.error) == ("queued", {}, None, None)
    assert (after.id, after.created_ms, after.request) == (before.id, before.created_ms, before.request)
    upload = state.uploads.get(before.id)
    assert upload is not None
    assert upload.state == "waiting"
    held = state.claims.claim(KINDS)
    assert held is not None
    assert (held.id, held.progress) == (before.id, {"try": 1})


def test_who_held_it_before_cannot_write_about_it(state: State, clock: Clock) -> None:
    job = kept(state)
    old = state.claims.claim(KINDS)
    assert old is not None
    clock.now_ms += 5
    state.jobs.cancel(job.id)
    state.uploads.look_again(job.id, replace(job, updated_ms=clock.now_ms))
    assert state.claims.beat(old, {}) is None
    assert state.claims.claim(KINDS) is not None
    assert state.claims.finish(old, "done", result={}) is None


def test_one_that_has_not_ended_stays_as_it_is(state: State) -> None:
    job = kept(state)
    state.uploads.set_state(job.id, "checked")
    for _ in ("queued", "running"):
        with pytest.raises(ConflictError):
            state.uploads.look_again(job.id, job)
        upload = state.uploads.get(job.id)
        assert upload is not None
        assert upload.state == "checked", "neither of the two is changed"
        state.claims.claim(KINDS)


def test_no_upload_and_no_job(state: State) -> None:
    with pytest.raises(NotFoundError):
        state.uploads.look_again("nobody", a_job())
    upload = an_upload()
    state.uploads.add(upload)
    made = state.uploads.look_again(upload.id, a_job(id=upload.id, kind=KINDS[0], state="queued"))
    assert state.jobs.get(upload.id) == made


def test_of_many_who_ask_one_gets_it(state: State) -> None:
    job = ended(state, "failed")
    got: list[str] = []

    def ask() -> None:
        try:
            got.append(state.uploads.look_again(job.id, job).state)
        except ConflictError:
            got.append("conflict")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["conflict", "conflict", "conflict", "queued"]
