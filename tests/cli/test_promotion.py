"""``leafsight promote | rollback | history``: with and without a state, here and at a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.fake_desk import FakeDesk
from tests.cli.run_verb import run_verb
from tests.fakes.objects import MemoryObjects
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.journeys.small_world import leafsight

from leafsight.bundle import builtin as builtin_module
from leafsight.cli import promotion
from leafsight.cli.promotion import history, promote, rollback


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEAFSIGHT_STATE_DIR", str(tmp_path / "state"))
    shipped = write_tiny_bundle(tmp_path / "shipped.leafsight", name="shipped")
    monkeypatch.setattr(builtin_module, "BUILTIN", shipped)
    return tmp_path / "state"


@pytest.fixture
def hashes(tmp_path: Path) -> dict[str, str]:
    found = {}
    for name in ("apples", "beans"):
        file = write_tiny_bundle(tmp_path / f"{name}.leafsight", name=name)
        found[name] = leafsight("models", "add", file).out.strip()
    return found


def test_from_the_first_promotion_back(hashes: dict[str, str], state: Path) -> None:
    done = run_verb(promote, hashes["apples"][:8], "--reason", "better")
    assert (done.code, done.out.startswith(f"serving is {hashes['apples'][:12]} since 2")) == (0, True)
    assert (
        run_verb(promote, hashes["beans"], "--alias", "champion", "--json").json["model"] == hashes["beans"]
    )
    rows = [line.split("\t") for line in run_verb(history).out.splitlines()]
    assert [row[:3] for row in rows] == [
        ["change", "kind", "hash"],
        ["2", "promote", hashes["beans"][:12]],
        ["1", "promote", hashes["apples"][:12]],
    ]
    assert run_verb(rollback, "--reason", "worse").out.startswith(f"serving is {hashes['apples'][:12]}")
    told = run_verb(history, "--json", "--limit", "1").json
    assert [(one["kind"], one["reason"], one["model"]) for one in told] == [
        ("rollback", "worse", hashes["apples"])
    ]
    assert leafsight("models", "history", "--json").json[0]["hash"] == hashes["apples"]
    assert not (state / "leafsight.db").exists(), "no database is made for a promotion"


def test_errors_are_those_of_the_registry(hashes: dict[str, str]) -> None:
    assert "has no model" in run_verb(promote, "feedfeed").error_lines[0]
    assert "nothing was promoted" in run_verb(rollback).error_lines[0]
    assert run_verb(history, "--limit", "0").code == 2
    assert run_verb(promote, hashes["apples"], "--alias", "Big").code == 2


@pytest.fixture
def judged(hashes: dict[str, str], state: Path) -> None:
    """A state in which the gate of the beans did not hold."""
    from leafsight.state import JobRecord, new_id, open_state

    with open_state(f"sqlite:///{state / 'leafsight.db'}") as opened:
        job = JobRecord(
            id=new_id(),
            kind="retraining",
            state="queued",
            created_ms=1,
            updated_ms=1,
            request={"path": "quick"},
        )
        opened.jobs.add(job)
        opened.jobs.update(job.id, state="running")
        result = {"candidate": hashes["beans"], "gate": {"passed": False, "said": "2 points worse"}}
        opened.jobs.update(job.id, state="done", result=result)


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("models", [False, True])
def test_a_model_whose_gate_did_not_hold_needs_a_word_more(hashes: dict[str, str], models: bool) -> None:
    def said(*words: str) -> Any:
        return leafsight("models", "promote", *words) if models else run_verb(promote, *words)

    refused = said(hashes["beans"])
    assert (refused.code, "2 points worse" in refused.err) == (1, True)
    assert leafsight("models", "history", "--json").json == []
    assert said(hashes["apples"]).code == 0
    assert said(hashes["beans"], "--override", "--reason", "I know why").code == 0
    [newest, _] = leafsight("models", "history", "--json").json
    assert "although its gate did not hold: I know why" in newest["reason"]
    assert run_verb(rollback).code == 0


def test_a_server_is_asked_when_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = FakeDesk()
    monkeypatch.setattr(promotion, "desk_for", desk.opened)
    server = ("--server", "http://here")
    assert run_verb(promote, "abcd", *server, "--override", "--reason", "r").out.startswith(
        "serving is dddddd"
    )
    assert run_verb(rollback, *server, "--steps", "2").code == 0
    assert run_verb(history, *server, "--json").json[0]["number"] == 1
    assert desk.asked == [
        ("promote", "abcd", "serving", "r", True),
        ("rollback", "serving", 2, "", "d" * 64),
    ]


def test_a_registry_in_a_bucket(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, asked = MemoryObjects(), []

    def opened(url: str) -> MemoryObjects:
        asked.append(url)
        return objects

    monkeypatch.setattr("leafsight.state.open_objects", opened)
    monkeypatch.setitem(os.environ, "LEAFSIGHT_REGISTRY_URL", "s3://leaves/models")
    assert [one["name"] for one in leafsight("models", "ls", "--json").json] == ["shipped"]
    added = leafsight("models", "add", tmp_path / "apples.leafsight").out.strip()
    assert added == hashes["apples"]
    assert run_verb(promote, added[:6]).code == 0
    assert run_verb(history, "--json").json[0]["model"] == added
    assert leafsight("models", "verify").out == "2 models are whole\n"
    assert run_verb(rollback).code == 0
    assert set(asked) == {"s3://leaves/models"}
    monkeypatch.delenv("LEAFSIGHT_REGISTRY_URL")
    assert run_verb(history, "--json").json == []
    objects.gone()
    monkeypatch.setenv("LEAFSIGHT_REGISTRY_URL", "s3://leaves/models")
    done = run_verb(promote, added)
    assert (done.code, "does not answer" in done.error_lines[0]) == (1, True)
