"""A recipe with a small space, drawn leaves prepared once, and a search that takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from leafsight.experiments import SearchRequest
from leafsight.training import PreparedData, Recipe, RecipeFile, prepare_data, read_recipe_file

RECIPE = """# A small one.
seed = 1
batch_size = 16
threads = 1

[recipe]
name = "small"
expect = { metric = "accuracy", value = 0.9 }

[data]
ratios = { train = 0.5, valid = 0.2, calibration = 0.15, test = 0.15 }

[preprocessing]
side_px = 32

[model]
name = "simple_cnn"
width = 0.25

[[stages]]
name = "whole"
epochs = 2
learning_rate = 0.003  # the one that matters

[search]
trials = 3
warmup_epochs = 1

[search.space]
"stages.whole.learning_rate" = { low = 1e-4, high = 1e-1, log = true }
"optimizer.betas" = { choices = [[0.9, 0.999], [0.8, 0.99]] }
batch_size = { low = 8, high = 32, integer = true }
"""


def write_recipe(folder: Path, *changes: tuple[str, str]) -> Path:
    """The recipe as a file, with parts of its text replaced."""
    text = RECIPE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def recipe_file(folder: Path, *changes: tuple[str, str]) -> RecipeFile:
    return read_recipe_file(write_recipe(folder, *changes))


def request_for(path: Path, **values: object) -> SearchRequest:
    return SearchRequest(
        **{"recipe": str(path), "text": path.read_text(), "range_test": False, "device": "cpu", **values}
    )


def preparing(photographs: Path, folder: Path) -> Callable[[Recipe], PreparedData]:
    """Prepares drawn leaves; ``calls`` counts."""

    def prepare(recipe: Recipe) -> PreparedData:
        prepare.calls += 1  # type: ignore[attr-defined]
        return prepare_data(recipe, (photographs,), folder, workers=1)

    prepare.calls = 0  # type: ignore[attr-defined]
    return prepare
