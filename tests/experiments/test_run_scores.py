"""What a run answers is asked once, and asked anew when run, photographs or views are others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.journeys.small_world import World, leafsight

from leafsight.dataset import PhotoIndex, PixelCache
from leafsight.errors import DatasetError, StorageError, TrainingError
from leafsight.evaluation import EvaluationOptions
from leafsight.experiments import RunScores, judge_run, load_run_scores, run_scores
from leafsight.inference import BundlePredictor
from leafsight.training import TrainedRun, load_run


@pytest.fixture
def run(world: World, tmp_path: Path) -> TrainedRun:
    """A copy that was never asked: other tests ask the run itself."""
    folder = Path(shutil.copytree(world.run, tmp_path / "run"))
    for asked in folder.glob("scores-*.npz"):
        asked.unlink()
    return load_run(folder)


@pytest.fixture
def index(world: World) -> PhotoIndex:
    return PhotoIndex.load(world.run / "index.parquet")


def ask(run: TrainedRun, index: PhotoIndex, split: str = "test", views: int = 1) -> RunScores:
    return judge_run(run, index, run.folder.path / "pixels", split=split, views=views)


@pytest.fixture
def asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nobody answers."""

    def silent(*_: object) -> None:
        raise AssertionError("the network was asked again")

    monkeypatch.setattr(run_scores, "network_scorer", silent)


def test_rows_stand_in_the_order_of_the_index(run: TrainedRun, index: PhotoIndex) -> None:
    scores, part = ask(run, index), index.where(split="test")
    places = zip(part.column("source"), part.column("path"), strict=True)
    assert scores.photos == tuple(f"{source}/{place}" for source, place in places)
    names = part.column("class_name")
    assert [scores.classes[label] for label in scores.labels] == names
    assert scores.logits.shape == (len(part), len(run.classes))
    assert scores.sources == tuple(part.column("source"))
    assert scores.correct().tolist() == [
        run.classes[top] == name for top, name in zip(scores.logits.argmax(axis=1), names, strict=True)
    ]


def test_the_network_answers_as_its_model_file_does(run: TrainedRun, index: PhotoIndex) -> None:
    """The photographs are prepared as for serving, so the graph that was exported says the same."""
    model = run.folder.path / "fp32.leafsight"
    assert leafsight("export", run.folder.path, "--out", model, "--precision", "fp32", "-q").code == 0
    scores, part, predictor = ask(run, index), index.where(split="test"), BundlePredictor(model)
    cache = PixelCache.build(part, run.folder.path / "own", predictor.preprocessing)
    told = predictor.scores(np.ascontiguousarray(cache.images)).logits
    np.testing.assert_allclose(scores.logits, told, atol=1e-3)


@pytest.mark.usefixtures("asked_no_more")
def test_nobody_answers_without_a_file(run: TrainedRun, index: PhotoIndex) -> None:
    with pytest.raises(AssertionError, match="asked again"):
        ask(run, index)


def test_it_is_asked_once(run: TrainedRun, index: PhotoIndex, request: pytest.FixtureRequest) -> None:
    first = ask(run, index)
    assert (run.folder.path / "scores-test.npz").exists()
    request.getfixturevalue("asked_no_more")
    again = ask(run, index)
    np.testing.assert_array_equal(again.logits, first.logits)
    assert (again.photos, again.groups, again.key) == (first.photos, first.groups, first.key)


def test_views_and_splits_are_kept_apart(
    run: TrainedRun, index: PhotoIndex, request: pytest.FixtureRequest
) -> None:
    plain, viewed, valid = ask(run, index), ask(run, index, views=2), ask(run, index, "valid")
    assert np.abs(plain.logits - viewed.logits).max() > 0
    assert set(plain.photos).isdisjoint(valid.photos)
    request.getfixturevalue("asked_no_more")
    np.testing.assert_array_equal(ask(run, index).logits, plain.logits)
    np.testing.assert_array_equal(ask(run, index, views=2).logits, viewed.logits)
    np.testing.assert_array_equal(ask(run, index, "valid").logits, valid.logits)


