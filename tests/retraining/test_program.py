"""The program as the trainer starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.retraining.places import PROGRAM, Place, held_open, made_place

from leafsight.registry import SERVING
from leafsight.service.child_process import Ended
from leafsight.service.job_work import MOST_DEATHS, GivenUpError, Work

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = made_place(tmp_path)
    yield made
    made.state.close()


def test_from_the_environment_to_a_result_on_stdout(place: Place) -> None:
    job = place.job()
    with place.start(job) as process:
        words = Path(f"/proc/{process.pid}/cmdline")
        assert not words.exists() or b"leafsight.db" not in words.read_bytes()
        printed, talk = held_open(process)
    assert process.returncode == 0, talk
    result = json.loads(printed)
    assert result["promoted"]
    assert place.registry.get(SERVING).hash == result["candidate"]
    assert next(line for line in talk.splitlines() if line.startswith("step: ")) == "step: snapshot 0/6"
    assert "[" not in talk.replace("metrics: {", ""), "no log lines of anybody"
    assert not [line for line in talk.splitlines() if "DBOS" in line]
    for name in (
        f"retrainings/{job}/{one}"
        for one in ("snapshot.json", "snapshot-summary.json", "gate.json", "gate.html")
    ):
        assert place.blobs.get(name)


def test_what_failed_says_so_and_says_it_again(tmp_path: Path) -> None:
    place = made_place(tmp_path, photographs=0)
    job = place.job()
    for _ in range(2):
        status, printed, talk = place.run(job)
        assert (status, printed) == (1, {})
        assert talk.splitlines()[-2:] == [
            "error: no photograph is accepted",
            "hint: accept some, then retrain",
        ]
    place.state.close()


def test_an_order_that_cannot_be_is_said(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env=_plain({}),
        timeout=60,
    )
    assert ended.returncode == 1
    assert "error: this retraining cannot be: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_ends_with_who_started_it(place: Place) -> None:
    process = place.start(place.job())
    assert process.stdin is not None
    assert process.stderr is not None
    process.stderr.readline()
    process.stdin.close()
    assert process.wait(30) == -signal.SIGKILL
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()


def test_it_stands_behind_everybody_else(place: Place) -> None:
    if not Path("/proc/self/oom_score_adj").exists():
        pytest.skip("Linux only")
    with place.start(place.job()) as process:
        assert process.stderr is not None
        process.stderr.readline()
        assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) == 1000
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 15
        assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
        held_open(process)


def test_a_bound_on_memory_ends_it_and_nothing_else(place: Place) -> None:
    assert place.run(place.job(), max_memory_mb=150)[0] != 0
    assert place.registry.get(SERVING).hash == place.champion


def test_folders_of_jobs_that_are_over_are_swept(place: Place) -> None:
    first, second = place.job(), place.job()
    assert place.run(first)[0] == 0
    work = place.folder / "learning"
    assert (work / first).is_dir(), "the trainer may not have written its result down yet"
    place.state.jobs.cancel(first)
    assert place.run(second)[0] == 0
    assert [path.name for path in work.iterdir()] == [second]


def test_cancelled_in_the_middle_leaves_what_served(place: Place, tmp_path: Path) -> None:
    job = place.job()
    with place.start(job) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("step: train"):
            pass
        process.kill()  # what the trainer does when nobody wants the job any more
    place.state.jobs.cancel(job)
    assert place.registry.get(SERVING).hash == place.champion
    assert len([one for one in place.registry.entries() if not one.builtin]) == 1
    assert place.run(place.job())[1]["promoted"]


class Dying:
    """A child that is killed some times, each time in some step."""

    def __init__(self, work: Any, lives: list[tuple[int, int]]) -> None:
        self.work, self.lives, self.begun = work, lives, 0

    def __call__(self, *_: Any, **__: Any) -> Ended:
        status, steps = self.lives[self.begun]
        self.begun += 1
        self.work.heard(f"step: train {steps}/6")
        return Ended(status, Path("nowhere"), ())


@pytest.mark.parametrize(
    ("lives", "begun"),
    [
        ([(0, 6)], 1),
        ([(1, 0)], 1),
        ([(-9, 1), (-9, 1), (0, 6)], 3),
        ([(-9, 1), (-9, 1), (-9, 1), (0, 6)], MOST_DEATHS),
        ([(-9, 1), (-9, 2), (-9, 2), (-9, 3), (-9, 3), (0, 6)], 6),
    ],
)
def test_a_child_that_is_killed_is_begun_again_while_it_gets_on(
    place: Place, monkeypatch: pytest.MonkeyPatch, lives: list[tuple[int, int]], begun: int
) -> None:
    job: Any = place.state.jobs.get(place.job())
    nothing: Any = None
    work = Work(job, place.state, place.blobs, nothing, lambda: False)
    dying = Dying(work, lives)
    monkeypatch.setattr(Work, "child", dying)
    ended = work.lasting_child("module", [], Path("nowhere"), timeout_s=60)
    assert (dying.begun, ended.status) == (begun, lives[begun - 1][0])


def test_a_child_that_is_not_wanted_is_not_begun_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def given_up(*_: Any, **__: Any) -> Ended:
        raise GivenUpError

    job: Any = place.state.jobs.get(place.job())
    nothing: Any = None
    work = Work(job, place.state, place.blobs, nothing, lambda: False)
    monkeypatch.setattr(Work, "child", given_up)
    with pytest.raises(GivenUpError):
        work.lasting_child("module", [], Path("nowhere"), timeout_s=60)


def test_the_steps_lie_in_the_database_of_the_service(tmp_path: Path) -> None:
    from tests.state.own_postgres import NoPostgresError, own_postgres

    try:
        with own_postgres() as server:
            place = made_place(tmp_path, server.new_database())
            job = place.job()
            with place.start(job) as process:
                assert process.stderr is not None
                while not process.stderr.readline().startswith("step: gate"):
                    pass
                process.kill()
                held_open(process)
            # Another machine: the folder of the job is not there.
            elsewhere = str(tmp_path / "elsewhere")
            status, result, talk = place.run(job, work_dir=elsewhere)
            assert status == 0, talk
            assert result["promoted"]
            assert "step: train" not in talk, "what ended was not done again"
            assert not list((tmp_path / "learning").glob("*/steps.sqlite"))
            place.state.close()
    except NoPostgresError as error:
        pytest.skip(f"NOT TESTED ON POSTGRESQL: {error}")


def _plain(more: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "LEAFSIGHT_RETRAINING"} | more
