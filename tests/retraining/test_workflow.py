"""The order of the steps, what goes wrong in each, and what is left then."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.retraining.places import NEW, Place, made_place

from leafsight.errors import DiskFullError, LeafsightError, StateBusyError
from leafsight.registry import SERVING
from leafsight.retraining import steps, workflow
from leafsight.retraining.failing import StepFailedError
from leafsight.retraining.patience import patiently
from leafsight.retraining.workplace import Workplace
from leafsight.state import Blobs

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = made_place(tmp_path)
    yield made
    made.state.close()


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A gate that holds unless it is told otherwise; it notes whom it held the candidate against."""
    told: dict[str, Any] = {"passed": True, "against": []}

    def judge(place: Workplace, frozen: Any, built: Any, champion: str) -> dict[str, Any]:
        told["against"].append(champion)
        if told.get("then"):
            told.pop("then")()
        gate = {"passed": told["passed"], "said": "as told", "checks": [], "hash": "ef" * 32}
        return {**gate, "champion": champion}

    monkeypatch.setattr(steps, "judge", judge)
    return told


def run(place: Place, job: str = "", **changes: Any) -> dict[str, Any]:
    talk = io.StringIO()
    work = place.workplace(job or place.job(), talk, **changes)
    result = workflow.run(work, f"sqlite:///{work.folder.steps}")
    return {**result, "talk": talk.getvalue()}


def test_from_accepted_photographs_to_a_model_that_serves(place: Place) -> None:
    job = place.job()
    result = run(place, job, by="ada")
    serving = place.registry.get(SERVING)
    assert serving.hash == result["candidate"] == place.registry.get("challenger").hash
    assert (result["promoted"], result["change"], result["classes_added"]) == (True, 2, [NEW])
    assert (result["parent"], result["photographs"], result["left_out"]) == (place.champion, 24, 0)
    assert NEW in place.registry.bundle(serving).classes
    watch = place.state.marks.get("watch") or {}
    assert (watch["change"], watch["former"]) == (2, place.champion)
    told = [line for line in result["talk"].splitlines() if line.startswith("step: ")]
    parts = ("snapshot", "train", "evaluate", "gate", "publish", "promote", "promote")
    assert told == [f"step: {part} {at}/6" for at, part in enumerate(parts)]
    assert set(place.blobs.list(f"retrainings/{job}")) >= {f"retrainings/{job}/snapshot.json"}


def test_asked_again_after_its_end_it_says_the_same_and_does_nothing(place: Place) -> None:
    job = place.job()
    first = run(place, job)
    place.registry.rollback(SERVING)
    again = run(place, job)
    assert {**again, "talk": ""} == {**first, "talk": ""}
    assert "step" not in again["talk"]
    assert place.registry.get(SERVING).hash == place.champion


def test_a_gate_that_does_not_hold_is_a_result(place: Place, judged: dict[str, Any]) -> None:
    judged["passed"] = False
    result = run(place)
    assert (result["promoted"], result["why_not"]) == (False, "the gate did not hold")
    assert place.registry.get(SERVING).hash == place.champion
    assert place.registry.get("challenger").hash == result["candidate"]
    assert place.state.marks.get("watch") is None


def test_a_champion_that_came_meanwhile_is_what_it_is_held_against(
    place: Place, judged: dict[str, Any], tmp_path: Path
) -> None:
    def another() -> None:
        entry = place.registry.add(write_tiny_bundle(tmp_path / "b.leafsight", name="another"))
        place.registry.promote(entry.hash, SERVING, by="somebody")

    judged["then"] = another
    result = run(place)
    assert len(judged["against"]) == 2
    assert judged["against"][0] == place.champion
    assert (result["promoted"], result["change"]) == (True, 3)
    assert result["gate"]["champion"] == judged["against"][1] != place.champion


