"""A search whose trials are on a cluster: what one process would have left, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import ray
from tests.cluster.workers import kill_one, processes, waited_for
from tests.experiments.searching import preparing, request_for, write_recipe
from tests.journeys.small_world import draw, leafsight

from leafsight.cluster import ClusterOptions, ClusterTrials, connected, trials_on
from leafsight.errors import ClusterError, StorageError
from leafsight.experiments import SearchOutcome, TrialJob, run_search
from leafsight.progress import Lines, Progress
from leafsight.training import load_recipe, read_events

ENDS_S = 240
LONG = ("epochs = 2", "epochs = 8")
LONGEST = ("epochs = 2", "epochs = 80")
"""Long enough for a signal to be heard on a busy machine."""


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Drawn photographs, and a folder in which they are packed."""
    folder = tmp_path_factory.mktemp("leaves")
    return draw(folder / "photographs", leaves=8), folder / "packed"


class Told(Lines):
    """Everything that is said, as in a pipe."""

    def __init__(self) -> None:
        self.text = ""
        super().__init__(self)

    def write(self, text: str, /) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing waits."""


@contextmanager
def runner(
    address: str, folder: Path, work: Path, progress: Progress | None = None, **options: float
) -> Iterator[ClusterTrials]:
    wanted = ClusterOptions(**{"address": address, "workers": 2, **options})
    with connected(wanted) as cluster, trials_on(cluster, folder, work, progress=progress) as trials:
        yield trials


def searched(
    recipe: Path, leaves: tuple[Path, Path], study: Path, trials: int, runs: ClusterTrials | None = None
) -> SearchOutcome:
    return run_search(request_for(recipe, trials=trials), preparing(*leaves), study, runner=runs)


def trained(study: Path, trial: int = 1) -> int:
    """How many epochs of a trial are in its diary."""
    diary = study / "trials" / f"{trial:03d}" / "events.jsonl"
    return len(read_events(diary, "epoch")) if diary.exists() else 0


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """``act`` in a thread while the block runs; what it raises is raised here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    assert not failed


