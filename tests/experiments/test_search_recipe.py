from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.experiments.searching import RECIPE, write_recipe

from leafsight.experiments.search_recipe import recipe_with
from leafsight.training import load_recipe, read_recipe_file, recipe_text

CHANGES = {
    "stages.whole.learning_rate": 0.0123,
    "stages.0.optimizer.weight_decay": 0.2,
    "optimizer.betas": [0.8, 0.99],
    "batch_size": 24,
}


def written(folder: Path, text: str, changes: dict[str, Any], overrides: tuple[str, ...] = ()) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    wanted = read_recipe_file(path, overrides).recipe(changes)
    made = recipe_with(
        text, overrides, changes, wanted, said="Found by a test.\nTwice.", command="leafsight x"
    )
    (folder / "best.toml").write_text(made)
    assert load_recipe(folder / "best.toml").fingerprint() == wanted.fingerprint()
    return made


def test_the_authors_text_stays(tmp_path: Path) -> None:
    made = written(tmp_path, RECIPE, CHANGES, ("model.width=0.5", "recipe.title=Mine"))
    assert made.startswith("# Found by a test.\n# Twice.\n\n# A small one.\n")
    assert "learning_rate = 0.0123  # the one that matters" in made
    assert "batch_size = 24\n" in made
    assert "expect" not in made
    recipe = load_recipe(tmp_path / "best.toml")
    assert recipe.recipe.name == "small-tuned"
    assert recipe.recipe.title == "Mine"
    assert recipe.model.width == 0.5
    assert recipe.search is not None


def test_shipped_recipes_can_be_written(tmp_path: Path) -> None:
    changes = {"stages.head.learning_rate": 0.01, "mixing.mixup_alpha": 0.3, "seed": 4, "batch_size": 7}
    for name in ("quick", "standard", "simple-cnn"):
        fitting = changes if name != "simple-cnn" else {"stages.whole.learning_rate": 0.01}
        made = written(tmp_path, recipe_text(name), fitting)
        assert f'name = "{name}-tuned"' in made


def test_a_spelling_that_cannot_be_edited_is_written_plainly(tmp_path: Path) -> None:
    text = RECIPE.replace('[recipe]\nname = "small"\nexpect', "recipe.name = 'small'\nrecipe.expect")
    made = written(tmp_path, text, CHANGES)
    assert load_recipe(tmp_path / "best.toml").recipe.name == "small-tuned"
    assert made.startswith("# Found by a test.")


def test_a_tuned_recipe_stays_tuned_once(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, ('name = "small"', 'name = "small-tuned"'))
    written(tmp_path, path.read_text(), CHANGES)
    assert load_recipe(tmp_path / "best.toml").recipe.name == "small-tuned"
