"""``leafsight compare`` on tiny runs: what stands on stdout, in the page, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.journeys.small_world import SMALL, World, draw, leafsight, with_settings

from leafsight.dataset import PhotoIndex
from leafsight.experiments import load_run_scores


@pytest.fixture(scope="module")
def second(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another run on the same photographs and split, with another seed and no model file."""
    folder = tmp_path_factory.mktemp("second") / "other"
    done = leafsight(
        "train", "simple-cnn", "--data", world.run / "index.parquet", "--out", folder, "-q", "--no-export",
        *with_settings((*SMALL, "seed=5", "model.dropout=0.0")),
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder


def test_tables_and_sentences(world: World, second: Path, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "compare.html"
    done = leafsight("compare", world.run, second, "--report", page, "--cache", tmp_path / "pixels")
    assert done.code == 0, done.err
    assert f"wrote {page}" in done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert rows[0][:4] == ["run", "n", "accuracy", "macro_f1"]
    assert [row[0] for row in rows[1:3]] == ["run", "other"]
    tested = PhotoIndex.load(world.run / "index.parquet").split_counts()["test"]
    assert [row[1] for row in rows[1:3]] == [str(tested)] * 2
    assert rows[4][0] == "other - run"
    difference = float(rows[4][1].split()[0])
    values = [float(row[2].split()[0]) for row in rows[1:3]]
    assert difference == pytest.approx(values[1] - values[0], abs=0.0015)
    assert rows[5][-1] == "sign-flip p, whole groups"
    assert "other is right" in done.out
    assert "McNemar's test takes every photograph as independent" in done.out
    assert "nan" not in done.out
    assert list((tmp_path / "pixels").glob("*.pixels"))
    text = page.read_text()
    assert "model.dropout" in text
    assert "<script" not in text
    assert json.loads(page.with_suffix(".json").read_text())["recipe"]["differences"]["seed"] == ["0", "5"]


def test_json_and_three_subjects(world: World, second: Path) -> None:
    done = leafsight("compare", world.run, second, world.model, "-q", "--json")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert [one["kind"] for one in found["runs"]] == ["run", "run", "model file"]
    assert [one["seen"] for one in found["runs"]] == [0, 0, 0]
    assert len(found["pairs"]) == 2
    assert found["pairs"][1]["tests"]["mcnemar_holm"] >= found["pairs"][1]["tests"]["mcnemar"]


def test_views_are_told(world: World, second: Path) -> None:
    done = leafsight("compare", world.run, second, "--views", 2, "-q", "--json")
    assert done.json["views"] == 2


def test_the_cache_obeys_the_settings(
    world: World, second: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_MAX_CACHE_BYTES", str(1024**2))
    folder = tmp_path / "many"
    for number in range(400):
        picture = folder / "Roundleaf___Rust" / f"{number}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), number % 250, np.uint8)).save(picture)
    done = leafsight("compare", world.run, second, "--data", folder, "--cache", tmp_path / "pixels")
    assert done.code == 1
    assert "the limit is 1,048,576" in done.err


def test_a_folder_of_other_photographs(world: World, second: Path, tmp_path: Path) -> None:
    elsewhere = draw(tmp_path / "elsewhere", seed=7, leaves=2)
    done = leafsight("compare", world.run, second, "--data", elsewhere, "-q", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["split"] == "elsewhere"
    assert done.json["photographs"] == len(list(elsewhere.rglob("*.jpg")))
    # What the run answered about its own test split is kept.
    assert (second / "scores-elsewhere.npz").exists()


def test_what_trained_a_run_is_refused_unless_asked_for(world: World, second: Path) -> None:
    words = ("compare", world.run, second, "--data", world.photographs, "-q")
    done = leafsight(*words)
    assert (done.code, done.out) == (1, "")
    assert "trained run and" in done.error_lines[0]
    assert "--even-if-seen" in done.error_lines[1]
    index = PhotoIndex.load(world.run / "index.parquet").split_counts()
    seen = index["train"] + index["valid"]
    again = leafsight(*words, "--even-if-seen")
    assert again.code == 0
    assert f"{seen} of the photographs trained other: its numbers are too good." in again.out
    assert leafsight("compare", world.run, second, "--split", "train", "-q").code == 1


def test_data_of_unknown_classes(world: World, second: Path, tmp_path: Path) -> None:
    for name in ("moon", "sun"):
        shutil.copytree(next(world.photographs.rglob("*.jpg")).parent, tmp_path / "sky" / name)
    done = leafsight("compare", world.run, second, "--data", tmp_path / "sky", "-q")
    assert done.code == 1
    assert "none of the photographs shows a class" in done.error_lines[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "two runs"),
        (("nowhere",), 1, "nowhere"),
        (("no.leafsight",), 1, "no.leafsight"),
    ],
)
def test_what_cannot_start_says_why(
    world: World, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = leafsight("compare", world.run, *words, "-q", folder=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_a_split_that_is_not_there(world: World, second: Path) -> None:
    done = leafsight("compare", world.run, second, "--split", "tset", "-q")
    assert done.code == 1
    assert "tset" in done.error_lines[0]


def test_photographs_on_which_they_differ_are_shown(world: World, second: Path, tmp_path: Path) -> None:
    """Two runs that contradict each other: the kept answers of one are turned to other classes."""
    copied = Path(shutil.copytree(world.photographs, tmp_path / "photographs"))
    runs = [Path(shutil.copytree(run, tmp_path / run.name)) for run in (world.run, second)]
    for run in runs:
        index = PhotoIndex.load(run / "index.parquet")
        index.with_column("root", [str(copied)] * len(index)).save(run / "index.parquet")
    page = tmp_path / "c.html"
    words = ("compare", *runs, "-q", "--cache", tmp_path / "pixels", "--report", page)
    assert leafsight(*words).code == 0
    scores = load_run_scores(runs[0] / "scores-test.npz")
    replace(scores, logits=np.eye(3, dtype=np.float32)[scores.labels]).save(runs[0] / "scores-test.npz")
    kept = runs[1] / "scores-test.npz"
    turned = np.eye(3, dtype=np.float32)[(scores.labels + 1) % 3]
    replace(load_run_scores(kept), logits=turned).save(kept)
    done = leafsight(*words, "--json")
    assert len(done.json["differing"]) == done.json["photographs"] > 1
    assert page.read_text().count("<img") == done.json["photographs"]
    # Pixels and answers are kept, so a photograph that went away since then only has no picture.
    gone = done.json["differing"][0]["photo"].partition("/")[2]
    (copied / gone).unlink()
    assert leafsight(*words).code == 0
    assert page.read_text().count("<img") == done.json["photographs"] - 1