def test_nothing_accepted_is_said(tmp_path: Path) -> None:
    place = made_place(tmp_path, photographs=0)
    with pytest.raises(StepFailedError, match="no photograph is accepted"):
        run(place)
    place.state.close()


def test_a_model_that_remembers_nothing_is_said(place: Place, tmp_path: Path) -> None:
    place.registry.promote(place.registry.add(write_tiny_bundle(tmp_path / "b.leafsight")).hash)
    with pytest.raises(StepFailedError, match="remembers nothing"):
        run(place)


def test_the_full_path_without_photographs_is_refused_at_once(place: Place) -> None:
    with pytest.raises(StepFailedError, match="needs the photographs") as caught:
        run(place, path="full")
    assert caught.value.hint == "serve --training-data FOLDER"


@pytest.mark.parametrize("where", ["snapshot", "train", "publish"])
def test_a_full_disk_ends_it_and_nothing_is_half(
    place: Place, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    full = DiskFullError("the disk is full", hint="make room")
    _fail_in(place, monkeypatch, where, full)
    job = place.job()
    with pytest.raises(StepFailedError, match="the disk is full"):
        run(place, job)
    monkeypatch.undo()
    # What ended ended so: the same job says it again, another one does it.
    with pytest.raises(StepFailedError, match="the disk is full"):
        run(place, job)
    assert place.registry.get(SERVING).hash == place.champion
    assert len(place.registry.history(SERVING, 10)) == 1
    assert [one.hash for one in place.registry.entries() if not one.builtin] == [place.champion]


@pytest.mark.parametrize("where", ["snapshot", "train", "publish"])
def test_what_does_not_answer_for_a_minute_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    waited_s: list[float] = []
    monkeypatch.setattr(workflow, "patiently", partial(patiently, sleep=waited_s.append))
    _fail_in(place, monkeypatch, where, StateBusyError("the store does not answer"), times=10)
    assert run(place)["promoted"]
    assert len(waited_s) == 10
    assert sum(waited_s) > 60


def test_a_candidate_that_is_damaged_after_it_was_made(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(work: Workplace, frozen: dict[str, Any]) -> dict[str, Any]:
        built = build(work, frozen)
        work.folder.candidate.write_bytes(b"rubbish")
        work.blobs.put(work.blob("candidate.leafsight"), b"rubbish")
        return built

    build: Callable[..., dict[str, Any]] = steps.build
    monkeypatch.setattr(steps, "build", damaged)
    with pytest.raises(StepFailedError, match="damaged"):
        run(place)
    assert place.registry.get(SERVING).hash == place.champion
    assert [one.hash for one in place.registry.entries() if not one.builtin] == [place.champion]


def test_too_little_memory_is_said_in_our_words(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*_: object) -> dict[str, Any]:
        raise MemoryError

    monkeypatch.setattr(steps, "build", hungry)
    with pytest.raises(StepFailedError, match="more memory"):
        run(place)


def test_a_folder_that_is_lost_is_made_again_from_the_store(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(work: Workplace, frozen: dict[str, Any]) -> dict[str, Any]:
        built = build(work, frozen)
        work.folder.candidate.unlink()
        return built

    build: Callable[..., dict[str, Any]] = steps.build
    monkeypatch.setattr(steps, "build", lost)
    assert run(place)["promoted"]


def _fail_in(
    place: Place, monkeypatch: pytest.MonkeyPatch, where: str, error: LeafsightError, times: int = 10**9
) -> None:
    left = [times]

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **words: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                raise error
            return real(*args, **words)

        return do

    blobs: Blobs = place.blobs
    if where == "publish":
        monkeypatch.setattr(place.registry, "add", failing(place.registry.add))
        return
    name = {"snapshot": "snapshot.json", "train": "candidate.leafsight"}[where]
    real = blobs.put

    def put(blob: str, data: bytes) -> None:
        (failing_put if blob.endswith(name) else real)(blob, data)

    failing_put = failing(real)
    monkeypatch.setattr(blobs, "put", put)
