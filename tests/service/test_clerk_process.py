"""The clerk beside a real service: reports of drawn leaves, and what becomes of jobs when processes die."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.service.running import RunningService, running_service

from leafsight.dataset import SynthOptions, write_synthetic_collection

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]
PATIENCE_S = 180.0


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of drawn leaves."""
    folder = tmp_path_factory.mktemp("drawn") / "leaves"
    options = SynthOptions(
        crops=("Roundleaf",), conditions=("healthy", "Rust"), leaves_per_class=6, side_px=96, not_a_leaf=False
    )
    write_synthetic_collection(folder, options)
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier test read is read again."""
    monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path / "cache"))


def ask(service: RunningService, method: str, path: str) -> Any:
    answer = service.ask(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode())
    assert answer.status < 400, answer.body
    return json.loads(answer.body)


def until(true: Callable[[], Any], what: str, service: RunningService) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < end, f"waited for {what}: {''.join(service.said[-20:])}"
        time.sleep(0.05)
    return found


def job_of(service: RunningService, job: str) -> dict[str, Any]:
    said: dict[str, Any] = ask(service, "GET", f"/v1/jobs/{job}")
    return said


def ended(service: RunningService, job: str) -> dict[str, Any]:
    """The job when it has ended."""

    def look() -> dict[str, Any] | None:
        found = job_of(service, job)
        return found if found["state"] in ("done", "failed", "cancelled") else None

    found: dict[str, Any] = until(look, f"the end of {job}", service)
    return found


def children(process: int) -> list[int]:
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(one) for one in listed.split()]


def words_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def checking(service: RunningService) -> tuple[int, int] | None:
    """The clerk and the child that it runs, while there is one."""
    for clerk in children(service.process.pid):
        for child in children(clerk):
            if "leafsight.service.minded" in words_of(child):
                return clerk, child
    return None


def is_there(process: int) -> bool:
    return bool(words_of(process))


def test_a_report_of_a_drawn_collection(tmp_path: Path, colour_model: Path, leaves: Path) -> None:
    with running_service(tmp_path / "state", colour_model, "--data", str(leaves)) as service:
        assert len(children(service.process.pid)) == 1, "a worker, and no clerk while there is nothing to do"
        job = ask(service, "POST", "/v1/reports")["job"]
        clerk, child = until(lambda: checking(service), "a child", service)
        nice = [
            int(Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[16])
            for one in (clerk, child)
        ]
        assert min(nice) >= 10, "it stands behind everybody else"
        assert ended(service, job)["state"] == "done", job_of(service, job)
        (brief,) = ask(service, "GET", "/v1/reports")["reports"]
        report = ask(service, "GET", f"/v1/reports/{brief['id']}")
        assert (brief["photographs"], report["usable"]) == (report["photographs"], report["photographs"])
        assert sum(report["class_counts"].values()) == report["usable"] > 0
        assert {"health.html", "health.json", "insight.html"} < set(report["files"])
        assert len(report["figures"]) == 15
        for figure in report["figures"]:
            assert figure["question"].endswith("?")
            assert figure["answer"]
            picture = service.get(f"/v1/reports/{brief['id']}/files/{figure['picture']}")
            assert picture.body.startswith(b"\x89PNG")
        weights = [finding["weight"] for finding in report["findings"]]
        assert weights == sorted(weights, key=["mend", "look", "know"].index)
        assert str(tmp_path) not in json.dumps(report)
        until(lambda: len(children(service.process.pid)) == 1, "the clerk to go home", service)


def test_a_clerk_that_is_killed_at_its_work_is_followed_by_one_that_does_it(
    tmp_path: Path, colour_model: Path, leaves: Path
) -> None:
    with running_service(tmp_path / "state", colour_model, "--data", str(leaves)) as service:
        job = ask(service, "POST", "/v1/reports")["job"]
        clerk, child = until(lambda: checking(service), "a child", service)
        os.kill(clerk, signal.SIGKILL)
        until(lambda: not is_there(child), "the child to end with the clerk", service)
        found = ended(service, job)
        assert (found["state"], found["progress"]["try"]) == ("done", 2)
        assert [one["id"] for one in ask(service, "GET", "/v1/reports")["reports"]] == [job]
        assert any("the clerk ended with -9" in line for line in service.said)


def test_a_cancelled_report_ends_its_child_and_leaves_nothing(
    tmp_path: Path, colour_model: Path, leaves: Path
) -> None:
    with running_service(tmp_path / "state", colour_model, "--data", str(leaves)) as service:
        job = ask(service, "POST", "/v1/reports")["job"]
        _, child = until(lambda: checking(service), "a child", service)
        assert ask(service, "DELETE", f"/v1/jobs/{job}")["state"] == "cancelled"
        until(lambda: not is_there(child), "the child to end", service)
        until(lambda: len(children(service.process.pid)) == 1, "the clerk to go home", service)
        assert job_of(service, job)["state"] == "cancelled"
        assert not any(path.is_file() for path in (tmp_path / "state" / "blobs" / "reports").rglob("*"))


def test_a_service_that_ends_hands_the_job_back_and_the_next_one_does_it(
    tmp_path: Path, colour_model: Path, leaves: Path
) -> None:
    words = ("--data", str(leaves))
    with running_service(tmp_path / "state", colour_model, *words) as service:
        job = ask(service, "POST", "/v1/reports")["job"]
        _, child = until(lambda: checking(service), "a child", service)
        assert service.end() == 0
        assert not is_there(child)
    with running_service(tmp_path / "state", colour_model, *words) as service:
        found = ended(service, job)
        assert (found["state"], found["progress"]["try"]) == ("done", 1)


def test_the_clerk_and_its_child_end_when_the_supervisor_is_killed(
    tmp_path: Path, colour_model: Path, leaves: Path
) -> None:
    with running_service(tmp_path / "state", colour_model, "--data", str(leaves)) as service:
        ask(service, "POST", "/v1/reports")
        clerk, child = until(lambda: checking(service), "a child", service)
        service.process.kill()
        service.process.wait(PATIENCE_S)
        until(lambda: not (is_there(clerk) or is_there(child)), "both to end", service)


def test_two_services_on_one_database_do_each_job_once(tmp_path: Path, colour_model: Path) -> None:
    from tests.fakes.made_archives import leaf_zip

    body = leaf_zip()
    head = "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
    head += f"Content-Length: {len(body)}"
    state = tmp_path / "state"
    with running_service(state, colour_model) as one, running_service(state, colour_model) as two:
        jobs = []
        for number in range(8):
            answer = (one, two)[number % 2].ask(f"{head}\r\n\r\n".encode() + body)
            assert answer.status == 202, answer.body
            jobs.append(json.loads(answer.body)["job"])
        states = [ended(one, job) for job in jobs]
        assert [(found["state"], found["progress"]["try"]) for found in states] == [("done", 1)] * len(jobs)
        said = [
            [job for job in jobs if any(f'"job": "{job}"' in line for line in each.said)]
            for each in (one, two)
        ]
        assert sorted(said[0] + said[1]) == sorted(jobs), "each by one clerk, and once"
        assert ask(two, "GET", "/v1/uploads?limit=1")["uploads"][0]["state"] == "checked"


def test_a_collection_that_cannot_be_read_is_said(tmp_path: Path, colour_model: Path) -> None:
    (tmp_path / "empty").mkdir()
    with running_service(tmp_path / "state", colour_model, "--data", str(tmp_path / "empty")) as service:
        found = ended(service, ask(service, "POST", "/v1/reports")["job"])
        assert found["state"] == "failed"
        assert "no photographs in class folders" in found["error"]["message"]
        assert "class" in found["error"]["hint"]
