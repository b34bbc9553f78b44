"""Pickles: small, plain, with their warning, and never opened by leafsight."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

import joblib
from tests.journeys.small_world import save_picture

import leafsight
from leafsight.errors import BundleError, BundleVersionError, UsageError
from leafsight.estimator import LeafClassifier, write_pickle

SOURCES = sorted((Path(__file__).resolve().parents[2] / "src").rglob("*.py"))


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return save_picture(tmp_path / "red.png", (200, 30, 30))


def test_a_written_pickle_answers_like_the_model_file(colour_model: Path, red: Path, tmp_path: Path) -> None:
    file, beside = write_pickle(colour_model, tmp_path / "leaf.pkl")
    opened = pickle.loads(file.read_bytes())
    theirs = LeafClassifier.from_bundle(colour_model)
    assert (opened.predict_proba([red]) == theirs.predict_proba([red])).all()
    assert opened.classes_.tolist() == theirs.classes_.tolist()
    told = beside.read_text()
    assert beside.name == "leaf.pkl.README.txt"
    assert "WARNING: a pickle runs code when it is opened" in told
    for word in (
        leafsight.__version__,
        theirs.content_hash,
        colour_model.name,
        np.__version__,
        "from_bundle",
    ):
        assert word in told


def test_two_pickles_of_one_model_are_the_same_bytes(colour_model: Path, tmp_path: Path) -> None:
    one, other = (write_pickle(colour_model, tmp_path / name)[0] for name in ("a.pkl", "b.pkl"))
    assert one.read_bytes() == other.read_bytes()


def test_it_holds_the_model_file_and_little_else(colour_model: Path, tmp_path: Path) -> None:
    file, _ = write_pickle(colour_model, tmp_path / "leaf.pkl")
    assert file.stat().st_size < colour_model.stat().st_size + 1000
    texts: list[Any] = []
    for code, argument, _ in pickletools.genops(file.read_bytes()):
        texts.append(argument) if isinstance(argument, str) else None
        assert code.name not in ("REDUCE", "INST", "GLOBAL")
    modules = {text for text in texts if text.startswith(("leafsight", "numpy", "sklearn", "torch", "onnx"))}
    assert modules == {"leafsight.estimator"}


def test_joblib_and_every_protocol(colour_model: Path, red: Path) -> None:
    known = LeafClassifier.from_bundle(colour_model, threads=1)
    wanted = known.predict_proba([red])
    buffer = io.BytesIO()
    joblib.dump(known, buffer)
    buffer.seek(0)
    assert (joblib.load(buffer).predict_proba([red]) == wanted).all()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(known, protocol=protocol))
        assert (again.predict_proba([red]) == wanted).all()
        assert again.get_params() == known.get_params()
    assert pickle.loads(pickle.dumps(LeafClassifier("mine.toml"))).recipe == "mine.toml"


def test_a_damaged_one_is_found_out_when_it_is_first_asked(colour_model: Path, red: Path) -> None:
    state = LeafClassifier.from_bundle(colour_model).__getstate__()
    data = bytearray(state["bundle_"])
    data[len(data) // 2] ^= 1
    opened = LeafClassifier()
    opened.__setstate__({**state, "bundle_": bytes(data)})
    with pytest.raises(BundleError, match=r"calibration/|network|altered|CRC"):
        opened.predict([red])
    with pytest.raises(BundleVersionError, match="newer leafsight"):
        opened.__setstate__({**state, "_state_format": 99})


def test_the_model_is_not_overwritten_and_must_be_one(colour_model: Path, red: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the model itself"):
        write_pickle(colour_model, colour_model)
    with pytest.raises(BundleError):
        write_pickle(red, tmp_path / "leaf.pkl")
    assert not (tmp_path / "leaf.pkl").exists()


# Whatever opens a pickle, by whatever name it was imported.
OPENS = re.compile(
    r"\b(?:c?loud)?pickle\.(?:load|loads|Unpickler)\b|\bjoblib\b|\bread_pickle\b|\bUnpickler\b"
    r"|allow_pickle\s*=\s*True|from (?:pickle|dill|cloudpickle) import|\bshelve\b|\bmarshal\.loads?\b"
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.name))
def test_nothing_in_leafsight_opens_a_pickle(path: Path) -> None:
    text = path.read_text()
    if path.name == "pickles.py":  # the text beside a pickle tells people how they open it
        text = re.sub(r'README = """.*?"""', "", text, flags=re.S)
        assert re.findall(r"pickle\.\w+", text) == ["pickle.dumps"]
    assert not OPENS.search(text), path
