from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.errors import UsageError
from leafsight.training import copy_recipe, load_recipe, recipe_names, recipe_text


def test_what_ships() -> None:
    assert {"quick", "standard", "builtin", "simple-cnn"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_says_what_to_expect(name: str) -> None:
    header = load_recipe(name).recipe
    assert header.name == name
    for said in (header.title, header.data, header.hardware, header.duration):
        assert said
    assert header.command.startswith(f"leafsight train {name} ")


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="no recipe 'quik'") as caught:
        recipe_text("quik")
    assert "did you mean 'quick'?" in caught.value.hint


def test_copying_into_a_folder_and_never_over_a_file(tmp_path: Path) -> None:
    path = copy_recipe("quick", tmp_path)
    assert path == tmp_path / "quick.toml"
    assert path.read_text() == recipe_text("quick")
    path.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        copy_recipe("quick", path)
    assert path.read_text() == "mine"
    copy_recipe("quick", path, force=True)
    assert path.read_text() == recipe_text("quick")
