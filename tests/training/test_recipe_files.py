from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.training.tiny import tiny_recipe

from leafsight.errors import ConfigError, StorageError, UsageError
from leafsight.training import load_recipe, recipe_as_toml, recipe_names
from leafsight.training.recipe_files import _toml


def test_overrides_reach_tables_and_stages_by_name_and_by_number() -> None:
    recipe = load_recipe(
        "quick", ["seed=7", "stages.head.epochs=3", "stages.1.learning_rate=0.5", "model.name=simple_cnn"]
    )
    assert (recipe.seed, recipe.stages[0].epochs, recipe.stages[1].learning_rate) == (7, 3, 0.5)
    assert recipe.model.name == "simple_cnn"


def test_an_override_makes_a_table_that_the_file_leaves_out() -> None:
    assert load_recipe("simple-cnn", ["mixing.mixup_probability=0.25"]).mixing.mixup_probability == 0.25


def test_all_faults_at_once_in_file_and_overrides(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'seeds = 1\nbatch_size = 0\n[recipe]\nname = "mine"\n'
        '[[stages]]\nname = "a"\nepochs = 0\nlearning_rate = 1.0\n'
        "[stages.optimizer]\nmomentun = 0.5\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_recipe(file, ["nonsense", "stages.7.epochs=1"])
    faults = {fault.key: fault for fault in caught.value.faults}
    assert faults.keys() >= {
        "nonsense",
        "stages.7.epochs",
        "seeds",
        "batch_size",
        "stages.0.epochs",
        "stages.0.optimizer.momentun",
    }
    assert faults["seeds"].nearest == "seed"
    assert faults["stages.0.optimizer.momentun"].nearest == "momentum"
    assert faults["seeds"].where == str(file)


@pytest.mark.parametrize("name", recipe_names())
def test_a_resolved_recipe_reads_back_equal(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    file = tmp_path / "resolved.toml"
    file.write_text(recipe_as_toml(recipe))
    assert load_recipe(file) == recipe


def test_a_stage_override_reads_back_equal(tmp_path: Path) -> None:
    stage = {
        "name": 'with "quotes"',
        "epochs": 1,
        "learning_rate": 1e-7,
        "optimizer": {"name": "sgd"},
        "augmentation": {"preset": "none"},
    }
    recipe = tiny_recipe(stages=[stage])
    file = tmp_path / "resolved.toml"
    file.write_text(recipe_as_toml(recipe))
    assert load_recipe(file) == recipe


def test_a_stage_that_changes_one_value_of_a_table_keeps_the_others() -> None:
    stage = {
        "name": "all",
        "epochs": 1,
        "learning_rate": 0.1,
        "augmentation": {"colour": {"hue_degrees": 3}},
    }
    table = {
        "preset": "none",
        "colour": {"probability": 0.5, "hue_degrees": 9},
        "geometry": {"flip_vertical": 0.5},
    }
    recipe = tiny_recipe(stages=[stage], augmentation=table)
    found = recipe.augmentation_of(recipe.stages[0])
    assert (found.colour.probability, found.colour.hue_degrees) == (0.5, 3)
    assert found.geometry.flip_vertical == 0.5


@example('\x7f\n\t\\"')
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_any_text_survives_toml(text: str) -> None:
    import tomllib

    assert tomllib.loads(f"value = {_toml(text)}")["value"] == text


def test_what_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recipe 'nothing'"):
        load_recipe("nothing")
    with pytest.raises(StorageError, match="absent"):
        load_recipe(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = = 1")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_recipe(broken)
