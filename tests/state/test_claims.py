"""Who works a job off, on both databases: one at a time, and never one who lost it."""

from __future__ import annotations

import threading

import pytest
from tests.state.conftest import Clock
from tests.state.made_records import T0, a_job, an_upload

from leafsight.errors import ConflictError
from leafsight.state import JobRecord, State, new_id
from leafsight.state.claims import LEASE_MS, MOST_TRIES, Queue

KINDS = ("sort", "press")


def queued(state: State, kind: str = "sort") -> JobRecord:
    one = a_job(kind=kind)
    state.jobs.add(one)
    return one


def test_the_oldest_job_of_these_kinds_is_claimed(state: State) -> None:
    queued(state, "another's")
    first, second = queued(state), queued(state, "press")
    mine = state.claims.claim(KINDS)
    assert mine is not None
    assert (mine.id, mine.state, mine.progress) == (first.id, "running", {"try": 1})
    other = state.claims.claim(KINDS)
    assert other is not None
    assert other.id == second.id
    assert state.claims.claim(KINDS) is None


def test_of_many_who_claim_each_gets_another_job(state: State) -> None:
    made = {queued(state).id for _ in range(12)}
    got: list[str] = []

    def claim() -> None:
        while (one := state.claims.claim(KINDS)) is not None:
            got.append(one.id)

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who comes too late for one may leave the rest to others; nobody gets what another has.
    while (one := state.claims.claim(KINDS)) is not None:
        got.append(one.id)
    assert sorted(got) == sorted(made)


@pytest.mark.parametrize("passed_ms", [LEASE_MS + 1, -LEASE_MS - 1], ids=["silent", "clock went back"])
def test_a_job_whose_holder_is_silent_is_claimed_again_and_the_holder_notices(
    state: State, clock: Clock, passed_ms: int
) -> None:
    queued(state)
    mine = state.claims.claim(KINDS)
    assert mine is not None
    clock.now_ms += LEASE_MS - 1
    assert state.claims.claim(KINDS) is None
    mine = state.claims.beat(mine, {"step": "a"})
    assert mine is not None
    clock.now_ms += passed_ms
    theirs = state.claims.claim(KINDS)
    assert theirs is not None
    assert (theirs.id, theirs.progress["try"]) == (mine.id, 2)
    assert state.claims.beat(mine, {}) is None
    assert state.claims.finish(mine, "done", result={}) is None
    assert state.claims.hand_back(mine) is None
    done = state.claims.finish(theirs, "done", result={"a": 1})
    assert done is not None
    assert (done.state, done.result) == ("done", {"a": 1})


def test_a_word_within_the_same_millisecond_counts(state: State) -> None:
    queued(state)
    mine = state.claims.claim(KINDS)
    assert mine is not None
    again = state.claims.beat(mine, {"share": 0.5})
    assert again is not None
    assert again.updated_ms != mine.updated_ms
    assert state.claims.beat(mine, {"share": 0.1}) is None
    kept = state.jobs.get(mine.id)
    assert kept is not None
    assert kept.progress == {"share": 0.5, "try": 1}


def test_a_job_that_kills_whoever_works_on_it_is_given_up(state: State, clock: Clock) -> None:
    one = queued(state)
    for _ in range(MOST_TRIES):
        assert state.claims.claim(KINDS) is not None
        clock.now_ms += 2 * LEASE_MS
    assert state.claims.claim(KINDS) is None
    kept = state.jobs.get(one.id)
    assert kept is not None
    assert kept.error is not None
    assert (kept.state, kept.error["type"]) == ("failed", "gave-up")


def test_handed_back_is_as_if_it_had_not_been_begun(state: State) -> None:
    queued(state)
    mine = state.claims.claim(KINDS)
    assert mine is not None
    back = state.claims.hand_back(mine)
    assert back is not None
    assert (back.state, back.progress) == ("queued", {})


def test_a_cancelled_job_is_nobodys(state: State) -> None:
    one = queued(state)
    mine = state.claims.claim(KINDS)
    assert mine is not None
    state.jobs.cancel(one.id)
    assert state.claims.beat(mine, {}) is None
    assert state.claims.claim(KINDS) is None


def test_what_lies_ahead(state: State, clock: Clock) -> None:
    first, second = queued(state), queued(state)
    queued(state, "another's")
    assert state.claims.ahead(KINDS).free == (first.id, second.id)
    state.claims.claim(KINDS)
    ahead = state.claims.ahead(KINDS)
    assert (ahead.free, ahead.held) == ((second.id,), (first.id,))
    clock.now_ms = T0 + 10 * LEASE_MS
    assert set(state.claims.ahead(KINDS).free) == {first.id, second.id}


def test_of_equal_jobs_one_is_under_way(state: State) -> None:
    same = [a_job(kind="sort", request={"of": "a"}) for _ in range(2)]
    other = a_job(kind="sort", request={"of": "b"})
    assert state.jobs.add_alone(same[0]) == same[0]
    assert state.jobs.add_alone(same[1]).id == same[0].id
    assert state.jobs.add_alone(other) == other
    state.jobs.cancel(same[0].id)
    assert state.jobs.add_alone(same[1]).id == same[1].id
    assert set(state.jobs.some([same[0].id, other.id, new_id()])) == {same[0].id, other.id}


def test_of_equal_jobs_added_at_once_one_is_kept(state: State) -> None:
    kept: list[str] = []
    threads = [
        threading.Thread(target=lambda: kept.append(state.jobs.add_alone(a_job(request={"of": "a"})).id))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 6
    assert len(set(kept)) == 1


def test_an_upload_and_its_job_are_kept_together_or_not_at_all(state: State) -> None:
    job, upload = a_job(), an_upload()
    state.jobs.add(job)
    with pytest.raises(ConflictError):
        state.uploads.add(upload, job)  # a job of this id is there
    assert state.uploads.get(upload.id) is None
    state.uploads.add(upload, a_job(id=upload.id))
    assert state.uploads.get(upload.id) == upload
    assert state.jobs.get(upload.id) is not None


def test_uploads_of_one_key(state: State) -> None:
    keys = [new_id(), new_id()]
    made = [an_upload(key_id=keys[n % 2]) for n in range(5)]
    for one in made:
        state.uploads.add(one)
    page = state.uploads.page(limit=2, key_id=keys[0])
    rest = state.uploads.page(page.next, 2, key_id=keys[0])
    assert [*page.records, *rest.records] == [made[4], made[2], made[0]]
    assert rest.next is None
    assert len(state.uploads.page().records) == 5


def test_the_queue_is_counted_by_kind(state: State, clock: Clock) -> None:
    assert state.claims.queues() == {}
    for kind in ("sort", "sort", "press"):
        queued(state, kind)
    ended = queued(state, "press")
    state.jobs.cancel(ended.id)
    state.jobs.cancel(queued(state, "iron").id)
    assert state.claims.claim(["sort"]) is not None
    assert state.claims.queues() == {"sort": Queue(1, 1), "press": Queue(1, 0)}
    clock.now_ms += LEASE_MS + 2
    assert state.claims.queues()["sort"] == Queue(2, 0), "who holds one is silent: nobody works on it"
