"""Answers about the same test photographs: shares, differences with intervals, tests.

Enters: logits of contenders, seed by seed. Leaves: plain numbers. leafsight's answers come from its run,
those of a peer from its file; rows and classes are brought into one order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.side_by_side_ours import RUN, SCORES
from benchmarks.side_by_side_work import Job

from leafsight.dataset import PhotoIndex
from leafsight.evaluation import Evaluation, repeated, repeated_difference, resampled_metrics, tell_apart
from leafsight.experiments.comparing_photographs import in_order, names_of
from leafsight.experiments.run_scores import RunScores, load_run_scores

METRICS = ("accuracy", "macro_f1")


def of_peer(job: Job, shown: PhotoIndex) -> Evaluation:
    """A peer's answers, judged."""
    listing = job.listing()
    with np.load(job.answers, allow_pickle=False) as found:
        logits = found["test"].astype(np.float32)
    classes = tuple(listing["classes"])
    names = tuple(row[2] for row in listing["test"])
    scores = RunScores(classes, logits, np.array([row[1] for row in listing["test"]]), names, (), (), "")
    return _judged(scores, shown)


def of_ours(folder: Path, shown: PhotoIndex) -> Evaluation:
    """The answers of a run of ours, judged."""
    return _judged(load_run_scores(folder / RUN / SCORES), shown)


def _judged(scores: RunScores, shown: PhotoIndex) -> Evaluation:
    return in_order(scores, names_of(shown), scores.classes, shown).evaluation()


def shares(runs: Sequence[Evaluation]) -> dict[str, Any]:
    """Accuracy and macro F1 over the seeds with intervals, and accuracy where every group counts the same."""
    drawn = [resampled_metrics(run, METRICS) for run in runs]
    found = {name: repeated([one[name] for one in drawn]).to_dict() for name in METRICS}
    return {**found, "by_group": float(np.mean([by_group(run) for run in runs]))}


def by_group(run: Evaluation) -> float:
    """The mean over groups (leaves) of the share of their photographs that is right."""
    groups, right = run.evidence.groups, run.evidence.columns["correct"] > 0
    return float((np.bincount(groups, right) / np.bincount(groups)).mean())


def differences(ours: Sequence[Evaluation], theirs: Sequence[Evaluation]) -> dict[str, Any]:
    """``ours - theirs``: intervals over groups of photographs and over seeds; each seed's exact test.

    The n-th of both have the same seed.
    """
    drawn: list[Mapping[str, Any]] = [resampled_metrics(run, METRICS) for run in ours]
    against = [resampled_metrics(run, METRICS) for run in theirs]
    found = {
        name: repeated_difference([one[name] for one in drawn], [one[name] for one in against]).to_dict()
        for name in METRICS
    }
    tests = [tell_apart(b, a) for a, b in zip(ours, theirs, strict=True)]
    return {**found, "p": [one.mcnemar if one.sign_flip is None else one.sign_flip for one in tests]}
