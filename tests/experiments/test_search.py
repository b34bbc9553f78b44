from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from tests.experiments.searching import preparing, request_for, write_recipe
from tests.journeys.small_world import draw

from leafsight.errors import StorageError, TrainingError
from leafsight.experiments import SearchOutcome, run_search
from leafsight.experiments import search as search_module
from leafsight.experiments.search_trial import Attempt
from leafsight.training import PreparedData, Recipe, TrainingStoppedError, load_recipe, read_events

Prepare = Callable[[Recipe], PreparedData]


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Drawn photographs, and a folder in which they are packed."""
    folder = tmp_path_factory.mktemp("leaves")
    return draw(folder / "photographs", leaves=8), folder / "packed"


@pytest.fixture
def prepare(leaves: tuple[Path, Path]) -> Prepare:
    return preparing(*leaves)


@pytest.fixture(scope="module")
def finished(
    leaves: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, SearchOutcome]:
    """A search of three trials; read only."""
    folder = tmp_path_factory.mktemp("finished")
    path = write_recipe(folder)
    return folder, run_search(request_for(path), preparing(*leaves), folder / "study")


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Trials that take no time: accuracy falls with the distance from a rate of 0.02."""
    seen: list[Recipe] = []

    def attempt(recipe: Recipe, data: object, folder: Path, *_: object, **__: object) -> Attempt:
        seen.append(recipe)
        accuracy = 1.0 - abs(recipe.stages[0].learning_rate - 0.02)
        return Attempt(accuracy, {"accuracy": accuracy, "macro_f1": accuracy, "loss": 0.1}, 2)

    monkeypatch.setattr(search_module, "run_trial", attempt)
    return seen


def test_a_search_leaves_its_files_and_a_recipe_that_trains(finished: tuple[Path, SearchOutcome]) -> None:
    folder, outcome = finished
    study = folder / "study"
    assert len(outcome.trials) == 3
    assert outcome.trials[0].as_it_stands
    assert outcome.trials[0].changes == {
        "stages.whole.learning_rate": 0.003, "optimizer.betas": [0.9, 0.999], "batch_size": 16,
    }  # fmt: skip
    best = outcome.best
    assert best is not None
    assert best.value == max(row.value for row in outcome.complete if row.value is not None)
    recipe = load_recipe(study / "best.toml")
    assert recipe.stages[0].learning_rate == best.changes["stages.whole.learning_rate"]
    assert recipe.batch_size == best.changes["batch_size"]
    trained = load_recipe(study / "trials" / best.folder / "recipe.toml")
    assert recipe.fingerprint() == trained.fingerprint()
    assert json.loads((study / "search.json").read_text()) == outcome.to_dict()
    assert (study / "trials.csv").read_text().count("\n") == 4
    assert "<svg" in (study / "search.html").read_text()
    assert not list(study.rglob("checkpoint"))


def test_numbers_are_of_the_validation_photographs(
    finished: tuple[Path, SearchOutcome], prepare: Prepare
) -> None:
    folder, outcome = finished
    recipe = load_recipe(folder / "small.toml")
    prepared = prepare(recipe)
    assert outcome.photographs == len(prepared.data.valid_rows)
    assert 1 < outcome.groups < outcome.photographs  # two photographs of each drawn leaf
    for row in outcome.complete:
        epochs = read_events(folder / "study" / "trials" / row.folder / "events.jsonl", "epoch")
        assert row.value in [epoch["valid"]["accuracy"] for epoch in epochs]


def test_again_nothing_is_left_to_do_and_more_goes_on(
    finished: tuple[Path, SearchOutcome], prepare: Prepare, tmp_path: Path, pretended: list[Recipe]
) -> None:
    folder, outcome = finished
    shutil.copytree(folder / "study", tmp_path / "study")
    path = write_recipe(tmp_path)
    again = run_search(request_for(path), prepare, tmp_path / "study")
    assert (again.trials, pretended) == (outcome.trials, [])
    more = run_search(request_for(path, trials=5), prepare, tmp_path / "study")
    assert more.trials[:3] == outcome.trials
    assert (len(more.trials), len(pretended)) == (5, 2)


