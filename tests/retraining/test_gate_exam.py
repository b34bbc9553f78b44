"""The same photographs for both models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.tiny_bundle import CLASSES, tiny_calibration
from tests.retraining.teaching import OKRA, champion_at, contributions, teach

from leafsight.bundle import open_bundle, write_bundle
from leafsight.errors import BundleMismatchError
from leafsight.evaluation import Scores
from leafsight.retraining.gate_exam import answers_of, held_out, locked_test


def test_both_see_the_locked_test_and_the_held_out_contributions(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    built, snapshot = teach(champion, contributions(OKRA, 30), tmp_path / "candidate.leafsight")
    candidate = open_bundle(built.path)
    exam = locked_test(champion, candidate)
    assert exam.champion is not None
    assert exam.champion.logits.shape == (len(exam), len(CLASSES))
    assert exam.candidate.logits.shape == (len(exam), len(CLASSES) + 1)
    np.testing.assert_allclose(exam.champion.embedding, exam.candidate.embedding, atol=1e-6)
    held = held_out(champion, candidate)
    assert held is not None
    assert set(held.names) == {OKRA}
    assert len(held) == len(snapshot.of_role("probe"))
    assert held_out(champion, champion) is None


def test_a_photograph_that_is_another_class_there_is_another_test(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    memory = champion.memory()
    assert memory is not None
    label = memory.label.copy()
    label[memory.rows("test")[0]] = 2
    write_bundle(
        tmp_path / "other.leafsight", replace(champion.contents(), memory=replace(memory, label=label))
    )
    with pytest.raises(BundleMismatchError, match="is not that of the champion"):
        locked_test(champion, open_bundle(tmp_path / "other.leafsight"))


def test_a_class_that_a_model_does_not_know_is_never_right() -> None:
    scores = Scores(np.eye(4)[[0, 1]] * 9.0)
    answers = answers_of(tiny_calibration(), scores, ["Somewhere_else", CLASSES[1]])
    assert answers.labels.tolist() == [-1, 1]
    assert answers.right.tolist() == [False, True]
    assert answers_of(tiny_calibration(), None, ["x"]).right.tolist() == [False]
