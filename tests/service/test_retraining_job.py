"""The trainer's work with a program that stands for the one that trains."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.conftest import options_in
from tests.service.test_triggers import accept

from leafsight.service import child_process, retraining_job, triggers
from leafsight.service.clerk import Clerk
from leafsight.service.newly_accepted import BEGUN, TRAINED
from leafsight.service.retraining_job import retrain
from leafsight.service.retrainings import ask_for
from leafsight.state import Blobs, JobRecord, State, open_blobs, open_state

PASSWORD = "hush"
PROGRAM = """
import json, os, sys, time
told = json.loads(os.environ["LEAFSIGHT_RETRAINING"])
print("step: train 1/6", file=sys.stderr, flush=True)
print("training: 3/4", file=sys.stderr, flush=True)
time.sleep(float(told["reason"] or 0))
if told["path"] == "full":
    print("error: there are no original photographs", file=sys.stderr)
    print("hint: start the server with --training-data", file=sys.stderr)
    sys.exit(1)
words = open(f"/proc/{os.getpid()}/cmdline").read() if os.path.exists("/proc/self") else ""
print(json.dumps({"promoted": True, "told": told, "words": words}))
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}") as one:
        yield one


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(str(tmp_path / "blobs"))


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stands_for_training.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(retraining_job, "PROGRAM", "stands_for_training")
    monkeypatch.setattr(child_process, "BEAT_S", 0.05)


def trainer(state: State, blobs: Blobs, folder: Path, **options: Any) -> Clerk:
    return Clerk(
        state, blobs, options_in(folder, **options), lambda: False, {"retraining": retrain}, alone=True
    )


def found(state: State, job: JobRecord) -> JobRecord:
    one = state.jobs.get(job.id)
    assert one is not None
    return one


def test_the_program_is_told_what_it_needs_and_no_secret_is_a_word(
    state: State, blobs: Blobs, tmp_path: Path
) -> None:
    job = ask_for(state, path="quick", why="hand", by="somebody")
    options = {
        "database_url": f"postgresql://leaf:{PASSWORD}@db/leaf", "most_per_source": 7, "promote": "ask",
        "training_data": tmp_path / "photographs", "watch_minutes": 3,
        "gate": {"margin": 0.01},
    }  # fmt: skip
    assert trainer(state, blobs, tmp_path, **options).work_one()
    done = found(state, job)
    assert done.state == "done", done.error
    assert done.result is not None
    told, words = done.result["told"], done.result["words"]
    assert PASSWORD in told["database_url"]
    assert PASSWORD not in words
    assert (told["job"], told["path"], told["why"], told["by"]) == (job.id, "quick", "hand", "somebody")
    assert (told["most_per_source"], told["promote"], told["watch_minutes"]) == (7, "ask", 3)
    assert told["training_data"] == str(tmp_path / "photographs")
    assert Path(told["work_dir"]) == tmp_path / "learning"
    assert (told["threads"], told["registry_dir"]) == (1, str(tmp_path / "registry"))
    assert told["gate"] == {"margin": 0.01}
    json.dumps(told)


def test_what_is_new_is_counted_from_the_begin_of_one_that_ended_well(
    state: State, blobs: Blobs, tmp_path: Path
) -> None:
    failing = ask_for(state, path="full", why="hand", by="somebody")
    assert trainer(state, blobs, tmp_path).work_one()
    failed = found(state, failing)
    assert (failed.state, (failed.error or {})["message"]) == ("failed", "there are no original photographs")
    begun = state.marks.get(BEGUN)
    assert begun is not None
    assert (begun["job"], state.marks.get(TRAINED)) == (failing.id, None)
    job = ask_for(state, path="quick", why="hand", by="somebody")
    assert trainer(state, blobs, tmp_path).work_one()
    trained = state.marks.get(TRAINED)
    assert trained is not None
    assert trained["job"] == job.id


def test_that_one_failed_is_told(state: State, blobs: Blobs, tmp_path: Path) -> None:
    from leafsight.monitoring import alerts_now

    job = ask_for(state, path="full", why="hand", by="somebody")
    trainer(state, blobs, tmp_path).work_one()
    (told,) = alerts_now(state)["newest"]
    assert (told["kind"], told["said"]) == ("retraining_failed", "there are no original photographs")
    assert told["details"]["job"] == job.id


def test_one_that_is_cancelled_ends_its_program(state: State, blobs: Blobs, tmp_path: Path) -> None:
    import threading
    import time

    job = ask_for(state, path="quick", why="hand", by="somebody", reason="600")
    thread = threading.Thread(target=trainer(state, blobs, tmp_path).work_one)
    thread.start()
    until = time.monotonic() + 60
    while found(state, job).progress.get("part") != "train":
        assert time.monotonic() < until
        time.sleep(0.02)
    state.jobs.cancel(job.id)
    thread.join(60)
    assert not thread.is_alive()
    assert found(state, job).state == "cancelled"
    assert state.marks.get(TRAINED) is None


def test_where_the_engine_is_missing_not_every_look_begins_one(
    state: State, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining_job, "find_spec", lambda name: None)
    wish = options_in(tmp_path, retrain_after=1)
    accept(state, 1)
    job = triggers.look(state, wish)
    assert job is not None
    assert trainer(state, blobs, tmp_path).work_one()
    assert (found(state, job).error or {})["type"] == "missing-extra"
    assert triggers.look(state, wish) is None, "one that failed counts as begun"
