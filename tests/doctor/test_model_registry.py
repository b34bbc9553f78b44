"""The model that would serve, and the names of the registry: whole, altered, gone; folder and bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.doctor.conftest import states, the
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto

from leafsight.doctor.drawing import drawn_leaf
from leafsight.doctor.model import check_model
from leafsight.doctor.registry import check_registry
from leafsight.images import decode
from leafsight.inference import BundlePredictor
from leafsight.registry import open_registry
from leafsight.state import open_objects


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return s3_url(shared_moto(), f"doctor{tmp_path.name.replace('_', '-').lower()}")


def test_the_drawn_leaf_is_a_photograph_and_always_the_same() -> None:
    assert drawn_leaf() == drawn_leaf()
    picture = decode(drawn_leaf())
    assert picture.shape == (256, 256, 3)
    assert np.argmax(picture[128, 100].astype(int)) == 1  # green


def test_the_built_in_model_answers_twice_the_same(tmp_path: Path) -> None:
    found = list(check_model(None, tmp_path / "registry", "", timeout_s=3))
    assert states(found) == {"model.opens": "ok", "model.answers": "ok"}
    assert "built in" in found[0].said
    assert not (tmp_path / "registry").exists()


def test_the_model_file_that_is_set(colour_model: Path, tmp_path: Path) -> None:
    found = list(check_model(colour_model, tmp_path, "", timeout_s=3))
    assert states(found) == {"model.opens": "ok", "model.answers": "ok"}
    assert "the file that is set" in found[0].said


@pytest.mark.parametrize("damage", ["altered", "cut", "text", "absent"])
def test_a_damaged_model_file(colour_model: Path, tmp_path: Path, damage: str) -> None:
    data, path = bytearray(colour_model.read_bytes()), tmp_path / "model.leafsight"
    data[len(data) // 2] ^= 0xFF
    kinds = {"altered": bytes(data), "cut": bytes(data[:1000]), "text": b"no model", "absent": None}
    if (content := kinds[damage]) is not None:
        path.write_bytes(content)
    [one] = check_model(path, tmp_path, "", timeout_s=3)
    assert (one.name, one.state) == ("model.opens", "fail")
    assert one.todo


def test_a_model_that_gives_two_answers(
    colour_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, network = iter(range(100)), BundlePredictor._outputs

    def restless(self: BundlePredictor, squares: np.ndarray, *, with_feature_map: bool) -> object:
        found = network(self, squares, with_feature_map=with_feature_map)
        found.logits[0, 0] += next(turns)
        return found

    monkeypatch.setattr(BundlePredictor, "_outputs", restless)
    found = list(check_model(colour_model, tmp_path, "", timeout_s=3))
    assert the(found, "model.answers").state == "fail"
    assert "two answers" in the(found, "model.answers").said


def test_the_promoted_model_and_its_names(tmp_path: Path) -> None:
    folder, file = tmp_path / "registry", write_tiny_bundle(tmp_path / "one.leafsight", name="one")
    registry = open_registry(folder)
    entry = registry.add(file)
    registry.promote(entry.hash)
    registry.promote(entry.hash, "next")
    found = list(check_model(None, folder, "", timeout_s=3))
    assert "one" in found[0].said
    assert states(found)["model.answers"] == "ok"
    assert states(check_registry(folder, "", timeout_s=3)) == {
        "registry.opens": "ok", "registry.next": "ok", "registry.serving": "ok",
    }  # fmt: skip


@pytest.mark.parametrize("damage", ["gone", "cut", "pointer"])
def test_a_name_that_points_to_nothing_good(tmp_path: Path, damage: str) -> None:
    folder, file = tmp_path / "registry", write_tiny_bundle(tmp_path / "one.leafsight", name="one")
    registry = open_registry(folder)
    entry = registry.add(file)
    registry.promote(entry.hash)
    path = registry.path(entry)
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        next((folder / "aliases").glob("serving*")).write_text("{")
    before = sorted(folder.rglob("*"))
    one = the(check_registry(folder, "", timeout_s=3), "registry.serving")
    assert one.state == "fail"
    assert one.todo
    assert the(check_model(None, folder, "", timeout_s=3), "model.opens").state == "fail"
    assert sorted(folder.rglob("*")) == before  # nothing was put right


def test_no_registry_yet(tmp_path: Path) -> None:
    [one] = check_registry(tmp_path / "registry", "", timeout_s=3)
    assert one.state == "ok"
    assert not (tmp_path / "registry").exists()


def test_a_registry_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    file = write_tiny_bundle(tmp_path / "far.leafsight", name="far")
    registry = open_registry(tmp_path / "other", mirror=open_objects(bucket))
    entry = registry.add(file)
    registry.promote(entry.hash)
    assert states(check_registry(here, bucket, timeout_s=5)) == {
        "registry.opens": "ok",
        "registry.serving": "ok",
    }
    found = list(check_model(None, here, bucket, timeout_s=5))
    assert states(found) == {"model.opens": "ok", "model.answers": "ok"}
    assert "serving in the bucket" in found[0].said
    assert not here.exists()
    open_objects(bucket).delete(f"bundles/{entry.hash}.leafsight")
    assert the(check_registry(here, bucket, timeout_s=5), "registry.serving").state == "fail"
    assert the(check_model(None, here, bucket, timeout_s=5), "model.opens").state == "fail"


@pytest.mark.parametrize("check", [check_registry, lambda *a, **k: check_model(None, *a, **k)])
def test_a_bucket_that_does_not_answer(check: Callable[..., object], bucket: str, tmp_path: Path) -> None:
    [one] = check(tmp_path, s3_url("http://127.0.0.1:9", "x"), timeout_s=1)  # type: ignore[misc]
    assert one.state == "fail"
    assert "does not answer" in one.said
