"""Several processes, one network: what a team learns is what one process would have learned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.errors import TrainingError
from leafsight.storage import read_json
from leafsight.training import load_run, read_events, train
from leafsight.training.run_folder import RunFolder
from leafsight.training.team import ALONE, Team

REPOSITORY = Path(__file__).resolve().parents[2]
MEMBER = Path(__file__).with_name("team_member.py")
# Nothing that is drawn anew for each part of a batch, and no statistics of a part.
EXACT: dict[str, Any] = {
    "augmentation": {"preset": "none"},
    "model": {"name": "simple_cnn", "width": 0.25, "dropout": 0.0},
    "optimizer": {"name": "sgd", "ema_decay": 0.9},
    "batch_size": 9,  # of 40 photographs: five batches of 8
    "stages": [plain_stage(batch_norm="frozen")],
}


def start(folder: Path, size: int, changes: dict[str, Any], *, trouble: str = "", of: int = 0) -> list[Any]:
    """A team at work; ``trouble`` comes to the member of rank ``of``."""
    meeting = folder.with_name(f"{folder.name}-{size}-{trouble}-meeting")
    return [
        subprocess.Popen(
            [
                sys.executable, MEMBER, str(rank), str(size), meeting, folder, json.dumps(changes),
                *([trouble] if trouble and rank == of else []),
            ],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path[1:]])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]  # fmt: skip


def ended(members: list[Any]) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of each; one that waits for a lost one is not waited for."""
    codes = []
    for member in members:
        try:
            out, errors = member.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            member.kill()
            out, errors = member.communicate()
        codes.append((member.returncode, out, errors))
    return codes


def train_together(folder: Path, size: int, changes: dict[str, Any]) -> list[str]:
    """The hash of the weights in each member."""
    done = ended(start(folder, size, changes))
    assert [code for code, _, _ in done] == [0] * size, done[0][2][-2000:]
    return [out.strip() for _, out, _ in done]


def greatest_difference(one: Path, other: Path) -> float:
    ours, theirs = load_file(RunFolder(one).last), load_file(RunFolder(other).last)
    assert ours.keys() == theirs.keys()
    return max(float((ours[name].double() - theirs[name].double()).abs().max()) for name in ours)


@pytest.mark.parametrize("size", [2, 3])
def test_a_team_learns_what_one_process_learns(tmp_path: Path, size: int) -> None:
    train(tiny_recipe(**EXACT), tiny_data(), tmp_path / "alone")
    assert len(set(train_together(tmp_path / "team", size, EXACT))) == 1
    assert greatest_difference(tmp_path / "alone", tmp_path / "team") < 1e-5
    alone, team = load_run(tmp_path / "alone").history, load_run(tmp_path / "team").history
    for ours, theirs in zip(team, alone, strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-4)
        assert ours["valid"]["loss"] == pytest.approx(theirs["valid"]["loss"], rel=1e-4)


def test_stages_averages_mixing_and_cached_features_work_in_a_team(tmp_path: Path) -> None:
    changes = {
        "mixing": {"mixup_probability": 0.5, "cutmix_probability": 0.3},
        "stages": [
            {"name": "head", "epochs": 3, "trainable": "head", "learning_rate": 0.02, "views": 2},
            plain_stage(epochs=6),
        ],
    }
    hashes = train_together(tmp_path / "team", 2, changes)
    assert hashes[0] == hashes[1]
    run = load_run(tmp_path / "team")
    assert run.best["valid"]["accuracy"] >= 0.9
    assert run.record["workers"] == 2
    assert [record["step"] for record in run.history] == [5 * number for number in range(1, 10)]
    assert len(read_events(run.folder.events, "epoch")) == 9
    pixels = torch.from_numpy(tiny_data(side_px=16).images[40:]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        assert float((run.network(pixels).argmax(1).numpy() == tiny_data().labels[40:]).mean()) >= 0.9


def test_a_lost_member_and_another_size_go_on_from_the_checkpoint(tmp_path: Path) -> None:
    """Killed in a team of two, gone on with three, ended alone: every step once, as if undisturbed."""
    changes = {**EXACT, "checkpoint_steps": 2}
    killed = ended(start(tmp_path / "run", 2, changes, trouble="5", of=1))
    assert killed[1][0] == -9
    assert killed[0][0] != 0  # and did not wait for ever
    killed = ended(start(tmp_path / "run", 3, changes, trouble="7", of=0))
    assert killed[0][0] == -9
    run = train(tiny_recipe(**changes), tiny_data(), tmp_path / "run")
    assert [event["workers"] for event in read_events(run.folder.events, "resumed")] == [3, 1]
    assert [event["step"] for event in read_events(run.folder.events, "step")] == list(range(1, 11))
    train(tiny_recipe(**changes), tiny_data(), tmp_path / "undisturbed")
    assert greatest_difference(tmp_path / "run", tmp_path / "undisturbed") < 1e-5


def test_out_of_memory_in_one_member_asks_for_smaller_pieces_in_the_next_attempt(tmp_path: Path) -> None:
    changes = {**EXACT, "checkpoint_steps": 1}
    short = ended(start(tmp_path / "run", 2, changes, trouble="memory", of=1))
    assert "no room" in short[1][2]
    assert short[0][0] != 0
    assert read_json(RunFolder(tmp_path / "run").pieces) == {"pieces": 2}
    train_together(tmp_path / "run", 2, changes)
    train(tiny_recipe(**changes), tiny_data(), tmp_path / "undisturbed")
    assert greatest_difference(tmp_path / "run", tmp_path / "undisturbed") < 1e-5


def test_fewer_validation_photographs_than_workers_are_judged_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALID_PHOTOS", "2")
    head = {"name": "head", "epochs": 1, "trainable": "head", "learning_rate": 0.01, "views": 2}
    assert len(set(train_together(tmp_path / "team", 3, {**EXACT, "stages": [head, *EXACT["stages"]]}))) == 1
    run = load_run(tmp_path / "team")
    assert run.record["data"]["photos"]["valid"] == 2
    assert {record["valid"]["accuracy"] for record in run.history} <= {0.0, 0.5, 1.0}


def test_more_workers_than_photographs_in_a_batch_are_refused() -> None:
    Team(0, 8).require_shares(40, 9)
    with pytest.raises(TrainingError, match="batches of 8 photographs cannot be shared by 9 workers"):
        Team(0, 9).require_shares(40, 9)


def test_parts_are_the_rows_and_a_team_of_one_changes_nothing() -> None:
    rows = np.arange(10, 21)
    assert np.array_equal(np.concatenate([Team(rank, 3).part(rows) for rank in range(3)]), rows)
    assert ALONE.part(rows) is rows
    assert ALONE.place(1, 2) == (1, 2)
    assert Team(1, 2).place(1, 2) != Team(0, 2).place(1, 2)
    assert ALONE.told(b"bytes") == b"bytes"