def test_other_weights_are_asked_anew(run: TrainedRun, index: PhotoIndex) -> None:
    first = ask(run, index)
    import torch

    with torch.no_grad():
        for weights in run.network.parameters():
            weights.add_(0.01)
    run.folder.best.write_bytes(run.folder.best.read_bytes() + b" ")
    again = ask(run, index)
    assert again.key != first.key
    assert np.abs(again.logits - first.logits).max() > 0


def test_other_photographs_are_asked_anew(run: TrainedRun, index: PhotoIndex) -> None:
    first = ask(run, index)
    fewer = index.rows(index.row_ids(split="test")[1:])
    again = ask(run, fewer)
    assert again.photos == first.photos[1:]
    np.testing.assert_allclose(again.logits, first.logits[1:], atol=1e-5)


@pytest.mark.parametrize("harm", [b"", b"no scores", "cut"])
def test_a_damaged_file_is_made_again(run: TrainedRun, index: PhotoIndex, harm: bytes | str) -> None:
    first = ask(run, index)
    path = run.folder.path / "scores-test.npz"
    path.write_bytes(path.read_bytes()[:-40] if isinstance(harm, str) else harm)
    with pytest.raises(StorageError, match="scores"):
        load_run_scores(path)
    np.testing.assert_array_equal(ask(run, index).logits, first.logits)
    np.testing.assert_array_equal(load_run_scores(path).logits, first.logits)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nothing\.npz"):
        load_run_scores(tmp_path / "nothing.npz")


def test_saved_is_read_back(run: TrainedRun, index: PhotoIndex, tmp_path: Path) -> None:
    scores = ask(run, index)
    scores.save(tmp_path / "deep" / "scores.npz")
    back = load_run_scores(tmp_path / "deep" / "scores.npz")
    for name in ("classes", "photos", "groups", "sources", "key"):
        assert getattr(back, name) == getattr(scores, name)
    np.testing.assert_array_equal(back.labels, scores.labels)
    np.testing.assert_array_equal(back.logits, scores.logits)


def test_leaves_photographed_twice_are_one_group(run: TrainedRun, index: PhotoIndex) -> None:
    overall = ask(run, index).evaluation(EvaluationOptions(resamples=100)).overall
    assert overall.groups < overall.photos
    assert "group_accuracy" in overall.metrics


def test_photographs_that_stand_alone_are_no_common_group(run: TrainedRun, index: PhotoIndex) -> None:
    groups = index.column("group")
    alone = index.with_column("group", [groups[0], *[None] * (len(groups) - 1)])
    scores = ask(run, alone)
    overall = scores.evaluation(EvaluationOptions(resamples=100)).overall
    assert overall.groups == overall.photos


def test_other_groups_are_another_question(run: TrainedRun, index: PhotoIndex) -> None:
    first = ask(run, index.with_column("group", [f"leaf {row // 2}" for row in range(len(index))]))
    scores = ask(run, index.with_column("group", [None] * len(index)))
    assert first.groups
    assert scores.groups == ()


def test_without_groups_there_are_none(run: TrainedRun, index: PhotoIndex) -> None:
    scores = ask(run, index.with_column("group", [None] * len(index)))
    assert scores.groups == ()
    assert "group_accuracy" not in scores.evaluation(EvaluationOptions(resamples=100)).overall.metrics


def test_the_pixels_obey_the_limit(run: TrainedRun, index: PhotoIndex, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="the limit is 100"):
        judge_run(run, index, tmp_path / "pixels", views=3, max_cache_bytes=100)


def test_a_split_that_is_not_there(run: TrainedRun, index: PhotoIndex) -> None:
    with pytest.raises(DatasetError, match="tset"):
        ask(run, index, "tset")


def test_classes_that_the_run_does_not_know(run: TrainedRun, index: PhotoIndex) -> None:
    strange = index.with_class_names(lambda name: f"{name} of the moon")
    with pytest.raises(TrainingError, match="of the moon"):
        ask(run, strange)
    assert not (run.folder.path / "scores-test.npz").exists()


def test_the_likeliest_class_decides(run: TrainedRun, index: PhotoIndex) -> None:
    scores = ask(run, index)
    sure = np.zeros_like(scores.logits)
    sure[np.arange(len(sure)), scores.labels] = 1
    assert replace(scores, logits=sure).correct().all()
    assert not replace(scores, logits=-sure).correct().any()
