"""``leafsight export --pickle``: the pickle, its warning, and what does not go with it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

from tests.journeys.small_world import World, leafsight, save_picture

from leafsight.estimator import LeafClassifier, write_pickle

SAID = "warning: a pickle runs code when it is opened"


def test_a_model_file_as_a_pickle(colour_model: Path, tmp_path: Path) -> None:
    done = leafsight("export", colour_model, "--pickle", tmp_path / "leaf.pkl")
    assert (done.code, done.err.count(SAID)) == (0, 1)
    assert f"{tmp_path / 'leaf.pkl'}: " in done.out
    assert str(tmp_path / "leaf.pkl.README.txt") in done.out
    assert "WARNING" in (tmp_path / "leaf.pkl.README.txt").read_text()
    opened = pickle.loads((tmp_path / "leaf.pkl").read_bytes())
    red = save_picture(tmp_path / "red.png", (200, 30, 30))
    assert opened.predict([red]).tolist() == LeafClassifier.from_bundle(colour_model).predict([red]).tolist()


def test_of_a_run_it_is_the_model_file_in_it(world: World, tmp_path: Path) -> None:
    done = leafsight("export", world.run, "--pickle", tmp_path / "run.pkl", "--json", "-q")
    assert done.code == 0
    assert SAID in done.err  # also when everything else is quiet
    assert done.json["model"] == str(world.model)
    assert done.json["bytes"] == (tmp_path / "run.pkl").stat().st_size
    direct, _ = write_pickle(world.model, tmp_path / "direct.pkl")
    assert (tmp_path / "run.pkl").read_bytes() == direct.read_bytes()


def test_builtin(tmp_path: Path) -> None:
    done = leafsight("export", "builtin", "--pickle", "leaf.pkl", folder=tmp_path)
    assert (done.code, (tmp_path / "leaf.pkl").is_file()) == (0, True)


def test_a_run_without_a_model_file(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    done = leafsight("export", tmp_path / "run", "--pickle", tmp_path / "leaf.pkl")
    assert done.code == 2
    assert done.error_lines == [
        f"error: {tmp_path / 'run'} has no model.leafsight, and a pickle is made of one",
        f"hint: leafsight export {tmp_path / 'run'}",
    ]
    assert not (tmp_path / "leaf.pkl").exists()


def test_the_model_is_not_replaced_by_its_pickle(colour_model: Path) -> None:
    before = colour_model.read_bytes()
    done = leafsight("export", colour_model, "--pickle", colour_model)
    assert (done.code, "is the model itself" in done.err) == (2, True)
    assert colour_model.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--format", "onnx"),
        ("--out", "a.leafsight"),
        ("--photos", "photos"),
        ("--name", "mine"),
        ("--set", "side_px=40"),
        ("--precision", "fp32"),
        ("--card", "card.md"),
        ("--abroad", "photos"),
        ("--weights",),
    ],
)
def test_what_does_not_go_with_it(colour_model: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = leafsight("export", colour_model, "--pickle", tmp_path / "leaf.pkl", *words)
    assert done.code == 2
    assert f"{words[0]} does not go with --pickle" in done.error_lines[0]
    assert not (tmp_path / "leaf.pkl").exists()
