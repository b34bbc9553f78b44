"""One job at a time on a whole database, and jobs that get further each time that they are begun."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.state.conftest import Clock
from tests.state.made_records import a_contribution, a_job
from tests.state.own_postgres import OwnPostgres

from leafsight.errors import StateBusyError
from leafsight.state import JobRecord, State, open_state
from leafsight.state.claims import LEASE_MS, MOST_TRIES

KINDS = ("retraining",)
MINUTE_MS = 60_000


def queued(state: State, kind: str = "retraining") -> JobRecord:
    one = a_job(kind=kind)
    state.jobs.add(one)
    return one


def claimed(state: State) -> JobRecord:
    mine = state.claims.claim(KINDS, alone=True)
    assert mine is not None
    return mine


def beaten(state: State, mine: JobRecord, **progress: object) -> JobRecord:
    after = state.claims.beat(mine, progress)
    assert after is not None
    return after


def test_the_next_is_given_out_when_the_first_has_ended(state: State) -> None:
    first, second = queued(state), queued(state)
    mine = claimed(state)
    assert mine.id == first.id
    assert state.claims.claim(KINDS, alone=True) is None
    mine = beaten(state, mine, step="a")
    assert state.claims.claim(KINDS, alone=True) is None
    assert state.claims.finish(mine, "done", result={}) is not None
    assert claimed(state).id == second.id


@pytest.mark.parametrize("how", ["cancelled", "handed back", "failed"])
def test_a_job_that_is_held_no_more_is_in_nobodys_way(state: State, how: str) -> None:
    first, second = queued(state), queued(state)
    mine = claimed(state)
    if how == "cancelled":
        state.jobs.cancel(first.id)
    elif how == "handed back":
        state.claims.hand_back(mine)
    else:
        state.claims.finish(mine, "failed", error={})
    assert claimed(state).id == (first.id if how == "handed back" else second.id)


def test_only_jobs_of_these_kinds_are_in_the_way(state: State) -> None:
    queued(state, "check-upload")
    assert state.claims.claim(("check-upload",)) is not None
    one = queued(state)
    assert claimed(state).id == one.id
    queued(state, "check-upload")
    assert state.claims.claim(("check-upload",)) is not None
    queued(state)
    assert state.claims.claim((*KINDS, "check-upload"), alone=True) is None


@pytest.mark.parametrize("count", [1, 3])
def test_of_many_workers_one_holds_a_job(state: State, url: str, count: int) -> None:
    """Each with connections of its own, as two servers have."""
    made = [queued(state).id for _ in range(count)]
    for first in made:
        got: list[JobRecord] = []
        together = threading.Barrier(4)
        with ExitStack() as stack:
            workers = [stack.enter_context(open_state(url, now=state.now)) for _ in range(4)]

            def claim(worker: State, together: threading.Barrier = together, got: list = got) -> None:  # type: ignore[type-arg]
                together.wait()
                for _ in range(3):
                    if (one := worker.claims.claim(KINDS, alone=True)) is not None:
                        got.append(one)

            threads = [threading.Thread(target=claim, args=(worker,)) for worker in workers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [one.id for one in got] == [first]
        assert state.claims.finish(got[0], "done", result={}) is not None


CLAIMS = """
import sys
from leafsight.state import open_state
with open_state(sys.argv[1]) as state:
    print("open", flush=True)
    sys.stdin.readline()
    found = state.claims.claim(("retraining",), alone=True)
    print(found.id if found else "none", flush=True)
