from __future__ import annotations

from leafsight.experiments.comparing_recipes import LONGEST_VALUE, differing_values
from leafsight.training import load_recipe


def test_equal_recipes_differ_in_nothing() -> None:
    values = load_recipe("simple-cnn").decisive_values()
    assert differing_values([values, values, values]) == {}
    assert differing_values([values]) == {}
    assert differing_values([]) == {}


def test_the_paths_are_those_of_set() -> None:
    overrides = ["seed=3", "stages.whole.epochs=5", "model.dropout=0.1", "augmentation.preset='none'"]
    plain, changed = load_recipe("simple-cnn"), load_recipe("simple-cnn", overrides)
    found = differing_values([plain.decisive_values(), changed.decisive_values()])
    assert found["seed"] == ("0", "3")
    assert found["stages.0.epochs"] == ("20", "5")
    assert found["model.dropout"] == ("0.3", "0.1")
    assert found["augmentation.preset"] == ("light", "none")
    assert list(found) == sorted(found)
    again = load_recipe(
        "simple-cnn", [f"{key}={new}" for key, (_, new) in found.items() if key.startswith("st")]
    )
    assert again.stages[0].epochs == 5


def test_values_are_said_in_words() -> None:
    tables = [
        {"a": None, "b": True, "c": [1, 2], "d": {}, "e": 1.5},
        {"a": "x", "b": False, "c": [1, 3], "e": 1.5},
    ]
    assert differing_values(tables) == {
        "a": ("none", "x"), "b": ("true", "false"), "c": ("[1, 2]", "[1, 3]"), "d": ("{}", "not there"),
    }  # fmt: skip


def test_a_stage_more_shows() -> None:
    one, two = {"stages": [{"name": "a"}]}, {"stages": [{"name": "a"}, {"name": "b"}]}
    assert differing_values([one, two]) == {"stages.1.name": ("not there", "b")}


def test_long_values_are_cut_only_to_be_shown() -> None:
    found = differing_values([{"a": "x" * 100 + "1"}, {"a": "x" * 100 + "2"}])
    assert [len(value) for value in found["a"]] == [LONGEST_VALUE, LONGEST_VALUE]
