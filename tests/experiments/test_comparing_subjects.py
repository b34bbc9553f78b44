"""Runs and model files are opened alike and answer alike."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.journeys.small_world import World

from leafsight.dataset import PhotoIndex
from leafsight.errors import BundleError, EvaluationError, TrainingError, UsageError
from leafsight.experiments import Asking, open_subjects
from leafsight.experiments.comparing_subjects import short_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/a", "runs/b"], ("a", "b")),
        (["x/run", "y/run"], ("x/run", "y/run")),
        (["x/run", "y/run", "z"], ("x/run", "y/run", "w/z")),
        (["x/model.leafsight", "y/other.leafsight"], ("model.leafsight", "other.leafsight")),
    ],
)
def test_names_are_the_shortest_that_differ(
    paths: list[str], names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "w").mkdir()
    monkeypatch.chdir(tmp_path / "w")
    assert short_names([Path(path) for path in paths]) == names


def test_one_run_named_twice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="named twice"):
        short_names([tmp_path / "a", tmp_path / "b" / ".." / "a"])


def test_one_run_is_no_comparison(world: World) -> None:
    with pytest.raises(UsageError, match="two runs"):
        open_subjects([world.run])


def test_a_run_and_its_model_file(world: World, tmp_path: Path) -> None:
    run, file = open_subjects([world.run, world.model])
    assert (run.kind, file.kind) == ("run", "model file")
    assert run.classes == file.classes
    assert run.index is not None
    assert file.index is not None
    assert run.index.split_fingerprint() == file.index.split_fingerprint() == file.split_fingerprint
    assert run.decisive == file.decisive
    assert run.decisive["seed"] == 0
    assert [len(run.history), len(file.history)] == [2, 0]
    assert {key: run.facts[key] for key in ("recipe", "seed", "best_epoch", "torch")} == {
        key: file.facts[key] for key in ("recipe", "seed", "best_epoch", "torch")
    }
    assert not file.learned_more
    asking = Asking(tmp_path / "pixels")
    one, other = (subject.judge(run.index, asking) for subject in (run, file))
    assert one.photos == other.photos
    np.testing.assert_array_equal(one.labels, other.labels)
    agree = (one.logits.argmax(axis=1) == other.logits.argmax(axis=1)).mean()
    assert agree >= 0.8  # the file may be in INT8
    assert len(list((tmp_path / "pixels").glob("*.pixels"))) == 1  # the same contract, prepared once


def test_views_are_averaged_by_both(world: World, tmp_path: Path) -> None:
    run, file = open_subjects([world.run, world.model])
    assert run.index is not None
    plain = Asking(tmp_path / "pixels")
    for subject in (run, file):
        one, several = (subject.judge(run.index, how) for how in (plain, replace(plain, views=4)))
        assert np.abs(one.logits - several.logits).max() > 0


def test_a_model_file_that_was_moved_keeps_its_split(world: World, tmp_path: Path) -> None:
    moved = Path(shutil.copy(world.model, tmp_path / "moved.leafsight"))
    file = open_subjects([world.run, moved])[1]
    assert file.index is None
    assert file.split_fingerprint == PhotoIndex.load(world.run / "index.parquet").split_fingerprint()


def test_an_index_of_another_split_is_not_its_own(world: World, tmp_path: Path) -> None:
    moved = Path(shutil.copy(world.model, tmp_path / "moved.leafsight"))
    index = PhotoIndex.load(world.run / "index.parquet")
    index.with_column("split", ["test"] * len(index)).save(tmp_path / "index.parquet")
    assert open_subjects([world.run, moved])[1].index is None


def test_a_run_without_an_index(world: World, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(world.run, tmp_path / "run"))
    (copied / "index.parquet").unlink()
    assert open_subjects([world.run, copied])[1].index is None


def test_other_classes_are_refused(world: World, colour_model: Path) -> None:
    with pytest.raises(EvaluationError, match="do not know the same classes: Apple___Apple_scab"):
        open_subjects([world.run, colour_model])


def test_what_is_neither(world: World, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no finished run"):
        open_subjects([world.run, tmp_path])
    with pytest.raises(BundleError):
        open_subjects([world.run, tmp_path / "no.leafsight"])


def test_a_model_file_without_a_recipe_we_can_read(colour_model: Path, tmp_path: Path, world: World) -> None:
    other = Path(shutil.copy(colour_model, tmp_path / "other.leafsight"))
    file = open_subjects([colour_model, other])[0]
    assert file.decisive == {}
    assert file.index is None
