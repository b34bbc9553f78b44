"""A run that was killed ends with the same bits as one that was not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from tests.training.kill_driver import POINTS

from leafsight.training.events import read_events
from leafsight.training.run_folder import RunFolder

REPOSITORY = Path(__file__).resolve().parents[2]


def same_tensors(one: Path, other: Path) -> bool:
    ours, theirs = load_file(one), load_file(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_killed_at_many_points_gives_the_same_bits(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.training.kill_driver",
            str(tmp_path / "whole"),
            str(tmp_path / "killed"),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(POINTS)
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    assert same_tensors(whole.last, killed.last)
    assert same_tensors(whole.best, killed.best)
    epochs = [read_events(folder.events, "epoch") for folder in (whole, killed)]
    assert epochs[0] == epochs[1]
    steps = [[event["step"] for event in read_events(folder.events, "step")] for folder in (whole, killed)]
    assert steps[0] == steps[1]
