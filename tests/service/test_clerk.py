"""The clerk with jobs of its own kinds: what becomes of them when they end well, badly, or not at all."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.conftest import options_in

from leafsight.errors import (
    DatasetError,
    DiskFullError,
    LeafsightError,
    MissingExtraError,
    StateBusyError,
    StateError,
    StateFullError,
)
from leafsight.service import child_process, clerk, job_work
from leafsight.service.child_process import Ended, run_child
from leafsight.service.clerk import Clerk
from leafsight.service.clerk_bell import RUNG_FOR, TRAIN, WORK, Bell
from leafsight.service.clerk_keeper import ClerkKeeper
from leafsight.service.job_work import ChildFailedError, Work, need, printed_json
from leafsight.state import Blobs, JobRecord, State, new_id, open_blobs, open_state

DONE = {"a": 1}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}") as one:
        yield one


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(str(tmp_path / "blobs"))


def queued(state: State, kind: str = "sort", **request: Any) -> str:
    now_ms = state.now()
    one = JobRecord(
        id=new_id(), kind=kind, state="queued", created_ms=now_ms, updated_ms=now_ms, request=request
    )
    state.jobs.add(one)
    return one.id


def clerk_of(
    state: State, blobs: Blobs, folder: Path, do: Callable[[Work], dict[str, Any]], ended: Any = lambda: False
) -> Clerk:
    return Clerk(state, blobs, options_in(folder), ended, {"sort": do})


def found(state: State, job: str) -> JobRecord:
    one = state.jobs.get(job)
    assert one is not None
    return one


def test_clerk_and_trainer_are_rung_for_what_they_can_do() -> None:
    from leafsight.service.clerk import DOES

    assert {word: set(kinds) for word, kinds in RUNG_FOR.items()} == {
        word: set(kinds) for word, kinds in DOES.items()
    }


def test_a_job_is_done_and_those_of_other_kinds_are_left(state: State, blobs: Blobs, tmp_path: Path) -> None:
    other, job = queued(state, "another's"), queued(state)
    clerk = clerk_of(state, blobs, tmp_path, lambda work: DONE)
    assert [clerk.work_one(), clerk.work_one()] == [True, False]
    assert (found(state, job).state, found(state, job).result) == ("done", DONE)
    assert found(state, other).state == "queued"


def test_an_error_is_said_and_a_bug_says_nothing_of_itself(
    state: State, blobs: Blobs, tmp_path: Path
) -> None:
    def fail(work: Work) -> dict[str, Any]:
        raise (
            DatasetError("no photographs", hint="give some")
            if work.job.request["mine"]
            else KeyError("secret")
        )

    jobs = [queued(state, mine=True), queued(state, mine=False)]
    clerk = clerk_of(state, blobs, tmp_path, fail)
    assert [clerk.work_one(), clerk.work_one()] == [True, True]
    errors = [found(state, one).error or {} for one in jobs]
    assert [found(state, one).state for one in jobs] == ["failed", "failed"]
    assert (errors[0]["message"], errors[0]["hint"]) == ("no photographs", "give some")
    assert "secret" not in str(errors[1])


def test_a_job_that_is_cancelled_meanwhile_stays_so(state: State, blobs: Blobs, tmp_path: Path) -> None:
    def cancelled(work: Work) -> dict[str, Any]:
        state.jobs.cancel(work.job.id)
        work.go_on()
        raise AssertionError("it went on")

    job = queued(state)
    clerk_of(state, blobs, tmp_path, cancelled).work_one()
    assert (found(state, job).state, found(state, job).error) == ("cancelled", None)


def test_who_is_told_to_end_hands_its_job_back(state: State, blobs: Blobs, tmp_path: Path) -> None:
    ended = threading.Event()

    def asked_to_end(work: Work) -> dict[str, Any]:
        ended.set()
        work.go_on()
        raise AssertionError("it went on")

    job = queued(state)
    clerk_of(state, blobs, tmp_path, asked_to_end, ended.is_set).work_one()
    assert (found(state, job).state, found(state, job).progress) == ("queued", {})


def test_what_a_slow_clerk_says_of_a_job_that_it_lost_is_not_taken(
    state: State, blobs: Blobs, tmp_path: Path
) -> None:
    def lost(work: Work) -> dict[str, Any]:
        state.claims._now = lambda: work.job.updated_ms + 60_000
        theirs = state.claims.claim(["sort"])
        assert theirs is not None
        assert not work.wanted()
        return {"mine": "too late"}

    job = queued(state)
    clerk_of(state, blobs, tmp_path, lost).work_one()
    assert (found(state, job).state, found(state, job).result) == ("running", None)


def test_two_clerks_do_each_job_once(state: State, blobs: Blobs, tmp_path: Path) -> None:
    done: list[str] = []

    def do(work: Work) -> dict[str, Any]:
        done.append(work.job.id)
        return DONE

    jobs = [queued(state) for _ in range(10)]
    clerks = [clerk_of(state, blobs, tmp_path, do) for _ in range(2)]
    threads = [threading.Thread(target=one.attend, kwargs={"idle_s": 0.1}) for one in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(jobs)
    assert {found(state, one).state for one in jobs} == {"done"}


@pytest.mark.parametrize(
    "trouble",
    [
        StateBusyError("the bucket does not answer"),
        StateFullError("the disk under it is full"),
        StateError("the disk failed"),
        DiskFullError("full"),
    ],
)
def test_a_job_whose_store_is_in_trouble_is_done_when_that_is_over(
    state: State, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: LeafsightError
) -> None:
    """Nobody has to ask for it again: what was accepted is looked into."""
    monkeypatch.setattr(clerk, "PAUSE_S", 0.0)
    seen: list[str] = []

    def do(work: Work) -> dict[str, Any]:
        seen.append(found(state, work.job.id).state)
        if len(seen) < 6:  # more often than a job may kill its process
            raise trouble
        return DONE

    job = queued(state)
    clerk_of(state, blobs, tmp_path, do).attend(idle_s=0.1)
    assert seen == ["running"] * 6
    assert (found(state, job).state, found(state, job).result, found(state, job).error) == (
        "done",
        DONE,
        None,
    )


def test_others_are_done_while_one_waits_for_its_store(state: State, blobs: Blobs, tmp_path: Path) -> None:
    def do(work: Work) -> dict[str, Any]:
        if work.job.request["gone"]:
            raise StateBusyError("the bucket does not answer")
        return DONE

    waits, other = queued(state, gone=True), queued(state, gone=False)
    one = clerk_of(state, blobs, tmp_path, do)
    assert [one.work_one(), one.work_one(), one.work_one()] == [True, True, False]
    assert (found(state, waits).state, found(state, waits).progress) == ("queued", {})
    assert found(state, other).state == "done"


def test_a_clerk_waits_for_what_it_put_off_and_for_nothing_that_is_cancelled(
    state: State, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk, "PAUSE_S", 1.5)
    begun: list[float] = []

    def do(work: Work) -> dict[str, Any]:
        begun.append(time.monotonic())
        if len(begun) == 2:
            state.jobs.cancel(work.job.id)
        raise StateBusyError("the bucket does not answer")

    job = queued(state)
    clerk_of(state, blobs, tmp_path, do).attend(idle_s=1.0)
    assert len(begun) == 2
    assert begun[1] - begun[0] >= 1.5
    assert found(state, job).state == "cancelled"


def test_patience_has_an_end(state: State, blobs: Blobs, tmp_path: Path) -> None:
    def do(work: Work) -> dict[str, Any]:
        raise StateBusyError("the bucket does not answer", hint="try again")

    job = queued(state)
    assert Clerk(state, blobs, options_in(tmp_path), lambda: False, {"sort": do}, patience_s=0.0).work_one()
    error = found(state, job).error or {}
    assert (found(state, job).state, error["message"]) == ("failed", "the bucket does not answer")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("reading leaves: started", {"step": "reading leaves"}),
        ("reading leaves: 12/48 a note", {"step": "reading leaves", "done": 12, "total": 48, "share": 0.25}),
        ("reading leaves: 12", {"step": "reading leaves", "done": 12}),
        ("shortcuts: done in 1.0 s", {"step": "shortcuts", "share": 1.0}),
        ("a word of somebody", {"step": "before"}),
    ],
)
def test_progress_is_read_from_what_a_child_says(
    state: State, blobs: Blobs, tmp_path: Path, line: str, told: dict[str, Any]
) -> None:
    queued(state)
    job = state.claims.claim(["sort"])
    assert job is not None
    work = Work(job, state, blobs, options_in(tmp_path), lambda: False)
    work.step("before", "health")
    work.heard(line)
    assert work.progress == {"part": "health", **told}
    assert work.wanted()
    assert found(state, job.id).progress == {"part": "health", **told, "try": 1}


def test_a_library_that_is_missing_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_work, "find_spec", lambda name: None if name == "matplotlib" else name)
    need("pyarrow")
    with pytest.raises(MissingExtraError) as caught:
        need("pyarrow", "matplotlib")
    assert "pip install 'leafsight[train]'" in caught.value.hint


def test_what_a_child_says_before_it_fails_is_the_error(tmp_path: Path) -> None:
    printed = tmp_path / "out"
    printed.write_text("")
    lines = ("reading: started", f"error: {tmp_path}/upload.zip is damaged", "hint: get it again")
    with pytest.raises(ChildFailedError) as caught:
        printed_json(Ended(1, printed, lines), tmp_path)
    assert (caught.value.message, caught.value.hint) == ("upload.zip is damaged", "get it again")
    with pytest.raises(ChildFailedError, match="was killed"):
        printed_json(Ended(-9, printed, ()), tmp_path)
    printed.write_text('{"a": 1}')
    assert printed_json(Ended(1, printed, ()), tmp_path) == DONE


CHILD = """
import sys, time
print("{}", flush=True)
print("step: 1/2", file=sys.stderr, flush=True)
time.sleep(float(sys.argv[1]))
sys.exit(7)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that a child can run; it does as little as a program can."""
    (tmp_path / "small_child.py").write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "small_child"


def test_a_child_that_ends_by_itself(program: str, tmp_path: Path) -> None:
    told: list[str] = []
    ended = run_child(program, ["0"], tmp_path / "out", told=told.append, wanted=lambda: True, timeout_s=60)
    assert ended is not None
    assert (ended.status, ended.printed.read_text().strip(), told) == (7, "{}", ["step: 1/2"])


def test_a_child_that_nobody_wants_is_ended(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "BEAT_S", 0.05)
    told: list[str] = []
    ended = run_child(
        program, ["600"], tmp_path / "out", told=told.append, wanted=lambda: not told, timeout_s=60
    )
    assert ended is None


def test_a_child_that_takes_too_long_is_ended(program: str, tmp_path: Path) -> None:
    ended = run_child(
        program, ["600"], tmp_path / "out", told=lambda line: None, wanted=lambda: True, timeout_s=0.2
    )
    assert ended is not None
    assert ended.status == -9


class _Process:
    """Stands for a process of multiprocessing."""

    def __init__(self, started: list[_Process]) -> None:
        self.exitcode: int | None = None
        self._started = started

    def start(self) -> None:
        self._started.append(self)

    def is_alive(self) -> bool:
        return self.exitcode is None

    def terminate(self) -> None:
        self.exitcode = 0

    def join(self, timeout: float | None = None) -> None:
        pass


class _Context:
    def __init__(self) -> None:
        self.started: list[_Process] = []
        self.names: list[str] = []

    def Pipe(self) -> Any:
        from multiprocessing import Pipe

        return Pipe()

    def Process(self, *, name: str, **_: Any) -> _Process:
        self.names.append(name)
        return _Process(self.started)


def test_a_clerk_is_started_for_work_only_and_again_when_it_dies_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket
    from multiprocessing import Pipe

    context, said = _Context(), list[str]()
    ours, worker = Pipe()
    with socket.socket() as listening:
        keeper = ClerkKeeper(options_in(tmp_path), (listening,), context, said.append)
        keeper.hear(ours)
        keeper.look()
        assert context.started == []
        bell = Bell()
        bell.ring()  # nobody to hear it
        bell.hang(worker.send)
        bell.ring()
        worker.send("ready")
        for _ in range(3):
            keeper.hear(ours)
            keeper.look()
        assert len(context.started) == 1
        context.started[0].exitcode = -9
        keeper.look()
        assert len(context.started) == 1, "not at once"
        at = time.monotonic() + 60
        monkeypatch.setattr(time, "monotonic", lambda: at)
        keeper.look()
        assert len(context.started) == 2
        assert "taken up again" in said[0]
        context.started[1].exitcode = 0
        keeper.look()
        keeper.look()
        assert len(context.started) == 2, "it had nothing to do any more"
        worker.send(WORK)
        worker.close()
        keeper.hear(ours)
        keeper.hear(ours)  # a worker that is gone says nothing
        keeper.look()
        assert len(context.started) == 3
        keeper.stop()
        assert context.started[2].exitcode == 0
        keeper.stop()
    ours.close()


def test_the_trainer_is_started_beside_the_clerk(tmp_path: Path) -> None:
    import socket
    from multiprocessing import Pipe

    context = _Context()
    ours, worker = Pipe()
    with socket.socket() as listening:
        keeper = ClerkKeeper(options_in(tmp_path), (listening,), context, lambda line: None)
        bell = Bell()
        bell.hang(worker.send)
        for word in (TRAIN, WORK, TRAIN):
            bell.ring(word)
            keeper.hear(ours)
            keeper.look()
        assert context.names == ["leafsight-trainer", "leafsight-clerk"]
        keeper.stop()
        assert [one.exitcode for one in context.started] == [0, 0]
    ours.close()
    worker.close()


def test_one_trains_at_a_time(state: State, blobs: Blobs, tmp_path: Path) -> None:
    at_work: list[str] = []

    def train(work: Work) -> dict[str, Any]:
        at_work.append(work.job.id)
        other = Clerk(state, blobs, options_in(tmp_path), lambda: False, {"sort": train}, alone=True)
        assert not other.work_one(), "another holds one"
        return DONE

    jobs = [queued(state) for _ in range(2)]
    trainer = Clerk(state, blobs, options_in(tmp_path), lambda: False, {"sort": train}, alone=True)
    assert [trainer.work_one(), trainer.work_one(), trainer.work_one()] == [True, True, False]
    assert at_work == jobs


def test_nothing_heavy_is_loaded_by_the_clerk() -> None:
    import subprocess

    program = (
        "import sys, leafsight.service.clerk; "
        "print(sorted({'pyarrow', 'matplotlib', 'torch', 'scipy', 'fastapi', 'dbos'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
