from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.errors import TrainingError
from leafsight.training.machine import prepared_machine
from leafsight.training.run_folder import RunFolder, new_record, open_run_folder, write_record


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    opened = open_run_folder(tmp_path / "run", tiny_recipe(), tiny_data(), resume=True, force=False)
    with prepared_machine("cpu", 1, "auto") as (_, machine):
        write_record(opened, new_record(tiny_recipe(), tiny_data(), machine))
    return opened


def test_the_same_run_is_let_in(folder: RunFolder) -> None:
    same = tiny_recipe(threads=2, recipe={"name": "renamed"})
    assert open_run_folder(folder.path, same, tiny_data(), resume=True, force=False) == folder
    assert 'name = "renamed"' in folder.recipe.read_text()


def test_another_recipe_is_refused_with_the_difference(folder: RunFolder) -> None:
    other = tiny_recipe(seed=4, stages=[plain_stage(epochs=9), plain_stage(name="b")])
    with pytest.raises(TrainingError) as caught:
        open_run_folder(folder.path, other, tiny_data(), resume=True, force=False)
    for told in ("seed was 0, now 4", "stages.0.epochs was 2, now 9"):
        assert told in str(caught.value)
    assert "--force" in caught.value.hint


def test_other_photographs_are_refused(folder: RunFolder) -> None:
    data = tiny_data()
    fewer = replace(data, rows={"train": np.arange(30), "valid": np.arange(40, 60)})
    with pytest.raises(TrainingError, match=r"photographs: photos\.train was 40, now 30"):
        open_run_folder(folder.path, tiny_recipe(), fewer, resume=True, force=False)
    with pytest.raises(TrainingError, match="fingerprints differ"):
        open_run_folder(folder.path, tiny_recipe(), tiny_data(seed=1), resume=True, force=False)


def test_without_resume_an_earlier_run_is_not_touched(folder: RunFolder) -> None:
    folder.last.parent.mkdir()
    folder.last.write_bytes(b"state")
    with pytest.raises(TrainingError, match="holds an earlier run"):
        open_run_folder(folder.path, tiny_recipe(), tiny_data(), resume=False, force=False)
    assert folder.last.read_bytes() == b"state"


def test_force_clears_what_is_ours_and_nothing_else(folder: RunFolder) -> None:
    folder.last.parent.mkdir()
    folder.last.write_bytes(b"state")
    (folder.path / "notes.txt").write_text("mine")
    open_run_folder(folder.path, tiny_recipe(seed=9), tiny_data(), resume=True, force=True)
    assert not folder.last.exists()
    assert not folder.record.exists()
    assert (folder.path / "notes.txt").read_text() == "mine"
