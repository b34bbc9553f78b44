"""Training on a cluster: what one process would have left, whatever is killed on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.cluster.workers import kill_one, waited_for
from tests.journeys.small_world import World, leafsight

from leafsight.training import RunFolder, load_run, read_events

# Nothing that is drawn anew for each part of a batch, and no statistics of a part.
RECIPE = """
batch_size = 16
threads = 1
seed = 3
checkpoint_steps = 2
recipe = {name = "exact"}
data = {ratios = {train = 0.6, valid = 0.2, calibration = 0.1, test = 0.1}}
preprocessing = {side_px = 32}
model = {name = "simple_cnn", width = 0.25, dropout = 0.0}
augmentation = {preset = "none"}
optimizer = {name = "sgd", ema_decay = 0.9}
stages = [{name = "whole", epochs = 12, learning_rate = 0.02, batch_norm = "frozen"}]
"""
ENDS_S = 240


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "exact.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def alone(recipe: Path, world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in one process."""
    run = tmp_path_factory.mktemp("alone") / "run"
    done = leafsight("train", recipe, "--data", world.photographs, "--out", run, "--no-export", "-q")
    assert done.code == 0, done.err
    return run


def words(recipe: Path, world: World, run: Path, address: str, *more: str) -> list[str]:
    train = ["train", recipe, "--data", world.photographs, "--out", run, "--no-export"]
    return [*map(str, train), "--cluster", address, "--workers", "2", *more]


def started(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """The command in a process of its own, since a test's own cannot be killed."""
    line = [sys.executable, "-c", "from leafsight.cli import main; main()", *command]
    with log.open("wb") as file:
        return subprocess.Popen(line, stdout=file, stderr=file)


def steps(run: Path) -> list[int]:
    diary = RunFolder(run).events
    return [event["step"] for event in read_events(diary, "step")] if diary.exists() else []


def greatest_difference(one: Path, other: Path) -> float:
    ours, theirs = load_file(RunFolder(one).last), load_file(RunFolder(other).last)
    assert ours.keys() == theirs.keys()
    return max(float((ours[name].double() - theirs[name].double()).abs().max()) for name in ours)


def test_two_workers_learn_what_one_process_learns_though_one_is_killed(
    recipe: Path, world: World, alone: Path, cluster_address: str, tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "log.txt"
    command = started(words(recipe, world, run, cluster_address), log)
    waited_for(lambda: len(steps(run)) >= 3)
    kill_one("RayTrainWorker")
    assert command.wait(ENDS_S) == 0, log.read_text()
    assert "a worker was lost: going on with" in log.read_text()
    assert [event["workers"] for event in read_events(RunFolder(run).events, "resumed")] == [2]
    assert steps(run) == steps(alone)
    assert greatest_difference(run, alone) < 1e-4
    ours, theirs = load_run(run), load_run(alone)
    assert ours.best["valid"]["accuracy"] == theirs.best["valid"]["accuracy"]
    assert ours.record["workers"] == 2
    assert not (run / "ray").exists()


def test_a_killed_command_goes_on_and_what_is_finished_is_not_done_again(
    recipe: Path, world: World, alone: Path, cluster_address: str, tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "log.txt"
    command = started(words(recipe, world, run, cluster_address), log)
    waited_for(lambda: len(steps(run)) >= 3)
    command.kill()
    command.wait()
    again = started(words(recipe, world, run, cluster_address), log)
    assert again.wait(ENDS_S) == 0, log.read_text()
    assert read_events(RunFolder(run).events, "resumed")
    assert steps(run) == steps(alone)
    assert greatest_difference(run, alone) < 1e-4
    third = leafsight(*words(recipe, world, run, "127.0.0.1:9"))
    assert third.code == 0, third.err  # finished: no cluster is asked for


def test_ctrl_c_saves_and_says_how_to_go_on(
    recipe: Path, world: World, cluster_address: str, tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "log.txt"
    command = started(words(recipe, world, run, cluster_address), log)
    waited_for(lambda: len(steps(run)) >= 3)
    command.send_signal(signal.SIGINT)
    assert command.wait(ENDS_S) == 1
    assert "stopped by SIGINT in stage whole" in log.read_text()
    assert "run the same command again" in log.read_text()
    done = int(log.read_text().partition("after step ")[2].partition(";")[0])
    assert steps(run)[-1] <= done


def test_an_error_that_no_other_attempt_would_mend_is_told_at_once(
    recipe: Path, world: World, cluster_address: str, tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "log.txt"
    wild = ["--set", "stages.0.learning_rate=1e30", "--set", "optimizer.clip_norm=0"]
    command = started(words(recipe, world, run, cluster_address, *wild), log)
    assert command.wait(ENDS_S) == 1
    assert "error: the loss is nan in stage whole" in log.read_text()
    assert "going on with" not in log.read_text()


def test_more_workers_than_the_cluster_has_are_refused(
    recipe: Path, world: World, cluster_address: str, tmp_path: Path
) -> None:
    command = words(recipe, world, tmp_path / "run", cluster_address)
    command[command.index("--workers") + 1] = "3"
    log = tmp_path / "log.txt"
    assert started(command, log).wait(ENDS_S) == 1
    assert "3 workers need 3 processors" in log.read_text()


def test_workers_need_a_cluster(recipe: Path, world: World, tmp_path: Path) -> None:
    done = leafsight("train", recipe, "--data", world.photographs, "--out", tmp_path, "--workers", "2")
    assert (done.code, done.error_lines[1]) == (2, "hint: add --cluster")