def test_two_workers_find_what_one_process_finds(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, here, there = write_recipe(tmp_path), tmp_path / "here", tmp_path / "there"
    alone = searched(recipe, leaves, here, 2)
    told = Told()
    with runner(cluster_address, there, leaves[1], told) as runs:
        spread = searched(recipe, leaves, there, 2, runs)
    assert spread.trials[0].as_it_stands
    for ours, theirs in zip(spread.trials, alone.trials, strict=True):
        assert (ours.value, ours.valid, ours.changes) == (theirs.value, theirs.valid, theirs.changes)
    for name in ("best.toml", "search.html", "trials.csv", "search.json"):
        assert (there / name).stat().st_size > 0
    assert load_recipe(there / "best.toml").fingerprint() == load_recipe(here / "best.toml").fingerprint()
    assert not list(there.rglob("checkpoint"))
    assert "trials on 2 workers of 1 machine: " in told.text
    assert "trial 1: accuracy" in told.text
    more = searched(recipe, leaves, there, 3)  # a process without a cluster goes on
    assert (len(more.trials), more.trials[0]) == (3, spread.trials[0])


def job(recipe: Path, leaves: tuple[Path, Path], folder: Path, run: int = 0, *overrides: str) -> TrialJob:
    loaded = load_recipe(str(recipe), overrides)
    prepared = preparing(*leaves)(loaded)
    return TrialJob(
        run=run, recipe=loaded, prepared=prepared, folder=folder / f"{run + 1:03d}", metric="accuracy",
        finished=0, wanted=2, best=None, pretrained=None, device="auto",
    )  # fmt: skip


def test_every_trial_asks_here_whether_it_is_hopeless(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, asked = write_recipe(tmp_path, ("threads = 1\n", "")), []

    def judge(run: int, epoch: int, value: float) -> bool:
        asked.append((run, epoch))
        return run == 1

    attempts = {}
    with runner(cluster_address, tmp_path / "study", leaves[1]) as runs:
        for run in (0, 1):
            runs.begin(job(recipe, leaves, tmp_path / "study", run))
        while len(attempts) < 2:
            attempts |= {ended.run: ended.attempt for ended in runs.wait(judge)}
    assert sorted(asked) == [(0, 1), (0, 2), (1, 1)]
    kept, ended = attempts[0], attempts[1]
    assert kept is not None
    assert ended is not None
    assert (kept.epochs, kept.value is None) == (2, False)
    assert (ended.epochs, ended.value) == (1, None)
    assert load_recipe(tmp_path / "study" / "001" / "recipe.toml").threads == 1  # those of the worker


def test_a_trial_that_asks_keeps_its_processor(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, at_work = write_recipe(tmp_path, LONG), [0]

    def slowly(run: int, epoch: int, value: float) -> bool:
        if len(at_work) <= 2:  # both workers wait for an answer, and no trial is near its end
            time.sleep(5)
            at_work.append(len(processes("leafsight trial")))
        return True

    over = 0
    with runner(cluster_address, tmp_path / "study", leaves[1]) as runs:
        for run in range(4):
            runs.begin(job(recipe, leaves, tmp_path / "study", run))
        while over < 4:
            over += len(runs.wait(slowly))
    assert max(at_work) == 2


def test_a_killed_worker_gives_its_trial_back_and_it_goes_on_where_it_was(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe, here, there, told = write_recipe(tmp_path, LONG), tmp_path / "here", tmp_path / "there", Told()
    alone = searched(recipe, leaves, here, 1)

    def kill() -> None:
        waited_for(lambda: trained(there) >= 1)
        kill_one("leafsight trial 1")

    with meanwhile(kill), runner(cluster_address, there, leaves[1], told) as runs:
        spread = searched(recipe, leaves, there, 1, runs)
    assert "with trial 1 was lost (its process died)" in told.text
    assert read_events(there / "trials" / "001" / "events.jsonl", "resumed")
    assert [(row.number, row.value) for row in spread.trials] == [(1, alone.trials[0].value)]
    assert capfd.readouterr().out == ""  # Ray would tell it in the middle of the result


def test_a_worker_that_stands_still_is_ended(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, study, told = write_recipe(tmp_path, LONG), tmp_path / "study", Told()
    frozen: list[int] = []

    def freeze() -> None:
        waited_for(lambda: trained(study) >= 1)
        frozen.extend(processes("leafsight trial 1"))
        os.kill(frozen[0], signal.SIGSTOP)

    with meanwhile(freeze), runner(cluster_address, study, leaves[1], told, silence_s=4) as runs:
        outcome = searched(recipe, leaves, study, 1, runs)
        assert frozen[0] not in processes("")  # it would write into the folder when it wakes
    assert "with trial 1 was lost (silent for" in told.text
    assert len(outcome.complete) == 1


def test_too_many_losses_are_told_and_the_trial_waits_for_the_next_command(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, study = write_recipe(tmp_path, LONG), tmp_path / "study"

    def kill() -> None:
        waited_for(lambda: trained(study) >= 1)
        kill_one("leafsight trial 1")

    with (
        meanwhile(kill),
        runner(cluster_address, study, leaves[1], max_failures=0) as runs,
        pytest.raises(ClusterError, match=r"1 workers were lost .*trial 1: its process died"),
    ):
        searched(recipe, leaves, study, 2, runs)
    assert processes("leafsight trial") == []
    again = searched(recipe, leaves, study, 1)
    assert [row.number for row in again.trials] == [1]
    assert read_events(study / "trials" / "001" / "events.jsonl", "resumed")


def test_what_a_trial_cannot_get_over_ends_the_search_as_it_does_here(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, study = write_recipe(tmp_path), tmp_path / "study"
    (study / "trials").mkdir(parents=True)
    (study / "trials" / "001").write_text("a file in the place of its folder")
    with runner(cluster_address, study, leaves[1]) as runs, pytest.raises(StorageError, match="001"):
        searched(recipe, leaves, study, 2, runs)
    (study / "trials" / "001").unlink()
    assert searched(recipe, leaves, study, 1).trials[0].as_it_stands


def test_a_cluster_that_is_busy_is_not_waited_for_without_end(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, study = write_recipe(tmp_path), tmp_path / "study"
    with runner(cluster_address, study, leaves[1], start_s=2) as runs:
        others = ray.remote(num_cpus=2)(subprocess.run).remote(["sleep", "30"])
        waited_for(lambda: processes("run"))
        with pytest.raises(ClusterError, match="no worker began within 2 s") as caught:
            searched(recipe, leaves, study, 1, runs)
        ray.cancel(others, force=True)
    assert "busy" in caught.value.hint
    assert searched(recipe, leaves, study, 1).trials[0].number == 1


def test_ctrl_c_saves_every_trial_and_the_same_command_goes_on(
    cluster_address: str, leaves: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, study, log = write_recipe(tmp_path, LONGEST), tmp_path / "study", tmp_path / "log.txt"
    words = ["tune", recipe, "--data", leaves[0], "--cache", leaves[1], "--study", study, "--no-range-test"]
    words += ["--trials", 2, "--json", "--cluster", cluster_address, "--workers", 2]
    line = [sys.executable, "-c", "from leafsight.cli import main; main()", *map(str, words)]
    with log.open("wb") as errors:
        command = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors)
    waited_for(lambda: trained(study) + trained(study, 2) >= 1)
    command.send_signal(signal.SIGINT)
    out, _ = command.communicate(timeout=ENDS_S)
    assert (command.returncode, out) == (1, b""), log.read_text()
    assert "error: stopped by SIGINT; what 2 trials under way have reached is saved" in log.read_text()
    assert processes("leafsight trial") == []
    first = json.loads((study / "trials" / "001" / "run.json").read_text())
    assert first["status"] == "stopped"
    again = leafsight(*words)
    assert again.code == 0, again.err
    assert (again.json["counts"]["complete"], again.json["best"]["trial"] in (1, 2)) == (2, True)


def test_workers_need_a_cluster(tmp_path: Path) -> None:
    done = leafsight("tune", write_recipe(tmp_path), "--data", tmp_path, "--workers", "2")
    assert (done.code, done.error_lines[1]) == (2, "hint: add --cluster")
