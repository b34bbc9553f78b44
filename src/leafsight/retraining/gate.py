"""The gate: the candidate meets the champion on the locked test, and every condition must hold.

Enters: two bundles, or scores of both. Leaves: a ``GateReport``. A candidate that cannot be used fails with a
reason; only a champion that cannot be used is an error. It does not promote, and keeps nothing.
"""

from __future__ import annotations

from pathlib import Path

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import LeafsightError
from leafsight.evaluation import Evaluation, EvaluationOptions, evaluate
from leafsight.progress import Progress, Silent
from leafsight.retraining.calibrating import crops_of
from leafsight.retraining.gate_checks import (
    Pair,
    accuracy_check,
    class_rows,
    group_checks,
    measured_checks,
    no_leaf_rows,
    silence_checks,
    taught_checks,
)
from leafsight.retraining.gate_differences import MOST, differences
from leafsight.retraining.gate_exam import Answers, Exam, answers_of, held_out, locked_test
from leafsight.retraining.gate_options import GateOptions
from leafsight.retraining.gate_report import Check, GateReport, decided
from leafsight.retraining.gate_running import Side, Times, latency_check, parity_check, size_check

SHOWN = (
    "accuracy",
    "macro_f1",
    "ece",
    "nll",
    "answered",
    "accuracy_answered",
    "set_coverage",
    "mean_set_size",
)
"""Metrics of the locked test that the report shows for both."""
RESAMPLES = 100
FAILURES = (LeafsightError, ValueError, KeyError, IndexError, ArithmeticError, OSError)
"""What a broken candidate may raise on the way; a gate that breaks must not be a gate that opens."""


def judge_gate(
    champion: Bundle,
    candidate: Bundle | Path,
    *,
    options: GateOptions | None = None,
    locked: Exam | None = None,
    probe: Exam | None = None,
    latency: Times | None = None,
    progress: Progress | None = None,
) -> GateReport:
    """Judge a candidate.

    Args:
        champion: the model that serves.
        candidate: the model that wants to, open or its file.
        options: limits.
        locked: both models on the locked test; by default as both remember it.
        probe: both on held-out contributions; by default as the candidate remembers them.
        latency: ms of one photograph under ``champion`` and ``candidate``, pair by pair; measured by default.
        progress: told of the parts.

    Raises:
        BundleError: the champion cannot be used.
    """
    options, progress = options or GateOptions(), progress or Silent()
    progress.start("gate", 4)
    old = Side.of(champion)
    try:
        bundle = candidate if isinstance(candidate, Bundle) else open_bundle(candidate)
        new = Side.of(bundle)
        progress.advance(note="opened")
    except FAILURES as error:
        return _unusable(champion, "", error, options, progress)
    try:
        return _judged(old, new, options, locked, probe, latency, progress)
    except FAILURES as error:
        return _unusable(champion, bundle.content_hash, error, options, progress)


def _judged(
    old: Side,
    new: Side,
    options: GateOptions,
    locked: Exam | None,
    probe: Exam | None,
    latency: Times | None,
    progress: Progress,
) -> GateReport:
    checks = [_usable(new), _classes(old, new), parity_check(old, new, options)]
    if not checks[1].passed:
        return decided(old.bundle.content_hash, new.bundle.content_hash, checks, options=options.model_dump())
    test = _pair(old, new, locked if locked is not None else locked_test(old.bundle, new.bundle))
    before, after = _evaluated(old, test, test.champion), _evaluated(new, test, test.candidate)
    checks += [accuracy_check(test, options), *group_checks(test, options)]
    target = min(old.calibration.target_accuracy, new.calibration.target_accuracy)
    checks += measured_checks(before, after, old.calibration.alpha, target, options)
    checks += silence_checks(test, no_leaf_rows(test.exam, old.no_leaf | new.no_leaf), options)
    progress.advance(note="locked test")
    held = probe if probe is not None else held_out(old.bundle, new.bundle)
    taught = _pair(old, new, held) if held is not None and len(held) else None
    checks += taught_checks(taught, _taught(old, new), options)
    progress.advance(note="contributions")
    checks += [latency_check(old, new, latency, options), size_check(old, new, options)]
    progress.advance(note="speed and size")
    differ = differences(taught)
    rows = [*class_rows(test, "locked test"), *(class_rows(taught, "contributions") if taught else ())]
    report = decided(
        old.bundle.content_hash,
        new.bundle.content_hash,
        checks,
        photos=len(test.exam),
        lost=test.lost,
        gained=test.gained,
        classes=tuple(rows),
        measured=_shown(before, after),
        options=options.model_dump(),
        differ=tuple(differ[:MOST]),
        differing=len(differ),
    )
    progress.finish(report.said)
    return report


def _pair(old: Side, new: Side, exam: Exam) -> Pair:
    return Pair(
        exam,
        answers_of(old.calibration, exam.champion, exam.names),
        answers_of(new.calibration, exam.candidate, exam.names),
    )


def _evaluated(side: Side, test: Pair, answers: Answers) -> Evaluation:
    scores = test.exam.candidate if answers is test.candidate else test.exam.champion
    assert scores is not None
    return evaluate(
        scores,
        answers.labels,
        side.calibration.classes,
        side.calibration,
        groups=test.exam.groups.tolist(),
        known_crops=crops_of(side.bundle.labels),
        options=EvaluationOptions(resamples=RESAMPLES),
    )


def _taught(old: Side, new: Side) -> tuple[str, ...]:
    """Classes of the candidate that the champion does not know, or that contributions taught."""
    memory = new.bundle.memory()
    first = len(new.bundle.classes) if memory is None else memory.base_classes
    own = set(new.bundle.classes[first:]) | (set(new.bundle.classes) - set(old.bundle.classes))
    return tuple(name for name in new.bundle.classes if name in own)


def _usable(new: Side) -> Check:
    said = "The candidate opens, every part is the one its manifest names, and its network answers."
    return Check("usable", True, None, None, None, said)


def _classes(old: Side, new: Side) -> Check:
    missing = [name for name in old.bundle.classes if name not in new.bundle.classes]
    added = len(new.bundle.classes) - len(old.bundle.classes) + len(missing)
    said = (
        f"The candidate does not know {len(missing)} of the champion's classes: {', '.join(missing[:5])}."
        if missing
        else f"The candidate knows all {len(old.bundle.classes)} classes of the champion and {added} more."
    )
    return Check("knows", not missing, float(len(missing)), None, 0.0, said)


def _shown(champion: Evaluation, candidate: Evaluation) -> dict[str, tuple[float, float]]:
    old, new = champion.overall.metrics, candidate.overall.metrics
    return {name: (old[name].value, new[name].value) for name in SHOWN if name in old and name in new}


def _unusable(
    champion: Bundle, candidate: str, error: BaseException, options: GateOptions, progress: Progress
) -> GateReport:
    check = Check("usable", False, None, None, None, f"The candidate cannot be judged: {_reason(error)}")
    report = decided(champion.content_hash, candidate, [check], options=options.model_dump())
    progress.finish(report.said)
    return report


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, LeafsightError) else f"{type(error).__name__}: {error}"
