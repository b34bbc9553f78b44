"""``leafsight retrain``: the queue, the progress, the outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.cli.fake_desk import FakeDesk
from tests.cli.run_verb import run_verb

from leafsight.cli import desk as desk_module
from leafsight.cli import retrain
from leafsight.cli.retrain import command

PROMOTED: dict[str, Any] = {
    "candidate": "d" * 64, "promoted": True, "classes_added": ["Okra___Leaf_curl"],
    "gate": {"passed": True, "said": "no worse in any class",
             "checks": [{"name": "overall", "passed": True, "said": "94.1 % against 94.0 %"}]},
}  # fmt: skip


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> FakeDesk:
    found = FakeDesk()
    found.result = dict(PROMOTED)
    monkeypatch.setattr(retrain, "desk_for", found.opened)
    return found


def test_it_is_followed_to_its_end(desk: FakeDesk) -> None:
    done = run_verb(command, "--reason", "okra", "--promote", "ask", "--data", "photos")
    assert (done.code, done.out) == (
        0, "model dddddddddddd: promoted, learned Okra___Leaf_curl. no worse in any class\n",
    )  # fmt: skip
    assert desk.asked == [("retrain", "quick", "okra")]
    assert (desk.flags["learning_promote"], desk.flags["training_data"]) == ("ask", Path("photos"))
    assert "upload: looking: started" in done.err


def test_the_full_path_and_json(desk: FakeDesk) -> None:
    told = run_verb(command, "--full", "-q", "--json").json
    assert (told["state"], told["result"]["promoted"]) == ("done", True)
    assert desk.asked == [("retrain", "full", "")]


def test_a_gate_that_did_not_hold_is_exit_code_1(desk: FakeDesk) -> None:
    desk.result = {**PROMOTED, "promoted": False, "gate": {"passed": False, "said": "2 points worse"}}
    done = run_verb(command, "-q")
    assert (done.code, "gate NOT held" in done.out, "2 points worse" in done.out) == (1, True, True)
    assert f"leafsight retrain show {'c' * 32} --report" in done.err


def test_one_that_waits_for_a_person_says_what_to_do(desk: FakeDesk) -> None:
    desk.result = {**PROMOTED, "promoted": False}
    done = run_verb(command)
    assert (done.code, "gate held" in done.out) == (0, True)
    assert "next: leafsight promote dddddddddddd" in done.err


def test_a_failure_is_an_error(desk: FakeDesk) -> None:
    desk.result, desk.error = None, {"message": "there is nothing to learn from", "hint": "accept some"}
    done = run_verb(command, "-q")
    assert (done.code, done.error_lines) == (
        1, ["error: there is nothing to learn from", "hint: accept some"],
    )  # fmt: skip
    assert "failed: there is nothing to learn from" in run_verb(command, "ls").out


def test_only_into_the_queue(desk: FakeDesk) -> None:
    done = run_verb(command, "--detach")
    assert (done.code, done.out) == (0, f"{'c' * 32}\n")
    assert "a running server takes it up" in done.err
    assert run_verb(command, "--detach", "--json", "-q").json == {"id": "c" * 32, "job": "c" * 32}


def test_an_interruption_says_how_to_go_on(desk: FakeDesk) -> None:
    def interrupted(job: str) -> Iterator[dict[str, Any]]:
        yield {"id": job, "state": "running", "progress": {"step": "a"}}
        raise KeyboardInterrupt

    desk.follow = interrupted  # type: ignore[method-assign, assignment]
    done = run_verb(command)
    assert done.code == 130
    assert f"retraining {'c' * 32} is kept: the same command goes on with it" in done.err


def test_a_server_has_its_own_settings(desk: FakeDesk) -> None:
    for words in (("--data", "photos"), ("--promote", "ask")):
        done = run_verb(command, "--server", "http://here", *words)
        assert (done.code, "for a retraining here" in done.err) == (2, True)
    assert desk.asked == []


def test_listed_shown_and_cancelled(desk: FakeDesk, tmp_path: Path) -> None:
    header, row = [line.split("\t") for line in run_verb(command, "ls").out.splitlines()]
    assert header == ["id", "state", "path", "why", "by", "outcome"]
    assert row[:5] == ["c" * 32, "done", "quick", "hand", "ada"]
    assert len(run_verb(command, "ls", "--json").json) == 1
    shown = run_verb(command, "show", "c" * 32, "--report", tmp_path / "gate.html")
    assert "overall\theld: 94.1 % against 94.0 %" in shown.out
    assert (tmp_path / "gate.html").read_bytes() == b"<html>"
    assert run_verb(command, "cancel", "c" * 32).out == f"{'c' * 32} is cancelled\n"
    assert run_verb(command, "show", "c" * 32, "--json").json["by"] == "ada"


def test_a_job_is_worked_off_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real state; what is done for a retraining is a stand-in. Progress is seen, the result is kept."""
    from leafsight.service import at_hand

    def train(work: Any) -> dict[str, Any]:
        work.progress = {"part": "train", "step": "learning a head", "done": 1, "total": 2}
        work.go_on()
        return {"candidate": "e" * 64, "promoted": False, "gate": {"passed": True, "said": "fine"}}

    monkeypatch.setattr(at_hand, "TRAINING", {"retraining": train})
    monkeypatch.chdir(tmp_path)
    state = ("--state-dir", tmp_path / "state")
    assert "there is no database" in run_verb(command, *state).err
    made_state(tmp_path / "state")
    done = run_verb(command, *state, "--reason", "okra")
    assert (done.code, done.out) == (0, "model eeeeeeeeeeee: gate held. fine\n")
    [one] = run_verb(command, "ls", *state, "--json").json
    assert (one["state"], one["reason"], one["result"]["gate"]["said"]) == ("done", "okra", "fine")


def test_ctrl_c_puts_the_job_back_and_the_next_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.service import at_hand

    begun: list[str] = []

    def train(work: Any) -> dict[str, Any]:
        begun.append(work.job.id)
        while len(begun) == 1:
            time.sleep(0.01)
            work.go_on()  # until nobody wants it any more
        return {"candidate": "e" * 64, "gate": {"passed": True, "said": "fine"}}

    pressed: list[bool] = []

    def interrupted(seconds: float) -> None:
        if begun and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt
        time.sleep(seconds)

    monkeypatch.setattr(at_hand, "TRAINING", {"retraining": train})
    monkeypatch.setattr(desk_module, "time", SimpleNamespace(sleep=interrupted))
    made_state(tmp_path / "state")
    state = ("--state-dir", tmp_path / "state")
    assert run_verb(command, *state).code == 130
    [one] = run_verb(command, "ls", *state, "--json").json
    assert one["state"] == "queued"
    assert run_verb(command, *state).code == 0
    assert begun == [one["id"]] * 2


def made_state(folder: Path) -> None:
    from leafsight.state import open_state

    folder.mkdir(parents=True)
    open_state(f"sqlite:///{folder / 'leafsight.db'}").close()
