"""Two services that work no jobs off, and a job worker beside them, on one database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.made_archives import leaf_zip
from tests.service import running
from tests.service.asking import ask_once
from tests.service.running import PATIENCE_S, RunningService, running_service
from tests.service.test_clerk_process import ask, children, ended, is_there, job_of, until, words_of
from tests.service.test_trainer_process import ENTRY, PROGRAM, retrain, times
from tests.service.working import RunningWorker, running_worker, words_for
from tests.state.own_postgres import NoPostgresError, OwnPostgres, own_postgres

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]
TICKED_S = 8.0
"""By then both services have looked after what is due."""
Two = tuple[RunningService, RunningService]


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    with ExitStack() as stack:
        try:
            made = stack.enter_context(own_postgres())
        except NoPostgresError as error:
            pytest.skip(f"NOT TESTED ON POSTGRESQL: {error}")
        yield made


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that stands for the one that trains."""
    (tmp_path / "stands_for_training.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(running, "ENTRY", ENTRY)


@pytest.fixture
def two(tmp_path: Path, colour_model: Path) -> Iterator[Two]:
    """Two services that work no jobs off."""
    words = ("--jobs", "none")
    with (
        running_service(tmp_path / "state", colour_model, *words) as one,
        running_service(tmp_path / "state", colour_model, *words) as other,
    ):
        yield one, other


def send(service: RunningService) -> str:
    status, _, answer = ask_once(
        service.port, "POST", "/v1/uploads", leaf_zip(), {"content-type": "application/zip"}
    )
    assert status == 202, answer
    job: str = json.loads(answer)["job"]
    return job


def post(service: RunningService, path: str, what: dict[str, Any]) -> dict[str, Any]:
    plain = {"content-type": "application/json"}
    status, _, answer = ask_once(service.port, "POST", path, json.dumps(what).encode(), plain)
    assert status < 300, answer
    said: dict[str, Any] = json.loads(answer)
    return said


def below(process: int) -> list[int]:
    """All that it started, and what they started."""
    return [one for child in children(process) for one in (child, *below(child))]


def program_of(worker: RunningWorker) -> int | None:
    """The program that stands for training, while there is one."""
    found = [one for one in below(worker.process.pid) if "-m stands_for_training" in words_of(one)]
    return found[0] if found else None


def at_work(worker: RunningWorker, service: RunningService, job: str) -> int:
    found: int = until(lambda: program_of(worker), "the program", service)
    until(lambda: job_of(service, job)["progress"].get("part") == "train", "its first word", service)
    return found


def figures(service: RunningService) -> dict[str, float]:
    """What waits and runs, over all kinds."""
    lines = [line for line in service.get("/metrics").body.decode().splitlines() if "leafsight_jobs_" in line]
    counts = {"waiting": 0.0, "running": 0.0}
    for line in lines:
        if not line.startswith("#"):
            counts[line.partition("{")[0].rpartition("_")[2]] += float(line.rpartition(" ")[2])
    return counts


def test_what_services_leave_lying_the_job_worker_does(tmp_path: Path, colour_model: Path, two: Two) -> None:
    assert any("works no jobs off" in line for line in two[0].said)
    jobs = [send(one) for one in two for _ in range(3)]
    until(lambda: figures(two[0])["waiting"] >= 6, "the figures", two[0])
    assert [job_of(two[0], job)["state"] for job in jobs] == ["queued"] * 6, "nobody works them off"
    assert all(len(children(one.process.pid)) == 1 for one in two), "a worker of HTTP, and no clerk"
    with running_worker(tmp_path / "state", colour_model) as worker:
        found = [ended(two[1], job) for job in jobs]
        assert [(one["state"], one["progress"]["try"]) for one in found] == [("done", 1)] * 6
        until(lambda: not children(worker.process.pid), "the clerk to go home", two[0])
        later = send(two[1])
        assert ended(two[0], later)["state"] == "done", (
            "the connection was closed for the fork, and opened again"
        )
        assert worker.end() == 0
        said = "".join(worker.said)
        assert all(f'"job": "{job}"' in said for job in [*jobs, later])
        assert said.count('"kind": "check-upload", "state": "done"') == 7, "each once"
        assert "works off: report, check-upload, correction, recheck, drift, retraining" in said
    until(lambda: figures(two[0]) == {"waiting": 0.0, "running": 0.0}, "the figures", two[0])


def test_a_job_worker_that_is_killed_at_work_is_followed_by_one_that_does_it(
    tmp_path: Path, colour_model: Path, two: Two, stand_in: None
) -> None:
    job = retrain(two[0])
    with running_worker(tmp_path / "state", colour_model) as worker:
        child = at_work(worker, two[0], job)
        worker.kill()
        until(lambda: not is_there(child), "the program to end with it", two[0])
    (tmp_path / "go").touch()
    with running_worker(tmp_path / "state", colour_model) as worker:
        assert ended(two[1], job)["state"] == "done"
    assert times(tmp_path) == [f"begins {job}", f"begins {job}", f"ends {job}"]


def test_its_clerk_and_trainer_end_with_a_job_worker_that_is_killed_alone(
    tmp_path: Path, colour_model: Path, two: Two, stand_in: None
) -> None:
    job = retrain(two[0])
    with running_worker(tmp_path / "state", colour_model) as worker:
        child = at_work(worker, two[0], job)
        everybody = below(worker.process.pid)
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait(PATIENCE_S)
        until(lambda: not any(map(is_there, [*everybody, child])), "all to end", two[0])
    until(lambda: job_of(two[0], job)["state"] == "queued", "the job to be handed back", two[0])


def test_sigterm_hands_the_job_back(tmp_path: Path, colour_model: Path, two: Two, stand_in: None) -> None:
    job = retrain(two[0])
    with running_worker(tmp_path / "state", colour_model) as worker:
        child = at_work(worker, two[0], job)
        assert worker.end() == 0
        assert not is_there(child)
        assert any("handed back" in line for line in worker.said)
    assert job_of(two[0], job)["state"] == "queued"
    (tmp_path / "go").touch()
    done = subprocess.run(
        words_for(tmp_path / "state", colour_model, "--once", "--json"),
        capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["jobs"] >= 1
    found = job_of(two[1], job)
    assert (found["state"], found["progress"]["try"]) == ("done", 1)


def test_of_two_job_workers_one_trains_at_a_time_and_uploads_go_on(
    tmp_path: Path, colour_model: Path, two: Two, stand_in: None
) -> None:
    state = tmp_path / "state"
    with running_worker(state, colour_model) as first, running_worker(state, colour_model) as second:
        job = retrain(two[0])
        until(lambda: program_of(first) or program_of(second), "the program", two[0])
        other = retrain(two[1], "full")
        assert ended(two[0], send(two[1]))["state"] == "done"
        assert not (program_of(first) and program_of(second))
        assert job_of(two[0], other)["state"] == "queued"
        (tmp_path / "go").touch()
        found: list[dict[str, Any]] = [ended(two[0], one) for one in (job, other)]
        assert [(one["state"], one["progress"]["try"]) for one in found] == [("done", 1)] * 2
    assert times(tmp_path) == [f"begins {job}", f"ends {job}", f"begins {other}", f"ends {other}"]


def test_what_begins_by_itself_begins_once(
    tmp_path: Path, colour_model: Path, stand_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_RETRAIN_AFTER", "1")
    (tmp_path / "go").touch()
    state, words = tmp_path / "state", ("--jobs", "none")
    with (
        running_service(state, colour_model, *words) as one,
        running_service(state, colour_model, *words) as other,
        running_worker(state, colour_model),
    ):
        time.sleep(TICKED_S)
        kinds = sorted(job["kind"] for job in ask(one, "GET", "/v1/jobs")["jobs"])
        assert kinds == ["drift", "recheck"], "two looked, and one of them asked"
        assert ended(one, send(other))["state"] == "done"
        (upload,) = ask(one, "GET", "/v1/uploads")["uploads"]
        for name in ("rust", "healthy"):
            post(one, "/v1/classes/declared", {"name": name})
        assert post(other, "/v1/contributions/decide", {"upload": upload["id"], "state": "accepted"})[
            "changed"
        ]
        asked = lambda: ask(one, "GET", "/v1/retraining")["retrainings"]  # noqa: E731
        until(asked, "a retraining that nobody asked for", one)
        (retraining,) = asked()
        assert (retraining["why"], retraining["by"]) == ("count", "leafsight")
        assert ended(one, retraining["id"])["state"] == "done"
        time.sleep(TICKED_S)
        assert len(asked()) == 1
    assert times(tmp_path) == [f"begins {retraining['id']}", f"ends {retraining['id']}"]


def test_a_postgresql_that_goes_away_is_waited_for(
    tmp_path: Path, colour_model: Path, postgres: OwnPostgres
) -> None:
    words = ("--database", postgres.new_database())
    with (
        running_service(tmp_path / "state", colour_model, *words, "--jobs", "none") as service,
        running_worker(tmp_path / "state", colour_model, *words) as worker,
    ):
        assert ended(service, send(service))["state"] == "done"
        postgres.stop()
        worker.wait_for("waiting: ")
        postgres.start()
        worker.wait_for("answers again")
        assert ended(service, send(service))["state"] == "done"
        assert worker.process.poll() is None
        assert worker.end() == 0
    assert not any("Traceback" in line for line in worker.said), "".join(worker.said)


def test_one_that_starts_before_its_database_waits_for_it(
    tmp_path: Path, colour_model: Path, postgres: OwnPostgres
) -> None:
    address = postgres.new_database()
    postgres.stop()
    try:
        with running_worker(tmp_path / "state", colour_model, "--database", address) as worker:
            worker.wait_for("waiting: ")
            alive = words_for(tmp_path / "state", None, "--alive")
            assert subprocess.run(alive, capture_output=True, timeout=PATIENCE_S).returncode == 0
            postgres.start()
            worker.wait_for("ready: looks for jobs in")
            assert worker.end() == 0
            assert subprocess.run(alive, capture_output=True, timeout=PATIENCE_S).returncode == 1
    finally:
        postgres.stop()
        postgres.start()


def test_looking_whether_it_is_alive_costs_little(tmp_path: Path) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(3):
        subprocess.run(words_for(tmp_path, None, "--alive"), capture_output=True, timeout=PATIENCE_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert took_s / 3 < 0.5


@pytest.fixture
def taught(tmp_path: Path) -> Callable[[RunningService], str]:
    """Sends drawn leaves of a new crop, accepts them and asks for a retraining; its job."""
    from leafsight.dataset import SynthOptions, write_synthetic_collection

    new, folder = "Roundleaf___Rust", tmp_path / "drawn"
    options = SynthOptions(
        crops=("Roundleaf",), conditions=("Rust",), leaves_per_class=30, views_per_leaf=1, side_px=256,
        not_a_leaf=False, field_share=1.0,
    )  # fmt: skip
    write_synthetic_collection(folder, options)

    def teach(service: RunningService) -> str:
        import io
        import zipfile

        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for one in sorted(folder.rglob("*.jpg")):
                archive.write(one, f"{new}/{one.name}")
        status, _, answer = ask_once(
            service.port, "POST", "/v1/uploads", packed.getvalue(), {"content-type": "application/zip"}
        )
        assert status == 202, answer
        sent = json.loads(answer)
        assert ended(service, sent["job"])["state"] == "done"
        post(service, "/v1/classes/declared", {"name": new, "note": ""})
        wish = {"upload": sent["id"], "state": "accepted"}
        assert post(service, "/v1/contributions/decide", wish)["changed"] == 30
        return retrain(service)

    return teach


def test_a_quick_retraining_by_the_job_worker_serves_at_both(
    tmp_path: Path, postgres: OwnPostgres, taught: Callable[[RunningService], str]
) -> None:
    words = ("--database", postgres.new_database())
    served = (*words, "--jobs", "none", "--deadline-ms", "60000")
    with (
        running_service(tmp_path / "state", None, *served) as one,
        running_service(tmp_path / "state", None, *served) as other,
        running_worker(tmp_path / "state", None, *words) as worker,
    ):
        found = ended(one, taught(other))
        assert found["state"] == "done", (found["error"], "".join(worker.said[-20:]))
        assert found["result"]["promoted"], found["result"]
        made = found["result"]["candidate"]
        for service in (one, other):
            until(lambda: ask(service, "GET", "/v1/about")["model"]["id"] == made, "its model", service)  # noqa: B023
        assert worker.end() == 0
