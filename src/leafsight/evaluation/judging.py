"""Scores and labels in, an ``Evaluation`` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.answers import answer_columns, groups_asked, measure_answers
from leafsight.evaluation.bootstrap import (
    Metrics,
    Resampling,
    Sums,
    group_sums,
    percentile_interval,
    resample,
)
from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.details import confused_pairs, count_kinds, per_class, worst_mistakes
from leafsight.evaluation.fitting import crop_mates, require_labels
from leafsight.evaluation.folds import group_codes
from leafsight.evaluation.interval import Interval, wilson
from leafsight.evaluation.metrics import CENTRED, by_group, columns, confusion_matrix, measure
from leafsight.evaluation.probability import softmax
from leafsight.evaluation.ranking import auc, auc_resampled, margin_of
from leafsight.evaluation.reliability import reliability_table
from leafsight.evaluation.results import (
    Evaluation,
    Evidence,
    RiskPoint,
    Slice,
)
from leafsight.evaluation.scores import Scores
from leafsight.evaluation.selective import aurc, aurc_resampled, risk_coverage
from leafsight.evaluation.shapes import GivenLabels, Labels, Probabilities, RowFlags, RowFloats, RowInts
from leafsight.evaluation.verdict import decide_all

if TYPE_CHECKING:
    from leafsight.evaluation.options import EvaluationOptions

CURVE_POINTS = 101


def evaluate(
    scores: Scores,
    labels: GivenLabels,
    classes: Sequence[str],
    calibration: Calibration | None = None,
    groups: Sequence[object] | None = None,
    domains: Sequence[str] | None = None,
    known_crops: Mapping[str, str] | None = None,
    options: EvaluationOptions | None = None,
) -> Evaluation:
    """Judge a model on labelled photographs that it has never seen.

    Args:
        scores: of n photographs.
        labels: int[n], 0..c-1.
        classes: c names in the order of the logits.
        calibration: probabilities, sets and verdicts then are the calibrated ones that serving gives.
        groups: n names of what belongs together (leaf, plant, field); ``None`` entries stand alone.
        domains: n names of where each photograph is from.
        known_crops: class -> crop. Adds what the model is worth when the person names the crop.
        options: see ``EvaluationOptions``.

    Raises:
        EvaluationError: no photograph, or arrays and names that do not fit each other.
    """
    if options is None:
        from leafsight.evaluation.options import EvaluationOptions

        options = EvaluationOptions()
    names = tuple(classes)
    _require_fitting(scores, labels, names, calibration, groups, domains)
    how = Resampling(options.resamples, options.confidence, options.seed)
    codes = group_codes(groups, len(labels))
    temperature = 1.0 if calibration is None else calibration.temperature
    decisions = None if calibration is None else decide_all(calibration, scores.logits, scores.embedding)
    probabilities = softmax(scores.logits, temperature)
    evidence = columns(scores.logits, labels, temperature, options.bins, options.top_k)
    if len(names) == 2:
        evidence["margin"] = margin_of(scores.logits)
    mates = crop_mates(names, known_crops)
    evidence |= answer_columns(scores, labels, mates, calibration, decisions)
    overall, per_class_f1 = _slice("all", labels, codes, evidence, probabilities, names, how)
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), len(names))
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    sets = None if decisions is None else decisions.sets
    return Evaluation(
        classes=names,
        overall=overall,
        domains=_domains(
            domains, labels, codes, scores, probabilities, evidence, temperature, names, options
        ),
        per_class=per_class(names, matrix, labels, codes, per_class_f1, sets, how.confidence),
        confusion=matrix,
        confused=confused_pairs(matrix, names, options.confused_pairs),
        reliability=reliability_table(confidence, correct, options.bins),
        set_sizes=() if sets is None else tuple(int(count) for count in np.bincount(sets.sum(axis=1))[1:]),
        verdicts={} if decisions is None else count_kinds(decisions.kinds),
        calibration=None if calibration is None else calibration.to_dict(),
        mistakes=worst_mistakes(probabilities, labels, names, decisions, domains, options.mistakes),
        settings=options.model_dump(),
        evidence=Evidence(labels, codes, evidence),
    )


def _require_fitting(
    scores: Scores,
    labels: GivenLabels,
    names: tuple[str, ...],
    calibration: Calibration | None,
    groups: Sequence[object] | None,
    domains: Sequence[str] | None,
) -> None:
    require_labels(labels, scores, names)
    for what, given in (("groups", groups), ("domains", domains)):
        if given is not None and len(given) != len(labels):
            raise EvaluationError(f"{len(given)} {what} for {len(labels)} photographs")
    if calibration is not None and calibration.classes != names:
        raise EvaluationError("the calibration was fitted for another list of classes")


def _slice(
    name: str,
    labels: Labels,
    codes: RowInts,
    evidence: Sums,
    probabilities: Probabilities,
    classes: tuple[str, ...],
    how: Resampling,
) -> tuple[Slice, list[Interval]]:
    n_groups = int(codes.max()) + 1

    def everything(sums: Sums) -> Metrics:
        return measure(sums) | measure_answers(sums)

    if n_groups < len(labels):
        evidence = evidence | by_group(evidence["correct"], codes)
    sums = group_sums(evidence, codes, n_groups)
    points, resampled = resample(sums, everything, how)
    f1, f1_resampled = points.pop("f1"), resampled.pop("f1")
    metrics = {
        key: percentile_interval(float(point), resampled[key], how.confidence, centred=key in CENTRED)
        for key, point in points.items()
    }
    for key, groups in groups_asked(sums).items():
        if key in metrics:
            metrics[key] = _never_certain(metrics[key], groups, how.confidence)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    metrics["aurc"] = percentile_interval(
        aurc(confidence, correct), aurc_resampled(confidence, correct, codes, how), how.confidence
    )
    if "margin" in evidence and len(np.unique(labels)) == 2:
        area = percentile_interval(
            auc(evidence["margin"], labels == 1),
            auc_resampled(evidence["margin"], labels == 1, codes, how),
            how.confidence,
        )
        rarest = min(len(np.unique(codes[labels == label])) for label in (0, 1))
        metrics["auc"] = _never_certain(area, rarest, how.confidence)
    support = np.bincount(labels, minlength=len(classes))
    absent = tuple(classes[index] for index in np.flatnonzero(support == 0))
    per_class = [
        percentile_interval(float(f1[index]), f1_resampled[:, index], how.confidence)
        for index in range(len(classes))
    ]
    return Slice(name, len(labels), n_groups, absent, metrics, _curve(confidence, correct)), per_class


def _never_certain(interval: Interval, n_groups: int, confidence: float) -> Interval:
    """Without a single mistake the bootstrap says 1..1; Wilson on the groups says how little that proves."""
    if interval.value not in (0.0, 1.0):
        return interval
    low, high = wilson(interval.value * n_groups, n_groups, confidence)
    return Interval(interval.value, float(low), float(high))


def _domains(
    domains: Sequence[str] | None,
    labels: Labels,
    codes: RowInts,
    scores: Scores,
    probabilities: Probabilities,
    evidence: Sums,
    temperature: float,
    classes: tuple[str, ...],
    options: EvaluationOptions,
) -> tuple[Slice, ...]:
    if domains is None:
        return ()
    how = Resampling(options.resamples, options.confidence, options.seed)
    names, index, counts = np.unique(np.asarray(domains, dtype=str), return_inverse=True, return_counts=True)
    slices = []
    for number in np.argsort(-counts, kind="stable"):
        rows = np.flatnonzero(index == number)
        # The bins of the adaptive error are quantiles, so they are those of this domain.
        own = columns(scores.logits[rows], labels[rows], temperature, options.bins, options.top_k)
        part = {key: values[rows] for key, values in evidence.items()} | own
        local = np.unique(codes[rows], return_inverse=True)[1]
        slices.append(
            _slice(str(names[number]), labels[rows], local, part, probabilities[rows], classes, how)[0]
        )
    return tuple(slices)


def _curve(confidence: RowFloats, correct: RowFlags) -> tuple[RiskPoint, ...]:
    coverage, risk = risk_coverage(confidence, correct)
    rows = np.unique(np.linspace(0, len(coverage) - 1, min(CURVE_POINTS, len(coverage))).astype(np.int64))
    return tuple(RiskPoint(float(coverage[row]), float(risk[row])) for row in rows)
