"""``leafsight average`` on tiny runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.small_world import SMALL, World, leafsight, with_settings

from leafsight.dataset import PhotoIndex


@pytest.fixture(scope="module")
def second(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another run on the same photographs and split, begun from the first one's weights."""
    folder = tmp_path_factory.mktemp("second") / "run"
    done = leafsight(
        "train", "simple-cnn", "--data", world.run / "index.parquet", "--out", folder, "-q", "--no-export",
        "--pretrained", world.run / "checkpoint" / "best.safetensors",
        *with_settings((*SMALL, "seed=5")),
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder


def test_the_mean_of_two_runs_becomes_a_model(world: World, second: Path, tmp_path: Path) -> None:
    mean = tmp_path / "mean"
    done = leafsight("average", world.run, second, "--out", mean, "-q")
    assert (done.code, done.err) == (0, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row[0] for row in rows] == ["run", str(world.run), str(second), str(mean)]
    assert rows[-1][-1] == "the mean"
    told = leafsight("show", mean).out
    assert f"the mean of the weights of run, run: macro f1 {float(rows[-1][1]):.3f}" in told
    for row in rows[1:]:
        assert 0 <= float(row[1]) <= 1
        assert 0 <= float(row[2]) <= 1
    model = tmp_path / "mean.leafsight"
    assert leafsight("export", mean, "--out", model, "-q").code == 0
    card = leafsight("show", model).out
    assert "mean of the weights of 2 runs (run, run)" in card
    photo = world.photo()
    assert leafsight("predict", photo, "--model", model, "--json").code == 0


def test_json_names_every_part(world: World, second: Path, tmp_path: Path) -> None:
    done = leafsight("average", world.run, second, "--out", tmp_path / "mean", "--greedy", "--json", "-q")
    assert done.code == 0
    found = done.json
    assert found["run"] == str(tmp_path / "mean")
    assert len(found["averaged"]) == 2
    assert sum(one["kept"] for one in found["averaged"]) >= 1
    alone = [one["valid"]["macro_f1"] for one in found["averaged"]]
    assert found["valid"]["macro_f1"] >= max(alone) - 1e-9


def test_another_split_is_refused(world: World, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(world.run, tmp_path / "run"))
    index = PhotoIndex.load(copied / "index.parquet")
    splits = index.column("split")
    index.with_column("split", [splits[-1], *splits[:-1]]).save(copied / "index.parquet")
    done = leafsight("average", world.run, copied, "--out", tmp_path / "mean", "-q")
    assert done.code == 2
    assert "another split" in done.error_lines[0]
    assert not (tmp_path / "mean").exists()


def test_a_folder_that_is_no_run_is_named(world: World, tmp_path: Path) -> None:
    done = leafsight("average", world.run, tmp_path, "--out", tmp_path / "mean", "-q")
    assert done.code == 2
    assert f"{tmp_path} has no index.parquet" in done.error_lines[0]


def test_an_occupied_folder_is_refused_before_any_photograph_is_read(world: World, tmp_path: Path) -> None:
    taken = Path(shutil.copytree(world.run, tmp_path / "taken"))
    done = leafsight("average", world.run, world.run, "--out", taken, "--cache", tmp_path / "pixels", "-q")
    assert done.code == 1
    assert f"{taken} holds an earlier run" in done.error_lines[0]
    assert not (tmp_path / "pixels").exists()
