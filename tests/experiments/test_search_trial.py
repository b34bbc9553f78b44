from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.experiments.search_trial import Attempt, remove_checkpoints, run_trial
from leafsight.progress import Silent
from leafsight.training import StopRequest, TrainingStoppedError, load_run


class Told(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.notes.append(note)


def tried(folder: Path, seen: list[tuple[int, float]], *, hopeless_at: int = 0, **changes: Any) -> Attempt:
    def is_hopeless(epoch: int, value: float) -> bool:
        seen.append((epoch, value))
        return epoch == hopeless_at

    return run_trial(
        tiny_recipe(**changes), tiny_data(), folder, "accuracy",
        is_hopeless=is_hopeless, label="trial 1", device="cpu", progress=Told(),
    )  # fmt: skip


def test_a_trial_is_a_run_whose_last_stage_is_watched(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    attempt = tried(tmp_path, seen)
    run = load_run(tmp_path)
    assert attempt == Attempt(run.best["valid"]["accuracy"], run.best["valid"], 4)
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert seen[-1][1] == run.history[-1]["valid"]["accuracy"]
    again = tried(tmp_path, seen)
    assert again == attempt
    assert len(seen) == 2


def test_a_hopeless_one_is_ended_and_leaves_no_weights(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    stages = [plain_stage(epochs=3)]
    attempt = tried(tmp_path, seen, hopeless_at=1, stages=stages)
    assert (attempt.value, attempt.epochs) == (None, 1)
    assert "after epoch 1" in attempt.note
    assert len(seen) == 1
    assert (tmp_path / "checkpoint").is_dir()
    remove_checkpoints(tmp_path)
    remove_checkpoints(tmp_path)
    assert not (tmp_path / "checkpoint").exists()
    assert (tmp_path / "events.jsonl").exists()


def test_one_that_diverges_has_shown_that_it_is_no_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.training import loop

    monkeypatch.setattr(loop, "gradients", lambda *_: torch.tensor(np.inf))
    attempt = tried(tmp_path, [], stages=[plain_stage()])
    assert attempt.value is None
    assert "loss is inf" in attempt.note


def test_a_trial_is_stopped_by_whoever_runs_it_and_goes_on(tmp_path: Path) -> None:
    data, recipe = tiny_data(), tiny_recipe(stages=[plain_stage(epochs=3)])

    def run(stop: StopRequest, steps: Told) -> Attempt:
        return run_trial(
            recipe, data, tmp_path, "accuracy", is_hopeless=lambda *_: False, label="trial 1", device="cpu",
            progress=Told(), steps=steps, stop=stop,
        )  # fmt: skip

    steps = Told()
    with pytest.raises(TrainingStoppedError, match="stopped by SIGTERM in stage"):
        run(StopRequest("SIGTERM"), steps)
    assert len(steps.notes) == 2  # where it begins, and one batch
    assert run(StopRequest(), Told()).epochs == 3
