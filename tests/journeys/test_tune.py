"""A search in two terminals; one is killed in the middle of a trial, and everything still comes out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.experiments.searching import write_recipe
from tests.journeys.small_world import World, command_line, leafsight

QUICK_BEATS = """
from leafsight.experiments import search_study
search_study.BEAT_S, search_study.SILENCE_S = 1, 3
"""
DIES_IN_ITS_FIRST_TRIAL = f"""{QUICK_BEATS}
import os, signal
from leafsight.experiments import search_trial
train = search_trial.train
def dying(*words, on_event, **more):
    def hear(event):
        if event["kind"] == "epoch":
            os.kill(os.getpid(), signal.SIGKILL)
    return train(*words, on_event=[*on_event, hear], **more)
search_trial.train = dying
"""


@pytest.mark.slow
def test_two_terminals_one_killed_and_the_best_recipe_trains(world: World, tmp_path: Path) -> None:
    recipe, study = write_recipe(tmp_path), tmp_path / "study"
    words = ("tune", recipe, "--data", world.photographs, "--study", study, "--trials", 5, "--json", "-q")
    both = [
        subprocess.Popen(command_line(*words, before=before), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for before in (DIES_IN_ITS_FIRST_TRIAL, QUICK_BEATS)
    ]
    (_, _), (out, err) = (one.communicate(timeout=300) for one in both)
    assert both[0].returncode == -9
    assert both[1].returncode == 0, err.decode()
    found = json.loads(out)
    assert found["counts"]["complete"] + found["counts"]["pruned"] == 5
    numbers = [row["trial"] for row in found["trials"]]
    assert len(set(numbers)) == 5
    assert sum(row["as_it_stands"] for row in found["trials"]) == 1
    assert len(found["range_tests"]) == 1
    assert len(list((study / "data").rglob("*.pixels"))) == 1
    # each began once, and the one whose process died went on where it was
    for number in numbers:
        diary = (study / "trials" / f"{number:03d}" / "events.jsonl").read_text()
        assert diary.count('"kind":"started"') == 1

    again = leafsight(*words)  # nothing is left to do
    assert (again.code, again.json["trials"]) == (0, found["trials"])

    done = leafsight(
        "train", study / "best.toml", "--data", world.photographs, "--out", tmp_path / "run", "-q",
        "--cache", study / "data",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "model.leafsight").exists()
