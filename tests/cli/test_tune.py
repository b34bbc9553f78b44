"""``leafsight tune``: what stands on stdout and stderr, and what cannot start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.experiments.searching import write_recipe
from tests.journeys.small_world import World, leafsight

from leafsight.experiments import search
from leafsight.experiments.search_trial import Attempt


@pytest.fixture(autouse=True)
def _pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that take no time."""

    def attempt(recipe: object, data: object, folder: Path, *_: object, **__: object) -> Attempt:
        value = 0.5 + int(folder.name) / 100
        return Attempt(value, {"accuracy": value, "macro_f1": value, "loss": 0.1}, 2)

    monkeypatch.setattr(search, "run_trial", attempt)


def words(world: World, folder: Path, *more: object) -> tuple[object, ...]:
    study = folder / "study"
    recipe = write_recipe(folder)
    return ("tune", recipe, "--data", world.photographs, "--study", study, "--no-range-test", *more)


def test_a_table_and_where_to_go_from_there(world: World, tmp_path: Path) -> None:
    done = leafsight(*words(world, tmp_path))
    assert done.code == 0, done.err
    header, *rows = (line.split("\t") for line in done.out.splitlines())
    assert header[:3] == ["trial", "accuracy", "epochs"]
    assert [row[:2] for row in rows] == [["3", "0.53"], ["2", "0.52"], ["1", "0.51"]]
    assert rows[-1][-1] == "the recipe as it stands"
    assert "validation photographs" in done.err
    assert "too high" in done.err
    assert f"leafsight train {tmp_path / 'study' / 'best.toml'} --data {world.photographs}" in done.err
    checked = leafsight("recipes", "check", tmp_path / "study" / "best.toml")
    assert checked.code == 0, checked.err


def test_json_and_silence(world: World, tmp_path: Path) -> None:
    done = leafsight(*words(world, tmp_path, "--trials", 2, "--json", "-q"))
    assert (done.code, done.err) == (0, "")
    assert done.json["counts"] == {"wanted": 2, "complete": 2, "pruned": 0}
    assert Path(done.json["files"]["best"]).exists()
    kept = json.loads((tmp_path / "study" / "search.json").read_text())
    assert {key: done.json[key] for key in kept} == kept


def test_the_folder_is_that_of_the_recipe(world: World, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    done = leafsight(
        "tune", recipe, "--data", world.photographs, "--no-range-test", "--trials", 1, "-q", folder=tmp_path
    )
    assert done.code == 0, done.err
    assert (tmp_path / "runs" / "small-search" / "best.toml").exists()


def test_another_recipe_in_the_folder_is_refused(world: World, tmp_path: Path) -> None:
    assert leafsight(*words(world, tmp_path, "--trials", 1, "-q")).code == 0
    done = leafsight(*words(world, tmp_path, "--trials", 1, "-q", "--set", "model.width=0.5"))
    assert done.code == 1
    assert "--set" in done.error_lines[0]
    assert "--study" in done.error_lines[1]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("tune", "quick", "--data", "x", "--set", "search=1"), 2, "search"),
        (("tune", "simpl-cnn", "--data", "x"), 2, "did you mean 'simple-cnn'"),
        (("tune", "small.toml"), 2, "--data FOLDER"),
        (("tune", "small.toml", "--data", "nowhere"), 1, "nowhere"),
        (("tune", "no.toml", "--data", "x"), 1, "no.toml"),
        (
            ("tune", "small.toml", "--data", "x", "--storage", "mysql://me:secret@h/d"),
            2,
            "postgresql+psycopg",
        ),
        (("tune", "small.toml", "--data", "x", "--set", "search.space.seed={low=0,high=9}"), 2, "seed"),
        (("tune", "small.toml", "--data", "x", "--fraction", "0"), 2, "fraction"),
    ],
)
def test_what_cannot_start_says_why(tmp_path: Path, more: tuple[str, ...], code: int, said: str) -> None:
    write_recipe(tmp_path)
    done = leafsight(*more, folder=tmp_path)
    assert (done.code, done.out) == (code, ""), done.err
    assert said in done.err
    assert "secret" not in done.err
    assert not list(tmp_path.rglob("index.parquet"))


def test_a_recipe_without_a_space_is_shown_one(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    recipe.write_text(recipe.read_text().partition("[search]")[0])
    done = leafsight("tune", recipe, "--data", "x")
    assert done.code == 2
    assert "no table [search]" in done.error_lines[0]
    assert "[search.space]" in done.err


def test_without_optuna_its_pip_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight import experiments

    monkeypatch.delitem(vars(experiments), "SearchRequest", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    done = leafsight("tune", write_recipe(tmp_path), "--data", "x")
    assert done.code == 1
    assert done.error_lines[1] == "hint: pip install 'leafsight[tune]'"
