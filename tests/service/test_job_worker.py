"""The job worker without processes, and what services that work no jobs off say."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.made_archives import leaf_zip
from tests.service.conftest import options_in
from tests.service.contributed import parts_of

from leafsight.errors import StateBusyError, StateError
from leafsight.service import JobWorker, job_worker, job_worker_seen
from leafsight.service.clerk_keeper import ClerkKeeper
from leafsight.service.heart import BEAT_S, Heart, beat_age_s
from leafsight.service.job_worker import lack_of, shortcomings

ZIP = {"content-type": "application/zip"}


class NoProcesses:
    """A context of multiprocessing that starts nobody, and remembers whom."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def Pipe(self) -> Any:
        from multiprocessing import Pipe

        return Pipe()

    def Process(self, *, name: str, **_: Any) -> Any:
        context = self

        class Fake:
            exitcode = 0

            def start(self) -> None:
                context.started.append(name)

            def is_alive(self) -> bool:
                return True

            def terminate(self) -> None: ...

            def join(self, _: float | None = None) -> None: ...

            kill = terminate

        return Fake()


@pytest.mark.parametrize(("jobs", "started"), [("all", ["leafsight-clerk"]), ("none", [])])
def test_a_keeper_starts_nobody_where_jobs_are_left_to_others(
    tmp_path: Path, jobs: str, started: list[str]
) -> None:
    from multiprocessing import Pipe

    context, (ours, theirs) = NoProcesses(), Pipe()
    keeper = ClerkKeeper(options_in(tmp_path, jobs=jobs), (), context, lambda line: None)
    theirs.send("work")
    keeper.hear(ours)
    assert not ours.poll(), "it was heard in any case"
    keeper.look()
    keeper.look()
    assert context.started == started
    ours.close()
    theirs.close()


def test_who_is_at_work_is_not_started_again_for_what_it_will_see(tmp_path: Path) -> None:
    context, let_go = NoProcesses(), []
    keeper = ClerkKeeper(
        options_in(tmp_path), (), context, lambda line: None, before_start=lambda: let_go.append(1)
    )
    for _ in range(3):
        keeper.want("train")
        keeper.look()
    assert (context.started, let_go) == (["leafsight-trainer"], [1])
    keeper.stop()


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[JobWorker, list[str], NoProcesses]:
    said: list[str] = []
    context = NoProcesses()
    monkeypatch.setattr(job_worker, "get_context", lambda how: context)
    return JobWorker(options_in(tmp_path, jobs="none"), said.append, tmp_path / "alive"), said, context


def test_it_has_somebody_started_for_jobs_that_nobody_holds(
    worker: tuple[JobWorker, list[str], NoProcesses], start: Callable[..., TestClient]
) -> None:
    one, said, context = worker
    service = start(jobs="none")
    one._look()
    one._keeper.look()
    assert context.started == []
    assert service.post("/v1/uploads", content=leaf_zip(), headers=ZIP).status_code == 202
    one._look()
    one._keeper.look()
    assert context.started == ["leafsight-clerk"]
    service.post("/v1/retraining", json={"path": "quick"})
    one._look()
    one._keeper.look()
    assert context.started == ["leafsight-clerk", "leafsight-trainer"]
    assert [line.partition(":")[0] for line in said] == ["ready"]
    one._let_go_of_connections()


