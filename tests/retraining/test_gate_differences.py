"""Photographs on which the two models differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.retraining.teaching import OKRA, champion_at, contributions, teach

from leafsight.bundle import open_bundle
from leafsight.evaluation import KINDS, decide_all
from leafsight.retraining import GateOptions, judge_gate
from leafsight.retraining.gate_checks import Pair
from leafsight.retraining.gate_differences import differences
from leafsight.retraining.gate_exam import Answers, Exam, held_out
from leafsight.retraining.gate_running import Side

EVEN = {"champion": [1.0] * 5, "candidate": [1.0] * 5}
LENIENT = GateOptions(resamples=200, size_ratio=10.0)


def test_they_are_held_out_contributions_and_can_be_found_again(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    built, snapshot = teach(champion, contributions(OKRA, 30), tmp_path / "candidate.leafsight")
    report = judge_gate(champion, open_bundle(built.path), options=LENIENT, latency=EVEN)
    probe = {row.pixel_hash[:16] for row in snapshot.of_role("probe")}
    assert report.differ
    assert len(report.differ) == report.differing
    assert {one.pixel_hash for one in report.differ} <= probe
    for one in report.differ:
        assert one.name == OKRA
        assert not one.champion.right  # it does not know the class
        assert one.champion.class_name in champion.classes
        assert one.candidate.class_name in (*champion.classes, OKRA)
    assert any(one.candidate.right and one.candidate.class_name == OKRA for one in report.differ)
    assert report.to_dict()["differ"][0]["candidate"]["kind"] in KINDS


def test_the_same_words_are_no_difference_and_losses_come_first(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    built, _ = teach(champion, contributions(OKRA, 30), tmp_path / "candidate.leafsight")
    exam = held_out(champion, open_bundle(built.path))
    assert exam is not None
    assert exam.champion is not None
    calibration = Side.of(champion).calibration
    decisions = decide_all(calibration, exam.champion.logits, exam.champion.embedding)
    n, classes = len(exam), calibration.classes
    kinds = np.zeros(n, np.int64)
    before = Answers(
        classes,
        np.zeros(n, np.int64),
        replace(decisions, kinds=kinds, top=np.zeros(n, np.int64)),
        np.ones(n, bool),
    )
    assert differences(Pair(exam, before, before)) == []
    top = np.zeros(n, np.int64)
    top[:3] = 1, 2, 1
    right = np.ones(n, bool)
    right[:3] = True, False, True
    was = np.ones(n, bool)
    was[:3] = False, True, True
    after = Answers(classes, before.labels, replace(decisions, kinds=kinds, top=top), right)
    found = differences(Pair(exam, replace(before, right=was), after))
    assert [(one.champion.right, one.candidate.right) for one in found] == [
        (True, False),
        (False, True),
        (True, True),
    ]


def test_a_guess_that_nobody_is_told_is_no_difference(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    built, _ = teach(champion, contributions(OKRA, 30), tmp_path / "candidate.leafsight")
    exam = held_out(champion, open_bundle(built.path))
    assert exam is not None
    assert exam.champion is not None
    decisions = decide_all(Side.of(champion).calibration, exam.champion.logits, exam.champion.embedding)
    n = len(exam)
    silent = replace(decisions, kinds=np.full(n, KINDS.index("cannot_tell")), top=np.zeros(n, np.int64))
    other = replace(silent, top=np.ones(n, np.int64))
    wrong = np.zeros(n, bool)
    one, two = (Answers(champion.classes, wrong.astype(np.int64), said, wrong) for said in (silent, other))
    assert differences(Pair(exam, one, two)) == []


def test_where_nobody_knows_which_they_are_there_are_none() -> None:
    assert differences(None) == []
    nobody = Answers((), np.zeros(0, np.int64), None, np.zeros(0, bool))
    from leafsight.evaluation import Scores

    exam = Exam((), np.zeros(0, np.int64), (), None, Scores(np.zeros((0, 3))))
    assert differences(Pair(exam, nobody, nobody)) == []