"""


@pytest.mark.slow
def test_of_processes_that_claim_at_once_one_holds_a_job(state: State, url: str) -> None:
    made = [queued(state).id for _ in range(4)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen([sys.executable, "-c", CLAIMS, url], text=True, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n", process.communicate()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in told] == [""] * 4
    assert sorted(out.strip() for out, _ in told) == sorted([made[0], "none", "none", "none"])


@pytest.mark.parametrize("leap_ms", [MINUTE_MS, -MINUTE_MS, 86_400_000, -86_400_000])
def test_when_the_clock_leaps_the_job_has_one_holder_again_and_ends_once(
    state: State, clock: Clock, leap_ms: int
) -> None:
    """Who held it before the leap keeps it by the next word; if another was quicker, no word of it counts."""
    queued(state)
    second = queued(state)
    mine = beaten(state, claimed(state), step="a")
    clock.now_ms += leap_ms
    mine = beaten(state, mine, step="b")
    assert state.claims.claim(KINDS, alone=True) is None
    clock.now_ms += leap_ms
    theirs = claimed(state)
    assert theirs.id == mine.id
    assert state.claims.claim(KINDS, alone=True) is None
    assert state.claims.beat(mine, {"step": "c"}) is None
    assert state.claims.finish(mine, "done", result={"by": "mine"}) is None
    done = state.claims.finish(theirs, "done", result={"by": "theirs"})
    assert done is not None
    assert done.result == {"by": "theirs"}
    assert claimed(state).id == second.id


def test_a_clock_that_swings_to_and_fro_gives_no_job_to_two(state: State, clock: Clock) -> None:
    queued(state)
    mine = claimed(state)
    for swing_ms in (LEASE_MS - 1, -LEASE_MS + 1, -LEASE_MS + 1, LEASE_MS - 1):
        clock.now_ms += swing_ms
        assert state.claims.claim(KINDS, alone=True) is None
        mine = beaten(state, mine)


def test_a_job_that_gets_further_is_begun_again_however_often_its_process_dies(
    state: State, clock: Clock
) -> None:
    queued(state)
    for done in range(3 * MOST_TRIES):
        mine = claimed(state)
        assert mine.progress["try"] == 1
        assert mine.progress.get("done_steps", 0) == done
        mine = beaten(state, mine, step="train", done_steps=done + 1)
        mine = beaten(state, mine, step="evaluate")  # what is left out stays
        assert mine.progress["done_steps"] == done + 1
        clock.now_ms += 2 * LEASE_MS
    done_at_last = state.claims.finish(claimed(state), "done", result={})
    assert done_at_last is not None
    assert done_at_last.progress["done_steps"] == 3 * MOST_TRIES


def test_a_job_that_gets_no_further_is_given_up(state: State, clock: Clock) -> None:
    """Also one that says the same steps again, or fewer and then as many as before."""
    one = queued(state)
    said = (2, 2, 1, 2)
    for number, done in enumerate(said):
        mine = claimed(state)
        assert mine.progress["try"] == max(1, number)
        beaten(state, mine, done_steps=done)
        clock.now_ms += 2 * LEASE_MS
    assert state.claims.claim(KINDS, alone=True) is None
    kept = state.jobs.get(one.id)
    assert kept is not None
    assert kept.error is not None
    assert (kept.state, kept.error["type"]) == ("failed", "gave-up")


def test_what_is_given_up_makes_room_for_the_next(state: State, clock: Clock) -> None:
    first, second = queued(state), queued(state)
    for _ in range(MOST_TRIES):
        assert claimed(state).id == first.id
        clock.now_ms += 2 * LEASE_MS
    assert claimed(state).id == second.id
    kept = state.jobs.get(first.id)
    assert kept is not None
    assert kept.state == "failed"


def test_handed_back_keeps_the_steps_that_are_done(state: State) -> None:
    queued(state)
    mine = beaten(state, claimed(state), done_steps=2)
    back = state.claims.hand_back(mine)
    assert back is not None
    assert (back.state, back.progress) == ("queued", {"done_steps": 2})
    again = claimed(state)
    assert again.progress == {"try": 1, "done_steps": 2, "steps_before": 2}
    back = state.claims.hand_back(again)
    assert back is not None
    assert back.progress == {"done_steps": 2, "steps_before": 2}


@pytest.mark.parametrize("strange", ["2", None, 2.5, -1, True, [1]])
def test_a_number_of_steps_that_is_none_counts_as_no_step(
    state: State, clock: Clock, strange: object
) -> None:
    queued(state)
    for number in range(MOST_TRIES):
        mine = claimed(state)
        assert mine.progress["try"] == number + 1
        beaten(state, mine, done_steps=strange)
        clock.now_ms += 2 * LEASE_MS
    assert state.claims.claim(KINDS, alone=True) is None


@pytest.mark.parametrize("first", ["holder", "other"])
@pytest.mark.slow
def test_a_server_that_is_gone_for_a_minute(postgres: OwnPostgres, clock: Clock, first: str) -> None:
    """Both workers are told; afterwards one of them holds the job, and nothing is there twice or half."""
    url = postgres.new_database()
    postgres.checkpoint()
    with (
        open_state(url, now=clock, busy_timeout_s=0.5) as state,
        open_state(url, now=clock, busy_timeout_s=0.5) as other,
    ):
        queued(state)
        mine = beaten(state, claimed(state), done_steps=1)
        given = [a_contribution() for _ in range(30)]
        state.contributions.add_many(given)
        ids = [one.id for one in given]
        postgres.stop(signal.SIGQUIT)
        try:
            for ask in (
                lambda: state.claims.beat(mine, {"done_steps": 2}),
                lambda: other.claims.claim(KINDS, alone=True),
                lambda: state.contributions.decide(ids, "accepted"),
                lambda: state.contributions.add_many([a_contribution()]),
                lambda: list(state.contributions.all_accepted()),
                lambda: state.marks.put("a", {}, expected=None),
                lambda: state.marks.get("a"),
            ):
                with pytest.raises(StateBusyError):
                    ask()
        finally:
            postgres.start()
        clock.now_ms += MINUTE_MS
        if first == "holder":
            mine = beaten(state, mine, done_steps=2)
            assert other.claims.claim(KINDS, alone=True) is None
            assert state.claims.finish(mine, "done", result={}) is not None
        else:
            theirs = claimed(other)
            assert theirs.progress == {"try": 1, "done_steps": 1, "steps_before": 1}
            assert state.claims.beat(mine, {"done_steps": 2}) is None
            assert other.claims.finish(theirs, "done", result={}) is not None
        assert state.contributions.counts()["states"] == {"waiting": 30}
        assert len(state.contributions.decide(ids, "accepted")) == 30
        assert state.marks.put("a", {}, expected=None)


def test_a_file_that_another_program_holds_for_a_minute(tmp_path: Path, clock: Clock) -> None:
    with open_state(f"sqlite:///{tmp_path}/leafsight.db", now=clock, busy_timeout_s=0.02) as state:
        queued(state)
        mine = claimed(state)
        given = a_contribution()
        state.contributions.add_many([given])
        with closing(sqlite3.connect(tmp_path / "leafsight.db", isolation_level=None)) as third:
            third.execute("BEGIN IMMEDIATE")
            asks: list[Callable[[], object]] = [
                lambda: state.claims.beat(mine, {"done_steps": 1}),
                lambda: state.contributions.decide([given.id], "accepted"),
                lambda: state.contributions.annotate(given.id, findings=()),
                lambda: state.marks.put("a", {}),
            ]
            for ask in asks:
                with pytest.raises(StateBusyError, match="locked"):
                    ask()
            clock.now_ms += MINUTE_MS
            with pytest.raises(StateBusyError, match="locked"):
                state.claims.claim(KINDS, alone=True)
            third.execute("ROLLBACK")
        assert beaten(state, mine, done_steps=1).progress["done_steps"] == 1
        assert state.claims.claim(KINDS, alone=True) is None
        assert state.contributions.get(given.id) == given