def test_a_database_that_is_away_is_waited_for_and_said_once(
    worker: tuple[JobWorker, list[str], NoProcesses], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, said, _ = worker
    opened = one._opened

    def away() -> Any:
        raise StateBusyError("the database does not answer")

    monkeypatch.setattr(one, "_opened", away)
    one._look()
    one._look()
    assert said == ["waiting: the database does not answer"]
    monkeypatch.setattr(job_worker, "SAY_AGAIN_S", 0.0)
    one._look()
    assert len(said) == 2, "and again after a while"
    monkeypatch.setattr(one, "_opened", opened)
    one._look()
    assert said[-1] == "the database answers again"
    assert one._state is not None

    def broken() -> Any:
        raise StateError("the database is damaged")

    monkeypatch.setattr(one._state.claims, "queues", broken)
    one._look()
    assert said[-1] == "waiting: the database is damaged", "one that was there once is no reason to end"
    one._let_go_of_connections()


def test_a_database_that_was_never_there_ends_it(
    worker: tuple[JobWorker, list[str], NoProcesses], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, _ = worker

    def wrong() -> Any:
        raise StateError("the database does not let us in")

    monkeypatch.setattr(one, "_opened", wrong)
    with pytest.raises(StateError, match="let us in"):
        one.run()
    assert not (one._heart._file).exists()


def test_what_is_missing_is_said_with_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_worker, "find_spec", lambda name: None if name == "torch" else name)
    (line,) = shortcomings()
    assert line.startswith("warning: full retrainings will fail here, torch is missing")
    assert "leafsight[train]" in line
    monkeypatch.setattr(job_worker, "find_spec", lambda name: name)
    assert shortcomings() == []


def test_what_it_lacks_for_the_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lack_of(options_in(tmp_path)) == "data"
    monkeypatch.setattr(job_worker, "find_spec", lambda name: None)
    assert lack_of(options_in(tmp_path, training_data=tmp_path)) == "torch"
    monkeypatch.setattr(job_worker, "find_spec", lambda name: name)
    assert lack_of(options_in(tmp_path, training_data=tmp_path)) == ""


def full(service: TestClient) -> str:
    why: str = service.get("/v1/retraining").json()["paths"]["full"]["why_not"]
    return why


def test_what_can_be_trained_is_what_the_job_worker_said(
    start: Callable[..., TestClient], tmp_path: Path
) -> None:
    assert "this server" in full(start())
    assert full(start(training_data=tmp_path)) == ""
    service = start(jobs="none")
    assert full(service) == job_worker_seen.NEVER_SEEN
    state = parts_of(service).state
    for lacks, words in (("data", "original photographs"), ("torch", "without torch")):
        job_worker_seen.tell_of_worker(state, lacks)  # type: ignore[arg-type]
        assert words in full(service)
        assert "this server" not in full(service)
    job_worker_seen.tell_of_worker(state, "")
    assert full(service) == ""


def test_whether_somebody_works_is_told(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.service import insight

    monkeypatch.setattr(insight, "HEALTH_FRESH_S", 0.0)
    monkeypatch.setattr(insight, "REST", 0)

    def jobs(service: TestClient) -> dict[str, Any]:
        said: dict[str, Any] = service.get("/v1/load").json()["health"]["jobs"]
        return said

    assert jobs(start()) == {"ok": True, "said": "this server works them off"}
    service = start(jobs="none")
    assert not jobs(service)["ok"]
    assert "leafsight work" in jobs(service)["said"]
    state = parts_of(service).state
    job_worker_seen.tell_of_worker(state, "")
    assert jobs(service) == {"ok": True, "said": "a job worker works them off"}
    long_ago = state.now() - job_worker_seen.SILENT_MS - 1
    state.marks.put(job_worker_seen.MARK, {"at_ms": long_ago, "lacks": ""})
    assert not jobs(service)["ok"]


def test_jobs_that_wait_and_run_are_figures(start: Callable[..., TestClient]) -> None:
    service = start(jobs="none")
    service.post("/v1/uploads", content=leaf_zip(), headers=ZIP)
    service.post("/v1/retraining", json={"path": "quick"})
    assert parts_of(service).state.claims.claim(["retraining"]) is not None
    text = service.get("/metrics").text
    counts = {
        (name, kind): float(value)
        for name, kind, value in re.findall(r'^leafsight_jobs_(\w+)\{kind="([^"]+)"\} (\S+)$', text, re.M)
    }
    assert counts["waiting", "check-upload"] == 1
    assert counts["running", "retraining"] == 1
    assert sum(counts.values()) == 2
    assert {kind for _, kind in counts} >= {"report", "check-upload", "correction", "retraining"}


def test_a_heart_beats_once_a_second_and_its_age_tells(tmp_path: Path) -> None:
    now, file = [0.0], tmp_path / "new" / "alive"
    heart = Heart(file, lambda: now[0])
    assert beat_age_s(file) is None
    heart.beat()
    age_s = beat_age_s(file)
    assert age_s is not None
    assert age_s < 5
    file.unlink()
    now[0] += BEAT_S / 2
    heart.beat()
    assert not file.exists()
    now[0] += BEAT_S
    heart.beat()
    assert file.exists()
    import os

    for wrong_s in (-3600, 3600):
        os.utime(file, (time.time() + wrong_s,) * 2)
        old_s = beat_age_s(file)
        assert old_s is not None
        assert old_s > 3000
    heart.stop()
    heart.stop()
    assert not file.exists()
    Heart(file / "below").stop()


def test_a_heart_that_cannot_write_beats_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    Heart(tmp_path / "file" / "alive").beat()
