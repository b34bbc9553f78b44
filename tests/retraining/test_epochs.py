"""Numbers of the diary, and the time that is left."""

from __future__ import annotations

import io

from leafsight.retraining.epochs import listener
from leafsight.retraining.telling import Telling
from leafsight.training import load_recipe


def test_the_time_left_counts_epochs_and_steps() -> None:
    talk = io.StringIO()
    recipe = load_recipe("retrain-full")
    heard = listener(Telling(talk), recipe, 640)
    heard({"kind": "started", "recipe": "x"})
    heard({"kind": "step", "stage": 0, "epoch": 0, "step": 1, "loss": 2.0, "images_per_s": 100.0})
    heard(
        {"kind": "epoch", "stage": 0, "epoch": 0, "step": 10, "train_loss": 1.5, "valid": {"accuracy": 0.5}}
    )
    heard({"kind": "step", "stage": 1, "epoch": 3, "step": 15, "loss": 1.0, "images_per_s": 64.0})
    lines = talk.getvalue().splitlines()
    # Two epochs of 640, less five steps of 64, at 64 a second.
    assert [line for line in lines if line.startswith("eta")] == ["eta: 15"]
    epoch = '{"epoch": 1, "epochs": 13, "loss": 1.5, "accuracy": 0.5}'
    assert [line for line in lines if "epoch" in line] == [f"metrics: {epoch}"]
