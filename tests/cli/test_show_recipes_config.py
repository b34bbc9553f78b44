"""``leafsight show``, ``recipes`` and ``config``: what is there to be looked at."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.journeys.small_world import leafsight

from leafsight.training import recipe_names


def test_show_a_model(world) -> None:
    told = leafsight("show", world.model)
    assert told.code == 0
    assert "## Limits" in told.out
    shown = leafsight("show", world.model, "--json").json
    assert shown["content_hash"] in told.out
    assert len(shown["classes"]) == 3


def test_show_a_run(world) -> None:
    told = leafsight("show", world.run)
    assert told.code == 0
    assert "status: finished" in told.out
    assert "best was epoch" in told.out
    assert "{" not in told.out
    assert leafsight("show", world.run, "--json").json["status"] == "finished"


def test_show_an_index(world) -> None:
    index = world.run / "index.parquet"
    assert "calibration" in leafsight("show", index).out
    assert set(leafsight("show", index, "--json").json["splits"]) == {
        "train", "valid", "calibration", "test",
    }  # fmt: skip


def test_show_a_condition_with_its_source() -> None:
    told = leafsight("show", "tomato early blight")
    assert told.code == 0
    assert "Sources" in told.out
    assert leafsight("show", "Tomato___Early_blight", "--json").json["key"] == "tomato/early_blight"


@pytest.mark.parametrize(("what", "code"), [("zzz", 2), (".", 2), ("no.parquet", 1), ("no.leafsight", 1)])
def test_show_what_is_not_there(tmp_path: Path, what: str, code: int) -> None:
    done = leafsight("show", what, folder=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert done.error_lines


def test_recipes_are_listed_with_what_to_expect() -> None:
    told = leafsight("recipes", "ls")
    assert [line.split("\t")[0] for line in told.out.splitlines()[1:]] == list(recipe_names())
    for header in leafsight("recipes", "ls", "--json").json:
        assert header["title"]
        assert header["duration"]
        assert header["hardware"]


def test_a_recipe_becomes_mine(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert leafsight("recipes", "cp", "quick", mine).out.strip() == str(mine)
    assert leafsight("recipes", "check", mine).out.strip() == f"{mine} is fine"
    mine.write_text("# changed\n" + mine.read_text())
    refused = leafsight("recipes", "cp", "quick", mine)
    assert refused.code == 2
    assert "--force" in refused.error_lines[1]
    assert mine.read_text().startswith("# changed")
    assert leafsight("recipes", "cp", "quick", mine, "--force").code == 0
    assert not mine.read_text().startswith("# changed")


def test_the_resolved_recipe_is_a_recipe(tmp_path: Path) -> None:
    resolved = leafsight("recipes", "check", "quick", "--set", "seed=7", "--resolved").out
    assert tomllib.loads(resolved)["seed"] == 7
    (tmp_path / "again.toml").write_text(resolved)
    assert leafsight("recipes", "check", tmp_path / "again.toml").code == 0


def test_all_faults_of_a_recipe_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'sede = 1\n[recipe]\nname = "mine"\n[model]\nname = "resnet19"\n'
        '[[stages]]\nname = "one"\nepochs = 0\nlearning_rate = -1\n'
    )
    done = leafsight("recipes", "check", tmp_path / "mine.toml")
    assert done.code == 2
    for key in ("sede", "model.name", "stages.0.epochs", "stages.0.learning_rate"):
        assert key in done.err
    assert "did you mean 'seed'" in done.err
    assert str(tmp_path / "mine.toml") in done.err


def test_a_misspelt_recipe_names_the_nearest() -> None:
    done = leafsight("recipes", "cp", "quik", "x.toml")
    assert done.code == 2
    assert "did you mean 'quick'" in done.error_lines[1]


def test_config_shows_where_a_value_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leafsight.toml").write_text('runs_dir = "mine"\nthreads = 2\n')
    monkeypatch.setenv("LEAFSIGHT_THREADS", "3")
    shown = leafsight("config", "show", "--json", folder=tmp_path).json
    assert shown["runs_dir"] == {"value": "mine", "from": "leafsight.toml"}
    assert shown["threads"] == {"value": 3, "from": "LEAFSIGHT_THREADS"}
    assert shown["max_image_bytes"]["from"] == "default"
    assert "runs_dir\tmine\tleafsight.toml" in leafsight("config", "show", folder=tmp_path).out


def test_config_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert leafsight("config", "check", folder=tmp_path).out.strip() == "the settings are fine"
    (tmp_path / "leafsight.toml").write_text('rnus_dir = "mine"\nmax_image_bytes = 3\n')
    monkeypatch.setenv("LEAFSIGHT_THREDS", "3")
    done = leafsight("config", "check", folder=tmp_path)
    assert done.code == 2
    for told in ("rnus_dir", "'runs_dir'", "max_image_bytes", "LEAFSIGHT_THREDS", "'LEAFSIGHT_THREADS'"):
        assert told in done.err
