"""The calibration of a candidate keeps the choices of its parent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.remembered import tiny_memory
from tests.fakes.tiny_bundle import CLASSES, LABELS, tiny_calibration, tiny_contents
from tests.retraining.teaching import OKRA, champion_at

from leafsight.bundle import open_bundle, write_bundle
from leafsight.errors import TrainingError
from leafsight.retraining.calibrating import Unseen, calibration_of, labels_of, recalibrated


def test_known_labels_stay_as_the_parent_has_them(tmp_path: Path) -> None:
    odd = [replace(LABELS[0], display="Our own name"), *LABELS[1:]]
    parent = champion_at(tmp_path / "champion.leafsight", labels=odd)
    labels = labels_of(parent, (*CLASSES, OKRA))
    assert labels[0].display == "Our own name"
    assert [label.class_name for label in labels] == [*CLASSES, OKRA]


def test_cuts_by_class_stay_cuts_by_class(tmp_path: Path) -> None:
    memory = tiny_memory(40)
    home = memory.rows("calibration")
    logits = np.random.default_rng(0).normal(size=(len(home), len(CLASSES))).astype(np.float32)
    logits[np.arange(len(home)), memory.label[home]] += np.asarray([0.5, 1, 2, 4])[memory.label[home]]
    unseen = Unseen(logits, np.zeros((0, len(CLASSES)), np.float32))
    for cuts, differ in ((np.full(4, 0.9), False), (np.asarray([0.7, 0.8, 0.9, 1.0]), True)):
        fitted = tiny_calibration(cuts=cuts)
        parent = champion_at(tmp_path / f"{differ}.leafsight", calibration=fitted)
        found = recalibrated(parent, list(LABELS), memory, unseen)
        assert (len(np.unique(found.cuts)) > 1) is differ
        assert found.alpha == fitted.alpha
        assert found.familiarity is not None


def test_without_calibration_there_is_no_going_on(tmp_path: Path) -> None:
    bare = tmp_path / "bare.leafsight"
    write_bundle(bare, replace(tiny_contents(), calibration={}, calibration_arrays={}))
    parent = open_bundle(bare)
    with pytest.raises(TrainingError, match="no calibration"):
        calibration_of(parent)
    memory = tiny_memory(4)
    unremembered = replace(memory, split=np.where(memory.split == 2, 0, memory.split))
    whole = champion_at(tmp_path / "whole.leafsight")
    nothing = np.zeros((0, len(CLASSES)), np.float32)
    with pytest.raises(TrainingError, match="remembers no calibration photographs"):
        recalibrated(whole, list(LABELS), unremembered, Unseen(nothing, nothing))
