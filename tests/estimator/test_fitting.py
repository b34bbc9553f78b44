"""A fit goes the way of ``leafsight train``: the same splits and weights, and it goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

from tests.estimator.leaves import SMALL, Leaves, drawn_leaves, listed
from tests.journeys.small_world import SMALL as WORLD
from tests.journeys.small_world import World
from tests.journeys.small_world import leafsight as command

import leafsight.export
import leafsight.training
from leafsight.bundle import open_bundle
from leafsight.dataset import PhotoIndex
from leafsight.estimator import LeafClassifier
from leafsight.training import TrainingStoppedError


class EnoughError(Exception):
    """What was wanted has been seen before training."""


def stop(*_: Any, **__: Any) -> None:
    raise EnoughError


def new(**params: Any) -> LeafClassifier:
    return LeafClassifier("simple-cnn", overrides=SMALL, **params)


@pytest.fixture(scope="module")
def leaves() -> Leaves:
    return drawn_leaves()


@pytest.fixture(scope="module")
def kept(leaves: Leaves, tmp_path_factory: pytest.TempPathFactory) -> tuple[LeafClassifier, Path]:
    """A fit whose folder stays."""
    folder = tmp_path_factory.mktemp("work")
    return new(work_dir=folder).fit(leaves.photos, leaves.classes, leaves.groups), folder


def index_in(folder: Path) -> PhotoIndex:
    (path,) = folder.glob("fit-*/data/index.parquet")
    return PhotoIndex.load(path)


def test_it_is_the_network_that_the_command_line_trains(world: World, tmp_path: Path) -> None:
    """Of the same photographs, in another order, with the leaves given as groups."""
    paths, classes, groups = listed(world.photographs)
    fitted = LeafClassifier("simple-cnn", overrides=WORLD).fit(paths, classes, groups)
    mine = open_bundle(fitted.save_bundle(tmp_path / "mine.leafsight"))
    path = tmp_path / "theirs.leafsight"
    done = command("export", world.run, "--out", path, "--precision", "fp32", "-q")
    assert done.code == 0, done.err
    theirs = open_bundle(path)
    assert mine.classes == theirs.classes
    assert mine.network() == theirs.network()
    assert dict(mine.calibration) == dict(theirs.calibration)


@pytest.mark.usefixtures("plain_calibration")
def test_a_clock_decides_nothing(leaves: Leaves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine INT8 was measured to pay in one of two equal fits, and the other answered in fp32."""
    monkeypatch.setattr("leafsight.export.precision.median_ratio", lambda *_: 9.0)
    fitted = new().fit(leaves.photos, leaves.classes, leaves.groups)
    assert open_bundle(fitted.save_bundle(tmp_path / "leaf.leafsight")).network_spec.precision == "fp32"


def test_groups_stay_on_one_side(kept: tuple[LeafClassifier, Path]) -> None:
    index = index_in(kept[1])
    sides: dict[str, set[str]] = {}
    for group, split in zip(index.column("given_group"), index.column("split"), strict=True):
        sides.setdefault(group, set()).add(split)
    assert len(sides) == 20
    assert all(len(splits) == 1 for splits in sides.values())
    assert set(index.split_counts()) == {"train", "valid", "calibration", "test"}


def test_a_finished_fit_is_read_back_and_another_is_not(
    kept: tuple[LeafClassifier, Path], leaves: Leaves, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, folder = kept
    monkeypatch.setattr(leafsight.training, "train", stop)
    again = new(work_dir=folder).fit(leaves.photos, leaves.classes, leaves.groups)
    assert again.bundle_ == fitted.bundle_
    assert again.history_ == fitted.history_
    for other in (new(work_dir=folder, random_state=1), new(work_dir=folder, validation_fraction=0.2)):
        with pytest.raises(EnoughError):
            other.fit(leaves.photos, leaves.classes, leaves.groups)


def test_a_fit_that_ended_after_training_goes_on_from_there(
    kept: tuple[LeafClassifier, Path], leaves: Leaves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(leafsight.export, "package_run", stop)
        with pytest.raises(EnoughError):
            new(work_dir=tmp_path).fit(leaves.photos, leaves.classes, leaves.groups)
    monkeypatch.setattr("leafsight.training.loop.train_epoch", stop)
    fitted = new(work_dir=tmp_path).fit(leaves.photos[::-1], leaves.classes[::-1], leaves.groups[::-1])
    assert (fitted.predict_proba(leaves.photos) == kept[0].predict_proba(leaves.photos)).all()


def test_the_order_of_photographs_in_memory_changes_nothing(
    kept: tuple[LeafClassifier, Path], leaves: Leaves
) -> None:
    order = np.random.default_rng(1).permutation(len(leaves.photos))
    other = new().fit(
        leaves.photos[order], [leaves.classes[one] for one in order], [leaves.groups[one] for one in order]
    )
    assert (other.predict_proba(leaves.photos) == kept[0].predict_proba(leaves.photos)).all()


def test_the_share_and_the_seed_decide_the_split(leaves: Leaves, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(leafsight.training, "train", stop)
    seen = {}
    for name, params in {
        "plain": {},
        "share": {"validation_fraction": 0.2},
        "seed": {"random_state": 5},
        "generator": {"random_state": np.random.RandomState(5)},
    }.items():
        with pytest.raises(EnoughError):
            new(work_dir=tmp_path / name, **params).fit(leaves.photos, leaves.classes)
        seen[name] = index_in(tmp_path / name)
    assert seen["share"].split_counts() == {"train": 16, "valid": 8, "calibration": 8, "test": 8}
    fingerprints = {index.split_fingerprint() for index in seen.values()}
    assert len(fingerprints) == 4


def test_a_file_that_is_named_twice_and_odd_names(world: World, tmp_path: Path, monkeypatch: Any) -> None:
    """As in a bootstrap sample; equal photographs are one group, so none both teaches and judges."""
    monkeypatch.setattr(leafsight.training, "train", stop)
    paths, classes, _ = listed(world.photographs)
    odd = tmp_path / "in two\nlines .jpg"
    odd.write_bytes(paths[0].read_bytes() + b"\0")
    with pytest.raises(EnoughError):
        new(work_dir=tmp_path / "work").fit([*paths, paths[0], odd], [*classes, classes[0], classes[0]])
    index = index_in(tmp_path / "work")
    assert len(index) == len(paths) + 2
    assert not index.faults()
    rows = dict(zip(index.column("path"), index.column("group"), strict=True))
    (named,) = (path for path in rows if path.endswith("/".join(paths[0].parts[-2:])))
    # The file, its copy, and the one that shows the same pixels under a name that no list can hold.
    assert sum(group == rows[named] for group in rows.values()) >= 3


def test_a_stop_is_a_stop_and_no_bad_parameter(leaves: Leaves, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search over parameters goes on to the next after an error, and after this it must not."""

    def stopped(*_: Any, **__: Any) -> None:
        raise TrainingStoppedError("stopped by SIGINT")

    monkeypatch.setattr(leafsight.training, "train", stopped)
    with pytest.raises(KeyboardInterrupt, match="SIGINT"):
        new().fit(leaves.photos, leaves.classes)


def test_progress_is_told_only_on_request(leaves: Leaves, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(leafsight.training, "train", stop)
    for verbose in (0, 1):
        with pytest.raises(EnoughError):
            new(verbose=verbose).fit(leaves.photos, leaves.classes)
        said = capsys.readouterr()
        assert said.out == ""
        assert ("reading photographs" in said.err) == bool(verbose)
