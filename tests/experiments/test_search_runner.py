"""A search with a runner that has room for several trials, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.experiments.searching import preparing, request_for, write_recipe
from tests.journeys.small_world import draw

from leafsight.errors import StorageError
from leafsight.experiments import Attempt, EndedTrial, Judge, TrialJob, run_search
from leafsight.experiments.search_study import DEATHS, SharedStudy, TrialState
from leafsight.training import PreparedData, Recipe, TrainingStoppedError

Prepare = Callable[[Recipe], PreparedData]


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    folder = tmp_path_factory.mktemp("leaves")
    return preparing(draw(folder / "photographs", leaves=8), folder / "packed")


def good(job: TrialJob) -> EndedTrial:
    value = 0.5 + job.run / 100
    return EndedTrial(job.run, Attempt(value, {"accuracy": value, "macro_f1": value}, 2))


class TwoAtOnce:
    """Ends the trial that it has had longest; ``endings`` says how, in turn, and then all are good."""

    slots = 2

    def __init__(self, *endings: Callable[[TrialJob], EndedTrial]) -> None:
        self.jobs: list[TrialJob] = []
        self.begun: list[TrialJob] = []
        self.most = self.closed = 0
        self.endings = list(endings)
        self.running_when_closed = -1
        self.study: SharedStudy | None = None

    def begin(self, job: TrialJob) -> None:
        self.jobs.append(job)
        self.begun.append(job)
        self.most = max(self.most, len(self.jobs))

    def wait(self, judge: Judge) -> list[EndedTrial]:
        ending = self.endings.pop(0) if self.endings else good
        return [ending(self.jobs.pop(0))]

    def close(self) -> None:
        self.closed += 1
        if self.study is not None:
            self.running_when_closed = self.study.running()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[SharedStudy]:
    """The studies that a search opens."""
    seen: list[SharedStudy] = []
    opened = SharedStudy.__init__

    def open_(self: SharedStudy, *words: object) -> None:
        opened(self, *words)  # type: ignore[arg-type]
        seen.append(self)

    monkeypatch.setattr(SharedStudy, "__init__", open_)
    monkeypatch.setattr(SharedStudy, "close", lambda _: None)
    return seen


def states(study: SharedStudy) -> list[TrialState]:
    return [trial.state for trial in study.trials()]


def test_every_slot_is_filled_and_no_trial_is_one_too_many(prepare: Prepare, tmp_path: Path) -> None:
    runner = TwoAtOnce()
    outcome = run_search(
        request_for(write_recipe(tmp_path), trials=5), prepare, tmp_path / "s", runner=runner
    )
    assert (len(outcome.trials), len(runner.begun), runner.most, runner.closed) == (5, 5, 2, 1)
    assert [job.finished for job in runner.begun] == [0, 0, 1, 2, 3]
    assert [job.best for job in runner.begun] == [None, None, 0.5, 0.51, 0.52]
    assert runner.begun[0].folder == tmp_path / "s" / "trials" / "001"


def test_a_trial_whose_worker_died_is_taken_up_again_and_then_left(prepare: Prepare, tmp_path: Path) -> None:
    def died(job: TrialJob) -> EndedTrial:
        return EndedTrial(job.run, died=True)

    runner = TwoAtOnce(died, good, died, good, died)
    outcome = run_search(
        request_for(write_recipe(tmp_path), trials=4), prepare, tmp_path / "s", runner=runner
    )
    begun = [job.run for job in runner.begun]
    assert begun.count(0) == 3
    assert 1 not in [row.number for row in outcome.trials]
    assert len(outcome.trials) == 4


def test_a_trial_without_room_is_given_back_as_often_as_it_takes(prepare: Prepare, tmp_path: Path) -> None:
    runner = TwoAtOnce(*[lambda job: EndedTrial(job.run)] * 7)
    outcome = run_search(
        request_for(write_recipe(tmp_path), trials=2), prepare, tmp_path / "s", runner=runner
    )
    assert [row.number for row in outcome.trials] == [1, 2]


def test_an_error_gives_all_back_after_nobody_is_at_work(
    prepare: Prepare, tmp_path: Path, watched: list[SharedStudy]
) -> None:
    def full(job: TrialJob) -> EndedTrial:
        runner.study = watched[0]
        return EndedTrial(job.run, error=StorageError("no space left"), died=True)

    runner = TwoAtOnce(full)
    with pytest.raises(StorageError, match="no space left"):
        run_search(request_for(write_recipe(tmp_path), trials=4), prepare, tmp_path / "s", runner=runner)
    waiting = [trial for trial in watched[0].trials() if trial.state == TrialState.WAITING]
    assert [trial.user_attrs[DEATHS] for trial in waiting] == [1, 0]
    assert runner.running_when_closed == 1  # only then may somebody else take it up


def test_a_wish_to_stop_gives_all_back(prepare: Prepare, tmp_path: Path, watched: list[SharedStudy]) -> None:
    def stopped(_: TrialJob) -> EndedTrial:
        raise TrainingStoppedError("stopped by SIGINT")

    with pytest.raises(TrainingStoppedError):
        run_search(
            request_for(write_recipe(tmp_path), trials=4), prepare, tmp_path / "s", runner=TwoAtOnce(stopped)
        )
    assert states(watched[0]) == [TrialState.FAIL] * 2 + [TrialState.WAITING] * 2
    assert all(not trial.user_attrs.get(DEATHS) for trial in watched[0].trials())


def test_trials_are_measured_by_each_other_while_they_run(prepare: Prepare, tmp_path: Path) -> None:
    said: dict[int, bool] = {}

    class Asks(TwoAtOnce):
        def wait(self, judge: Judge) -> list[EndedTrial]:
            for job in self.jobs:
                if job.run not in said:
                    value = 0.01 if job.run == 6 else 0.5 + job.run / 100
                    judge(job.run, 1, value)
                    said[job.run] = judge(job.run, 2, value)
            return super().wait(judge)

    run_search(request_for(write_recipe(tmp_path), trials=8), prepare, tmp_path / "s", runner=Asks())
    assert said == {run: run == 6 for run in range(8)}
