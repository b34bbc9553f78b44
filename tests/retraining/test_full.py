"""The full path: the original photographs and those that people gave, trained on together."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.retraining.places import Place, made_place
from tests.retraining.trained import Trained, trained_model

from leafsight.bundle import open_bundle
from leafsight.dataset import PhotoIndex
from leafsight.errors import ConflictError, LeafsightError, NotFoundError
from leafsight.retraining import full, steps
from leafsight.retraining.materials import SOURCE, with_contributions
from leafsight.retraining.originals import require_originals
from leafsight.retraining.workplace import Workplace

pytestmark = pytest.mark.slow
NEW, PURPLE = "Roundleaf___Purple", (180, 40, 180)
SHORT = """
[recipe]
name = "short"
[[stages]]
name = "whole"
epochs = 2
learning_rate = 0.001
[early_stopping]
keep = "last"
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained_model(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def place(tmp_path: Path, trained: Trained) -> Iterator[Place]:
    made = made_place(tmp_path, photographs=0)
    made.registry.promote(made.registry.add(trained.model).hash)
    made.teach(NEW, PURPLE, 20)
    yield made
    made.state.close()


def workplace(place: Place, data: Path, job: str = "", **changes: Any) -> Workplace:
    recipe = place.folder / "short.toml"
    recipe.write_text(SHORT)
    return place.workplace(
        job or place.job(), path="full", training_data=str(data), recipe=str(recipe), device="cpu", **changes
    )


def test_a_full_candidate_knows_old_and_new_and_keeps_the_test_locked(place: Place, trained: Trained) -> None:
    work = workplace(place, trained.photographs)
    frozen = steps.take_snapshot(work)
    built = steps.build(work, frozen)
    parent, candidate = (
        place.registry.bundle(place.registry.get("serving")),
        work.candidate(built["candidate"]),
    )
    assert candidate.classes == (*parent.classes, NEW)
    before, after = parent.memory(), candidate.memory()
    assert before is not None
    assert after is not None
    assert set(before.pixel_hash[before.rows("test")]) == set(after.pixel_hash[after.rows("test")])
    assert not after.contributed[after.rows("test")].any()
    assert (
        after.contributed.sum()
        == 20
        == sum(len(after.rows(role)) for role in ("probe",))
        + (after.contributed[np.r_[after.rows("train"), after.rows("calibration")]].sum())
    )
    assert after.backbone != before.backbone
    assert candidate.provenance["split_fingerprint"] == parent.provenance["split_fingerprint"]
    assert candidate.provenance["retraining"]["path"] == "full"
    assert candidate.weights() is not None, "the next full path goes on from it"
    talk = work.telling._stream
    assert isinstance(talk, io.StringIO)
    assert "whole 2/2: done" in talk.getvalue()
    assert '"epoch": 2, "epochs": 2' in talk.getvalue()
    gate = steps.judge(work, frozen, built, parent.content_hash)
    checks = {check["name"]: check for check in gate["checks"]}
    assert f"On the {len(before.rows('test'))} photographs of the locked test" in checks["accuracy"]["said"]
    assert checks["usable"]["passed"]
    # And again: from a full candidate, with the saved index.
    place.registry.promote(place.registry.add(candidate.path).hash)
    again = workplace(place, trained.index)
    rebuilt = steps.build(again, steps.take_snapshot(again))
    assert again.candidate(rebuilt["candidate"]).classes == candidate.classes


def test_killed_in_training_it_goes_on_from_the_checkpoint(
    place: Place, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = {}
    for name in ("calm", "killed"):
        work = workplace(place, trained.index, seed=0)
        frozen = steps.take_snapshot(work)
        if name == "killed":
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(full, "listener", _dying_in_epoch_two)
                steps.build(work, frozen)
            assert (work.folder.run / "checkpoint" / "last.safetensors").exists()
        steps.build(work, frozen)
        weights[name] = load_file(work.folder.run / "checkpoint" / "best.safetensors")
        events = (work.folder.run / "events.jsonl").read_text()
        assert ('"kind":"resumed"' in events) == (name == "killed")
    for name, tensor in weights["calm"].items():
        assert torch.equal(tensor, weights["killed"][name]), name


def _dying_in_epoch_two(*_: object) -> Any:
    def heard(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["epoch"] == 1:
            raise KeyboardInterrupt

    return heard


def test_contributions_have_the_split_of_their_role(place: Place, trained: Trained) -> None:
    work = workplace(place, trained.index)
    frozen = steps.take_snapshot(work)
    snapshot = steps.frozen_snapshot(work, frozen)
    original = PhotoIndex.load(trained.index)
    index = with_contributions(work, original, snapshot)
    kept = [row for row in range(len(index)) if index.column("source")[row] != SOURCE]
    assert index.rows(kept).split_fingerprint() == original.split_fingerprint()
    roles = {row.id: row.role for row in snapshot.rows}
    mine = zip(index.column("source"), index.column("path"), index.column("split"), strict=True)
    found = {path.partition(".")[0]: split for source, path, split in mine if source == SOURCE}
    assert found == {one: None if role == "probe" else role for one, role in roles.items()}
    again = with_contributions(work, original, snapshot)
    assert again.split_fingerprint() == index.split_fingerprint()


def test_a_photograph_that_is_gone_from_the_store_is_said(place: Place, trained: Trained) -> None:
    work = workplace(place, trained.index)
    snapshot = steps.frozen_snapshot(work, steps.take_snapshot(work))
    place.blobs.delete(snapshot.rows[0].blob)
    with pytest.raises(ConflictError, match="gone from the store"):
        with_contributions(work, PhotoIndex.load(trained.index), snapshot)


@pytest.mark.parametrize("given", ["folder", "index"])
def test_the_same_photographs_are_found(place: Place, trained: Trained, given: str) -> None:
    work = workplace(place, trained.photographs if given == "folder" else trained.index)
    parent = place.registry.bundle(place.registry.get("serving"))
    index = require_originals(work, parent)
    assert index.split_fingerprint() == parent.provenance["split_fingerprint"]
    assert require_originals(work, parent).split_fingerprint() == index.split_fingerprint()


def test_others_or_fewer_photographs_are_refused(place: Place, trained: Trained, tmp_path: Path) -> None:
    parent = place.registry.bundle(place.registry.get("serving"))
    fewer = tmp_path / "leaves"
    shutil.copytree(trained.photographs, fewer)
    next(fewer.glob("*/*.jpg")).unlink()
    with pytest.raises(ConflictError, match="locked test must stay unseen"):
        require_originals(workplace(place, fewer), parent)
    with pytest.raises(NotFoundError, match="there is no nowhere"):
        require_originals(workplace(place, tmp_path / "nowhere"), parent)


def test_photographs_that_went_away_are_said(place: Place, trained: Trained, tmp_path: Path) -> None:
    parent = place.registry.bundle(place.registry.get("serving"))
    index = PhotoIndex.load(trained.index)
    moved = index.with_column("root", [str(tmp_path / "gone")] * len(index))
    moved.with_split_record(index.split_record).save(tmp_path / "index.parquet")
    with pytest.raises(NotFoundError, match="are gone"):
        require_originals(workplace(place, tmp_path), parent)


def test_a_model_that_cannot_be_gone_on_from_is_refused(
    place: Place, trained: Trained, tmp_path: Path
) -> None:
    tiny = open_bundle(write_tiny_bundle(tmp_path / "t.leafsight"))
    with pytest.raises(ConflictError, match="carries no weights"):
        require_originals(workplace(place, trained.index), tiny)
    light = open_bundle(write_tiny_bundle(tmp_path / "w.leafsight", weights=b"0" * 10))
    with pytest.raises(LeafsightError, match=r"cannot be followed|are others"):
        require_originals(workplace(place, trained.photographs), light)