def test_another_search_in_the_folder_is_refused(
    prepare: Prepare, tmp_path: Path, pretended: list[Recipe]
) -> None:
    path = write_recipe(tmp_path)
    run_search(request_for(path, trials=1), prepare, tmp_path / "study")
    for changed, said in (
        ({"overrides": ("model.width=0.5",)}, "the recipe, --set or --fraction"),
        ({"overrides": ('search.metric="macro_f1"',)}, "the metric"),
        ({"fraction": 0.5}, "--fraction"),
    ):
        with pytest.raises(TrainingError, match=said):
            run_search(request_for(path, **changed), prepare, tmp_path / "study")
    wider = write_recipe(tmp_path, ("low = 8", "low = 4"))
    with pytest.raises(TrainingError, match="the space"):
        run_search(request_for(wider), prepare, tmp_path / "study")
    assert len(pretended) == 1


def test_it_finds_better_values_and_the_same_ones_again(
    prepare: Prepare, tmp_path: Path, pretended: list[Recipe]
) -> None:
    path = write_recipe(tmp_path)
    found = run_search(request_for(path, trials=25), prepare, tmp_path / "first")
    again = run_search(request_for(path, trials=4), prepare, tmp_path / "second")
    assert [row.changes for row in found.trials[:4]] == [row.changes for row in again.trials]
    best = found.best
    assert best is not None
    assert abs(best.changes["stages.whole.learning_rate"] - 0.02) < 0.005
    assert next(iter(found.importance)) == "stages.whole.learning_rate"
    assert len({recipe.stages[0].learning_rate for recipe in pretended[:25]}) == 25


def test_the_fraction_is_for_the_trials_only(
    prepare: Prepare, tmp_path: Path, pretended: list[Recipe]
) -> None:
    path = write_recipe(tmp_path)
    wanted = request_for(path, trials=2, fraction=0.5, overrides=("model.width=0.5",))
    run_search(wanted, prepare, tmp_path / "study")
    assert {recipe.data.train_fraction for recipe in pretended} == {0.5}
    best = load_recipe(tmp_path / "study" / "best.toml")
    assert (best.data.train_fraction, best.model.width) == (1.0, 0.5)


