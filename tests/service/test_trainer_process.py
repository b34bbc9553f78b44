"""The trainer beside a real service, with a program that stands for the one that trains.

The program writes down when it begins and ends, and goes on until a file is there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.made_archives import leaf_zip
from tests.service import running
from tests.service.asking import ask_once
from tests.service.running import RunningService, running_service
from tests.service.test_clerk_process import ask, children, ended, is_there, job_of, until, words_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]
PROGRAM = """
import json, os, pathlib, sys, time
from leafsight.storage import mind
mind()
here = pathlib.Path(__file__).parent
told = json.loads(os.environ["LEAFSIGHT_RETRAINING"])
def write(word):
    with (here / "times").open("a") as file:
        file.write(f"{word} {told['job']}\\n")
write("begins")
print("step: train 1/6", file=sys.stderr, flush=True)
while not (here / "go").exists():
    time.sleep(0.02)
write("ends")
print(json.dumps({"promoted": False, "cores": len(os.sched_getaffinity(0))}))
"""
ENTRY = """
import leafsight.service.retraining_job as job
job.PROGRAM = "stands_for_training"
from leafsight.cli import main
main()
"""


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stands_for_training.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(running, "ENTRY", ENTRY)


@pytest.fixture
def service(tmp_path: Path, colour_model: Path) -> Iterator[RunningService]:
    with running_service(tmp_path / "state", colour_model) as one:
        yield one


def retrain(service: RunningService, path: str = "quick") -> str:
    body = json.dumps({"path": path}).encode()
    status, _, answer = ask_once(
        service.port, "POST", "/v1/retraining", body, {"content-type": "application/json"}
    )
    assert status == 202, answer
    job: str = json.loads(answer)["job"]
    return job


def training(service: RunningService) -> tuple[int, int] | None:
    """The trainer and the program that it runs, while there is one."""
    for trainer in children(service.process.pid):
        for child in children(trainer):
            if "stands_for_training" in words_of(child):
                return trainer, child
    return None


def at_work(service: RunningService, job: str) -> tuple[int, int]:
    found: tuple[int, int] = until(lambda: training(service), "the program", service)
    until(lambda: job_of(service, job)["progress"].get("part") == "train", "its first word", service)
    return found


def times(folder: Path) -> list[str]:
    return (folder / "times").read_text().split("\n")[:-1]


def nice_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[16])


def test_a_long_training_holds_up_nothing(tmp_path: Path, service: RunningService) -> None:
    job = retrain(service)
    trainer, child = at_work(service, job)
    assert min(nice_of(trainer), nice_of(child)) >= 10, "it stands behind everybody else"
    status, _, answer = ask_once(
        service.port, "POST", "/v1/uploads", leaf_zip(), {"content-type": "application/zip"}
    )
    assert status == 202
    upload = json.loads(answer)["job"]
    assert ended(service, upload)["state"] in ("done", "failed")
    assert job_of(service, job)["state"] == "running"
    (tmp_path / "go").touch()
    done = ended(service, job)
    assert done["state"] == "done", done["error"]
    assert done["result"]["cores"] <= max(1, (os.cpu_count() or 1) // 2)
    until(lambda: len(children(service.process.pid)) == 1, "clerk and trainer to go home", service)


def test_a_trainer_that_is_killed_is_followed_by_one_that_goes_on(
    tmp_path: Path, service: RunningService
) -> None:
    job = retrain(service)
    trainer, child = at_work(service, job)
    os.kill(trainer, signal.SIGKILL)
    until(lambda: not is_there(child), "the program to end with the trainer", service)
    (tmp_path / "go").touch()
    assert ended(service, job)["state"] == "done"
    assert any("the trainer ended with -9" in line for line in service.said)
    assert times(tmp_path) == [f"begins {job}", f"begins {job}", f"ends {job}"]


def test_a_cancelled_retraining_ends_its_program(tmp_path: Path, service: RunningService) -> None:
    job = retrain(service)
    _, child = at_work(service, job)
    assert ask(service, "DELETE", f"/v1/jobs/{job}")["state"] == "cancelled"
    until(lambda: not is_there(child), "the program to end", service)
    until(lambda: len(children(service.process.pid)) == 1, "the trainer to go home", service)
    assert job_of(service, job)["state"] == "cancelled"


def test_a_service_that_ends_hands_its_retraining_back(tmp_path: Path, colour_model: Path) -> None:
    with running_service(tmp_path / "state", colour_model) as service:
        job = retrain(service)
        _, child = at_work(service, job)
        assert service.end() == 0
        assert not is_there(child)
    (tmp_path / "go").touch()
    with running_service(tmp_path / "state", colour_model) as service:
        found = ended(service, job)
        assert (found["state"], found["progress"]["try"]) == ("done", 1)


def test_of_two_services_on_one_database_one_trains_at_a_time(tmp_path: Path, colour_model: Path) -> None:
    state = tmp_path / "state"
    with running_service(state, colour_model) as one, running_service(state, colour_model) as two:
        first = retrain(one)
        until(lambda: training(one) or training(two), "the program", one)
        second = retrain(two, "full")
        until(lambda: job_of(one, first)["progress"].get("part") == "train", "its first word", one)
        assert job_of(two, second)["state"] == "queued"
        (tmp_path / "go").touch()
        found: list[dict[str, Any]] = [ended(one, job) for job in (first, second)]
        assert [(job["state"], job["progress"]["try"]) for job in found] == [("done", 1)] * 2
    assert times(tmp_path) == [f"begins {first}", f"ends {first}", f"begins {second}", f"ends {second}"]
