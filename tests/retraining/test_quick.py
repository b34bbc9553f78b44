"""The quick path from the champion to a candidate, on a tiny network."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.tiny_bundle import CLASSES, SIDE, coloured, write_tiny_bundle
from tests.retraining.teaching import (
    BASIL,
    OKRA,
    PURPLE,
    QUICK,
    TAUGHT,
    YELLOW,
    champion_at,
    contributions,
    embedded,
    teach,
)

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import TrainingError
from leafsight.inference import BundlePredictor
from leafsight.retraining import freeze, quick_candidate
from leafsight.retraining.candidate import base_head


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return champion_at(tmp_path_factory.mktemp("champion") / "champion.leafsight")


RECORDS = [*contributions(OKRA, 30), *contributions(BASIL, 30, 100)]


def first_guess(path: Path, colour: tuple[int, int, int]) -> str:
    prediction = BundlePredictor(path).predict([coloured(colour, side=SIDE, seed=7)])[0]
    return prediction.top[0].class_name


def test_the_candidate_knows_the_new_classes_and_the_old_ones(champion: Bundle, tmp_path: Path) -> None:
    built, snapshot = teach(champion, RECORDS, tmp_path / "candidate.leafsight")
    candidate = open_bundle(built.path)
    assert candidate.content_hash == built.hash
    assert candidate.classes == snapshot.classes == (*CLASSES, BASIL, OKRA)
    assert first_guess(built.path, YELLOW) == OKRA
    assert first_guess(built.path, PURPLE) == BASIL
    assert first_guess(built.path, (200, 50, 50)) == CLASSES[0]
    assert built.probe is not None
    assert built.probe.overall.metrics["accuracy"].value > 0.9
    assert built.proof.passed


def test_equal_arguments_give_equal_bytes(champion: Bundle, tmp_path: Path) -> None:
    one, _ = teach(champion, RECORDS, tmp_path / "one.leafsight")
    other, _ = teach(champion, RECORDS, tmp_path / "other.leafsight")
    assert one.path.read_bytes() == other.path.read_bytes()


def test_what_it_remembers(champion: Bundle, tmp_path: Path) -> None:
    built, snapshot = teach(champion, RECORDS, tmp_path / "candidate.leafsight")
    before, after = champion.memory(), open_bundle(built.path).memory()
    assert before is not None
    assert after is not None
    assert (after.backbone, after.base_classes) == (before.backbone, len(CLASSES))
    assert len(after) == len(before) + len(RECORDS)
    assert not after.contributed[after.rows("test")].any()
    assert after.contributed.sum() == len(RECORDS)
    assert len(after.rows("probe")) == len(snapshot.of_role("probe"))
    np.testing.assert_array_equal(after.pixel_hash[: len(before)], before.pixel_hash)
    assert set(after.group[after.contributed]).isdisjoint(after.group[~after.contributed])


def test_two_rounds_end_where_one_round_ends(champion: Bundle, tmp_path: Path) -> None:
    """A candidate is learned on from the original head, so the way there does not matter."""
    once, _ = teach(champion, RECORDS, tmp_path / "once.leafsight")
    first, _ = teach(champion, RECORDS[:30], tmp_path / "first.leafsight")
    second, snapshot = teach(open_bundle(first.path), RECORDS, tmp_path / "second.leafsight")
    assert snapshot.classes_added == (BASIL,)
    heads = [open_bundle(one.path).cam_head() for one in (once, second)]
    assert heads[0] is not None
    assert heads[1] is not None
    order = [*range(len(CLASSES)), len(CLASSES) + 1, len(CLASSES)]  # okra came first here
    np.testing.assert_allclose(heads[1][0][order], heads[0][0], atol=0.05)


def test_what_was_rejected_since_leaves_no_trace(champion: Bundle, tmp_path: Path) -> None:
    wrong = contributions(CLASSES[0], 40, 700)
    poisoned = {one.id: embedded([replace(one, label=OKRA)], TAUGHT)[one.id] for one in wrong}
    records = [*RECORDS, *wrong]
    bad = quick_candidate(
        champion,
        freeze(champion, records),
        {**embedded(RECORDS, TAUGHT), **poisoned},
        tmp_path / "bad.leafsight",
        options=QUICK,
    )
    clean, _ = teach(champion, RECORDS, tmp_path / "clean.leafsight")
    healed, _ = teach(open_bundle(bad.path), RECORDS, tmp_path / "healed.leafsight")
    ours, theirs = (open_bundle(one.path).cam_head() for one in (clean, healed))
    assert ours is not None
    assert theirs is not None
    np.testing.assert_allclose(theirs[0], ours[0], atol=1e-3)


def test_corrections_alone_teach_no_class(champion: Bundle, tmp_path: Path) -> None:
    built, snapshot = teach(champion, contributions(CLASSES[0], 30), tmp_path / "candidate.leafsight")
    assert open_bundle(built.path).classes == CLASSES
    assert snapshot.classes_added == ()
    assert "taught no new class" in open_bundle(built.path).card


def test_a_memory_without_worse_copies_will_do(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight", stressed=False)
    built, _ = teach(champion, RECORDS, tmp_path / "candidate.leafsight")
    assert first_guess(built.path, YELLOW) == OKRA


def test_where_it_comes_from_is_told(champion: Bundle, tmp_path: Path) -> None:
    built, snapshot = teach(champion, RECORDS, tmp_path / "one.leafsight")
    candidate = open_bundle(built.path)
    made = candidate.provenance["retraining"]
    assert made["path"] == "quick"
    assert (made["parent"], made["snapshot"]) == (champion.content_hash, snapshot.hash)
    assert made["job"] == "j1"
    assert made["parity"]["passed"] is True
    assert candidate.provenance["parent"] == champion.provenance
    assert candidate.card.startswith("# tiny\n\n**Retrained by the quick path:**")
    assert "# tiny" in candidate.card.split("## Card of the model before")[1]
    assert f'snapshot = "{snapshot.hash}"' in candidate.recipe
    assert set(candidate.metrics) == {"test", "abroad", "probe"}
    again, _ = teach(candidate, RECORDS, tmp_path / "two.leafsight")
    second = open_bundle(again.path)
    assert [one["parent"] for one in second.provenance["lineage"]] == [
        champion.content_hash,
        candidate.content_hash,
    ]
    assert second.provenance["parent"] == champion.provenance
    assert second.card.count("## Card of the model before") == 1


def test_choices_of_the_parent_stay(champion: Bundle, tmp_path: Path) -> None:
    built, _ = teach(champion, RECORDS, tmp_path / "candidate.leafsight")
    before, after = champion.calibration, open_bundle(built.path).calibration
    for name in ("alpha", "target_accuracy", "not_leaf_threshold", "far_factor", "min_sharpness"):
        assert after[name] == before[name]
    assert after["photos"] > 0
    head = base_head(open_bundle(built.path))
    own = champion.cam_head()
    assert head is not None
    assert own is not None
    np.testing.assert_array_equal(head.weight, own[0])


def test_what_cannot_be_learned_from_is_refused(champion: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "candidate.leafsight"
    snapshot, seen = freeze(champion, RECORDS), embedded(RECORDS, TAUGHT)
    other = champion_at(tmp_path / "other.leafsight", name="other")
    with pytest.raises(TrainingError, match="the snapshot is of the model"):
        quick_candidate(other, snapshot, seen, out)
    forgetful = open_bundle(write_tiny_bundle(tmp_path / "tiny.leafsight"))
    with pytest.raises(TrainingError, match="remembers no photographs"):
        quick_candidate(forgetful, freeze(forgetful, RECORDS), seen, out)
    deep = champion_at(tmp_path / "deep.leafsight", cam_weight=None, cam_bias=None)
    with pytest.raises(TrainingError, match="one dense layer"):
        quick_candidate(deep, freeze(deep, RECORDS), seen, out)
    with pytest.raises(TrainingError, match="59 of 60 contributions have no embedding"):
        quick_candidate(champion, snapshot, {RECORDS[0].id: seen[RECORDS[0].id]}, out)
    with pytest.raises(TrainingError, match="has the shape"):
        quick_candidate(champion, snapshot, {**seen, RECORDS[3].id: np.zeros(3, np.float16)}, out)
    broken = np.full_like(seen[RECORDS[3].id], np.nan)
    with pytest.raises(TrainingError, match="NaN"):
        quick_candidate(champion, snapshot, {**seen, RECORDS[3].id: broken}, out)
    assert not out.exists()


def test_when_chance_leaves_nothing_to_learn_from_it_says_so(champion: Bundle, tmp_path: Path) -> None:
    records = contributions(CLASSES[0], 60)
    held = {row.id for row in freeze(champion, records).rows if row.role == "probe"}
    some = [one for one in records if one.id in held][:3]
    with pytest.raises(TrainingError, match="none of the 3 accepted"):
        teach(champion, some, tmp_path / "candidate.leafsight")


@pytest.mark.slow
def test_it_loads_no_torch(champion: Bundle) -> None:
    words = "import sys, leafsight.retraining.quick, leafsight.retraining.gate; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
