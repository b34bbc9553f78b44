from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.tiny import CLASSES, plain_stage, tiny_data, tiny_recipe

from leafsight.errors import TrainingError
from leafsight.training import load_run, train


def test_what_was_trained_is_read_back(tmp_path: Path) -> None:
    recipe = tiny_recipe(stages=[plain_stage(epochs=1)])
    trained = train(recipe, tiny_data(), tmp_path)
    found = load_run(tmp_path)
    assert (found.classes, found.recipe, found.best) == (CLASSES, recipe, trained.best)
    assert found.record["versions"].keys() == {"leafsight", "torch", "python", "numpy"}


def test_a_folder_without_a_finished_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no finished run"):
        load_run(tmp_path)
