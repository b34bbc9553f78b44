from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from tests.experiments.searching import recipe_file

from leafsight.errors import ConfigError
from leafsight.experiments import search_options
from leafsight.experiments.search_space import EXAMPLE, changes_of, own_params, own_value, suggest
from leafsight.training import SearchRange

RATE = '"stages.whole.learning_rate" = { low = 1e-4, high = 1e-1, log = true }'
BATCH = "batch_size = { low = 8, high = 32, integer = true }"


def test_a_recipe_without_a_table_is_shown_one(tmp_path: Path) -> None:
    file = recipe_file(tmp_path)
    del file.values["search"]
    with pytest.raises(ConfigError, match=r"no table \[search\]") as caught:
        search_options(file)
    assert EXAMPLE in caught.value.hint


def test_the_example_is_a_table_that_works(tmp_path: Path) -> None:
    file = recipe_file(tmp_path)
    text = (tmp_path / "small.toml").read_text().partition("[search]")[0]
    (tmp_path / "example.toml").write_text(f"{text}{EXAMPLE}\n")
    from leafsight.training import read_recipe_file

    assert search_options(read_recipe_file(tmp_path / "example.toml")).trials == 30
    assert search_options(file).trials == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"optimizer.weight_dcay" = { low = 0.1, high = 0.2 }', "did you mean 'weight_decay'"),
        ('"stages.hed.learning_rate" = { low = 0.1, high = 0.2 }', "leads nowhere"),
        ('"stages.whole.learning_rate" = { low = -1.0, high = 0.2 }', "with -1.0|greater than 0"),
        ('"stages.whole.epochs" = { low = 2, high = 9 }', "valid integer"),
        ("batch_size = { low = 8.5, high = 32, integer = true }", "whole numbers"),
        ('"augmentation.preset" = { choices = ["light", "heavy"] }', "heavy"),
        ('"data.seed" = { choices = [1, 2] }', "may not change"),
        ("seed = { low = 0, high = 9, integer = true }", "may not change"),
    ],
)
def test_a_key_that_cannot_be_searched_is_found_before_any_trial(
    tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        search_options(recipe_file(tmp_path, (BATCH, line) if "batch" in line else (RATE, line)))


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    lines = 'seed = { choices = [1] }\n"loss.nothing" = { low = 0.0, high = 1.0 }'
    with pytest.raises(ConfigError, match="2 faults") as caught:
        search_options(recipe_file(tmp_path, (BATCH, lines)))
    assert len(caught.value.faults) == 2


def test_a_trial_tries_values_inside_of_the_space(tmp_path: Path) -> None:
    space = search_options(recipe_file(tmp_path)).space
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = [suggest(study.ask(), space) for _ in range(30)]
    rates = [one["stages.whole.learning_rate"] for one in seen]
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)
    assert sum(rate < 3e-3 for rate in rates) > 8  # on a logarithmic scale half of them
    assert all(float(f"{rate:.4g}") == rate for rate in rates)
    assert {str(one["optimizer.betas"]) for one in seen} == {"[0.9, 0.999]", "[0.8, 0.99]"}
    assert {type(one["batch_size"]) for one in seen} == {int}
    assert [changes_of(trial.params, space) for trial in study.trials] == seen


def test_keys_can_be_left_out(tmp_path: Path) -> None:
    space = search_options(recipe_file(tmp_path)).space
    assert list(suggest(optuna.create_study().ask(), space, ["batch_size", "optimizer.betas"])) == [
        "stages.whole.learning_rate"
    ]


def test_digits_never_leave_the_range() -> None:
    space = {"x": SearchRange(low=0.123456, high=0.123457)}
    assert 0.123456 <= changes_of({"x": 0.1234562}, space)["x"] <= 0.123457


def test_the_recipes_own_values(tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path).recipe()
    assert own_value(recipe, "stages.whole.learning_rate") == 0.003
    assert own_value(recipe, "stages.0.learning_rate") == 0.003
    assert own_value(recipe, "optimizer.weight_decay") == 0.01
    assert own_value(recipe, "stages.0.optimizer.weight_decay") is None
    assert own_value(recipe, "stages.7.epochs") is None
    inside = own_params(
        recipe,
        {
            "stages.whole.learning_rate": SearchRange(low=1e-4, high=1e-1),
            "optimizer.weight_decay": SearchRange(low=0.1, high=0.2),
            "batch_size": SearchRange(low=8, high=32, integer=True),
            "optimizer.betas": SearchRange(choices=([0.9, 0.999], [0.5, 0.9])),
            "augmentation.preset": SearchRange(choices=("none",)),
        },
    )
    assert inside == {
        "stages.whole.learning_rate": 0.003,
        "batch_size": 16,
        "optimizer.betas": "[0.9,0.999]",
    }
