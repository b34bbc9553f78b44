from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from tests.state.own_postgres import NoPostgresError, own_postgres

from leafsight.experiments import search_study
from leafsight.experiments.search_storage import storage_url
from leafsight.experiments.search_study import (
    MOST_DEATHS,
    RUN,
    SharedStudy,
)
from leafsight.training import SearchOptions, SearchRange

OPTIONS = SearchOptions(space={"x": SearchRange(low=0.0, high=1.0)}, warmup_epochs=1)


def opened(folder: Path, url: str = "") -> SharedStudy:
    return SharedStudy(folder, url or storage_url(folder, None), "tried", OPTIONS)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SharedStudy]:
    made = opened(tmp_path / "study")
    yield made
    made.close()


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_study, "BEAT_S", 1)
    monkeypatch.setattr(search_study, "SILENCE_S", 1)


def claimed(study: SharedStudy, wanted: int = 10) -> optuna.Trial:
    trial = study.claim(wanted)
    assert trial is not None
    return trial


def test_a_trial_is_for_one_process_and_never_one_too_many(study: SharedStudy, tmp_path: Path) -> None:
    other = opened(tmp_path / "study")
    first, second = claimed(study, 2), claimed(other, 2)
    assert first.number != second.number
    assert study.claim(2) is None
    assert (study.running(), study.finished()) == (2, 0)
    assert study.finish(first, 0.5, {"note": "good"})
    assert other.finish(second, None, {})
    assert (study.running(), study.finished()) == (0, 2)
    assert study.claim(2) is None
    assert study.trials()[first.number].user_attrs["note"] == "good"
    other.close()


def test_the_first_trial_is_laid_down_once(study: SharedStudy) -> None:
    study.lay_down_first({"x": 0.25}, ["y"])
    study.lay_down_first({"x": 0.75}, [])
    trial = claimed(study)
    assert trial.suggest_float("x", 0.0, 1.0) == 0.25
    assert trial.user_attrs["left_out"] == ["y"]
    assert claimed(study).suggest_float("x", 0.0, 1.0) not in (0.25, 0.75)


def test_what_is_agreed_on_is_what_the_first_one_made(study: SharedStudy, tmp_path: Path) -> None:
    other = opened(tmp_path / "study")
    assert study.agreed("limits", lambda: {"low": 0.1}) == {"low": 0.1}
    assert other.agreed("limits", lambda: pytest.fail("made twice")) == {"low": 0.1}
    other.close()


def test_draws_differ_from_trial_to_trial_and_are_those_of_the_seed(tmp_path: Path) -> None:
    drawn = []
    for folder in ("a", "b"):
        study = opened(tmp_path / folder)
        trials = [claimed(study) for _ in range(3)]
        drawn.append([trial.suggest_float("x", 0.0, 1.0) for trial in trials])
        study.close()
        again = opened(tmp_path / folder)  # a resumption does not begin with the same draws
        drawn[-1].append(claimed(again).suggest_float("x", 0.0, 1.0))
        again.close()
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 4


def test_a_trial_that_is_given_back_goes_on_in_its_folder(study: SharedStudy) -> None:
    trial = claimed(study)
    value = trial.suggest_float("x", 0.0, 1.0)
    study.give_back(trial, died=False)
    again = claimed(study)
    assert again.number != trial.number
    assert again.user_attrs[RUN] == trial.number
    assert again.suggest_float("x", 0.0, 1.0) == value
    assert not study.finish(trial, 0.9, {})  # it is not ours any more
    assert study.finish(again, 0.5, {})
    assert study.finished() == 1


def test_what_kills_its_process_again_and_again_is_left(study: SharedStudy) -> None:
    runs = []
    for _ in range(MOST_DEATHS + 1):
        trial = claimed(study)
        runs.append(trial.user_attrs[RUN])
        study.give_back(trial, died=True)
    assert len(set(runs[:MOST_DEATHS])) == 1
    assert runs[-1] != runs[0]


DIES_WITH_A_TRIAL = """
import sys
from pathlib import Path
from leafsight.experiments.search_storage import storage_url
from leafsight.experiments.search_study import SharedStudy
from leafsight.training import SearchOptions, SearchRange

folder = Path(sys.argv[1])
options = SearchOptions(space={"x": SearchRange(low=0.0, high=1.0)})
SharedStudy(folder, storage_url(folder, None), "tried", options).claim(10)
"""


@pytest.mark.usefixtures("quick_beats")
def test_the_trial_of_a_dead_process_is_taken_up(tmp_path: Path) -> None:
    study = opened(tmp_path / "study")
    alive = claimed(study)
    with study.beating(alive):
        subprocess.run([sys.executable, "-c", DIES_WITH_A_TRIAL, tmp_path / "study"], check=True)
        dead = study.trials()[-1]
        deadline_s = time.monotonic() + 30
        while (trial := claimed(study)).user_attrs[RUN] != dead.number and time.monotonic() < deadline_s:
            study.finish(trial, 0.1, {})
            time.sleep(0.5)
        assert trial.user_attrs[RUN] == dead.number
        assert study.trials()[alive.number].state == optuna.trial.TrialState.RUNNING
    study.close()


@pytest.mark.usefixtures("quick_beats")
def test_a_trial_that_never_beat_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    study = opened(tmp_path / "study")
    with pytest.warns(UserWarning, match="Heartbeat"):
        born_dead = study._study.ask()  # as if killed at once
    assert study.claim(1) is None
    time.sleep(1.1)
    assert claimed(study, 1).user_attrs[RUN] == born_dead.number
    study.close()


def test_bad_trials_are_ended_by_the_median(study: SharedStudy) -> None:
    for value in (0.5, 0.6, 0.7, 0.8, 0.9):
        trial = claimed(study)
        for epoch in (1, 2):
            trial.report(value, epoch)
            assert not trial.should_prune()
        study.finish(trial, value, {})
    trial = claimed(study)
    trial.report(0.1, 1)
    assert trial.should_prune()


def test_importance_sums_to_one(study: SharedStudy) -> None:
    for _ in range(12):
        trial = claimed(study, 100)
        x, y = trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)
        study.finish(trial, x + 0.001 * y, {})
    shares = study.importance(0.4)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert next(iter(shares)) == "x"


@pytest.mark.slow
def test_postgresql(tmp_path: Path) -> None:
    try:
        with own_postgres(tcp=True) as server:
            url = storage_url(tmp_path, server.new_database())
            here, there = opened(tmp_path / "a", url), opened(tmp_path / "b", url)
            first, second = claimed(here, 2), claimed(there, 2)
            assert first.number != second.number
            with here.beating(first):
                here.finish(first, 0.5, {"valid": {"accuracy": 0.5}})
            there.give_back(second, died=False)
            assert claimed(here, 2).user_attrs[RUN] == second.number
            here.close()
            there.close()
    except NoPostgresError as error:
        pytest.skip(f"needs PostgreSQL: {error}")