def test_where_nothing_is_better_the_recipe_stays(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter([0.9, 0.5, 0.9])
    monkeypatch.setattr(
        search_module, "run_trial",
        lambda *_, **__: Attempt(value := next(numbers), {"accuracy": value, "macro_f1": value}, 2),
    )  # fmt: skip
    path = write_recipe(tmp_path)
    outcome = run_search(request_for(path), prepare, tmp_path / "study")
    assert outcome.best is not None
    assert outcome.best.as_it_stands
    best = load_recipe(tmp_path / "study" / "best.toml")
    assert best.fingerprint() == load_recipe(path).fingerprint()


def test_a_trial_without_a_result_has_ended_early(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "run_trial", lambda *_, **__: Attempt(None, {}, 1, "no good"))
    with pytest.raises(TrainingError, match="none of 3 trials came to its end"):
        run_search(request_for(write_recipe(tmp_path)), prepare, tmp_path / "study")
    assert (tmp_path / "study" / "trials.csv").read_text().count("no good") == 3
    assert not (tmp_path / "study" / "best.toml").exists()


def test_values_that_do_not_go_together_are_a_trial_that_ended_early(
    prepare: Prepare, tmp_path: Path, pretended: list[Recipe]
) -> None:
    lines = """"mixing.mixup_probability" = { choices = [0.0, 0.8] }
"mixing.cutmix_probability" = { choices = [0.0, 0.8] }"""
    path = write_recipe(tmp_path, ("batch_size = { low = 8, high = 32, integer = true }", lines))
    outcome = run_search(request_for(path, trials=9), prepare, tmp_path / "study")
    ended = [row for row in outcome.trials if not row.complete]
    assert ended
    assert all(row.changes["mixing.mixup_probability"] == 0.8 for row in ended)
    assert all("sum to at most 1" in row.note for row in ended)
    assert len(pretended) == 9 - len(ended)


def test_the_recipe_as_it_stands_is_never_ended_early(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attempt(*_: object, is_hopeless: Callable[[int, float], bool], **__: object) -> Attempt:
        ended = is_hopeless(1, 0.5)
        return Attempt(None if ended else 0.5, {} if ended else {"accuracy": 0.5}, 1)

    monkeypatch.setattr(search_module, "run_trial", attempt)
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda _: True)
    outcome = run_search(request_for(write_recipe(tmp_path)), prepare, tmp_path / "study")
    assert [row.complete for row in outcome.trials] == [True, False, False]
    assert [row.value for row in outcome.trials] == [0.5, 0.5, 0.5]


def test_a_stopped_trial_is_the_next_one(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pretended: list[Recipe]
) -> None:
    path, pretends = write_recipe(tmp_path), search_module.run_trial
    folders: list[Path] = []

    def stopped(recipe: Recipe, data: object, folder: Path, *_: object, **__: object) -> Attempt:
        folders.append(folder)
        raise TrainingStoppedError("stopped by SIGINT")

    monkeypatch.setattr(search_module, "run_trial", stopped)
    for _ in range(5):  # as often as somebody likes
        with pytest.raises(TrainingStoppedError):
            run_search(request_for(path, trials=2), prepare, tmp_path / "study")
    monkeypatch.setattr(search_module, "run_trial", pretends)
    outcome = run_search(request_for(path, trials=2), prepare, tmp_path / "study")
    assert len(set(folders)) == 1
    assert outcome.trials[0].as_it_stands
    assert (outcome.trials[0].number, len(outcome.trials)) == (1, 2)


def test_a_full_disk_loses_no_trial(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pretended: list[Recipe]
) -> None:
    path, pretends = write_recipe(tmp_path), search_module.run_trial

    def full(*_: object, **__: object) -> Attempt:
        raise StorageError("no space left")

    monkeypatch.setattr(search_module, "run_trial", full)
    with pytest.raises(StorageError):
        run_search(request_for(path, trials=1), prepare, tmp_path / "study")
    monkeypatch.setattr(search_module, "run_trial", pretends)
    outcome = run_search(request_for(path, trials=1), prepare, tmp_path / "study")
    assert outcome.trials[0].as_it_stands


def test_no_time_is_left(prepare: Prepare, tmp_path: Path, pretended: list[Recipe]) -> None:
    with pytest.raises(TrainingError, match="none of 0 trials"):
        run_search(request_for(write_recipe(tmp_path), timeout_min=1e-9), prepare, tmp_path / "study")
    assert pretended == []


def test_range_tests_are_made_once_and_agreed_on(
    prepare: Prepare, tmp_path: Path, pretended: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path)
    first = run_search(request_for(path, range_test=True, trials=2), prepare, tmp_path / "study")
    assert [test.key for test in first.tests] == ["stages.whole.learning_rate"]
    test = first.tests[0]
    assert (first.space[test.key].low, first.space[test.key].high) == (test.low, test.high)
    monkeypatch.setattr(search_module, "run_range_tests", lambda *_, **__: pytest.fail("made twice"))
    again = run_search(request_for(path, range_test=True, trials=6), prepare, tmp_path / "study")
    assert again.tests == first.tests
    assert all(test.low <= row.changes[test.key] <= test.high for row in again.trials)


@pytest.mark.parametrize("key", ["preprocessing.side_px", "stages.whole.side_px"])
def test_photographs_are_prepared_for_each_way_to_prepare_them(
    prepare: Prepare, tmp_path: Path, pretended: list[Recipe], key: str
) -> None:
    line = f'"{key}" = {{ choices = [32, 48] }}'
    path = write_recipe(tmp_path, ("batch_size = { low = 8, high = 32, integer = true }", line))
    run_search(request_for(path, trials=8), prepare, tmp_path / "study")
    assert {recipe.largest_side_px for recipe in pretended} == {32, 48}
    assert prepare.calls == 2  # type: ignore[attr-defined]
