"""Finds the numbers of a ``Calibration`` on a split that was neither trained nor tested on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.conformal import class_quantiles, conformal_quantile, conformity
from leafsight.evaluation.familiarity import Familiarity, fit_familiarity
from leafsight.evaluation.probability import restrict, softmax
from leafsight.evaluation.scores import Scores
from leafsight.evaluation.selective import Threshold, choose_threshold
from leafsight.evaluation.shapes import (
    Allowed,
    ClassFlags,
    ClassFloats,
    Embedding,
    GivenLabels,
    Labels,
    Logits,
    OtherEmbedding,
    OtherLabels,
    OwnLabels,
    Probabilities,
)
from leafsight.evaluation.temperature import fit_temperature

if TYPE_CHECKING:
    from leafsight.evaluation.options import CalibrationOptions


def fit_calibration(
    logits: Logits,
    labels: GivenLabels,
    embedding: Embedding | None,
    train_embedding: OtherEmbedding | None,
    train_labels: OwnLabels | None,
    classes: Sequence[str],
    options: CalibrationOptions | None = None,
    *,
    stressed: tuple[Scores, OtherLabels] | None = None,
) -> Calibration:
    """Fit temperature, conformal cuts, thresholds and familiarity.

    Args:
        logits: float[n, c] of calibration photographs.
        labels: int[n], 0..c-1.
        embedding: float[n, d] of the same; ``None`` leaves familiarity out.
        train_embedding: float[m, d] of training photographs without augmentation, or ``None``.
        train_labels: int[m], or ``None``.
        classes: c names in the order of the logits.
        options: see ``CalibrationOptions``.
        stressed: scores and labels of calibration photographs made worse on purpose (other light, blur,
            background). The thresholds must then reach their target on these as well.

    Raises:
        EvaluationError: no photograph, a label outside the classes, an unknown name in the options, or
            arrays that do not fit each other.
    """
    options = options if options is not None else _default_options()
    names, scores = tuple(classes), Scores(logits, embedding)
    require_labels(labels, scores, names)
    not_leaf = _not_leaf(names, options.not_leaf_classes)
    allowed = crop_mates(names, options.crops)
    temperature = fit_temperature(logits, labels)
    open_ = softmax(logits, temperature)
    within, own = _within_crop(scores, labels, allowed, temperature)
    cuts, within_cut = _cuts(open_, labels, within, own, options)
    threshold = _threshold(open_, labels, options)
    within_threshold = _threshold(within, own, options) if len(own) else threshold
    if stressed is not None:
        require_labels(stressed[1], stressed[0], names)
        hard, hard_within = _stressed_thresholds(stressed, temperature, allowed, options)
        threshold, within_threshold = _stricter(threshold, hard), _stricter(within_threshold, hard_within)
    return Calibration(
        classes=names,
        temperature=temperature,
        alpha=options.alpha,
        cuts=cuts,
        cut_within_crop=within_cut,
        answer_threshold=threshold.value,
        answer_threshold_within_crop=within_threshold.value,
        target_accuracy=options.target_accuracy,
        target_reached=threshold.reached,
        target_reached_within_crop=within_threshold.reached,
        not_leaf=not_leaf,
        not_leaf_threshold=options.not_leaf_threshold,
        far_factor=options.far_factor,
        familiarity=_familiarity(embedding, labels, train_embedding, train_labels, not_leaf, options),
        photos=len(labels),
    )


def _default_options() -> CalibrationOptions:
    from leafsight.evaluation.options import CalibrationOptions  # pydantic, which serving does without

    return CalibrationOptions()


def require_labels(labels: GivenLabels, scores: Scores, classes: Sequence[str]) -> None:
    """Raise ``EvaluationError`` unless labels, scores and class names fit each other."""
    if len(labels) == 0:
        raise EvaluationError("there are no photographs", hint="is the split empty?")
    if len(labels) != len(scores):
        raise EvaluationError(f"{len(labels)} labels for {len(scores)} photographs")
    if scores.logits.shape[1] != len(classes):
        raise EvaluationError(f"{scores.logits.shape[1]} logits for {len(classes)} class names")
    if len(set(classes)) != len(classes):
        raise EvaluationError("a class name stands twice in the list of classes")
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if outside.size:
        raise EvaluationError(
            f"label {labels[outside[0]]} in row {outside[0]} is outside the {len(classes)} classes"
        )


def crop_mates(classes: Sequence[str], crops: object) -> Allowed:
    """bool[c, c]: row y marks the classes of y's crop. A class without a crop has all classes as its mates.

    Raises:
        EvaluationError: the mapping names a class that does not exist.
    """
    mapping = dict(crops) if crops else {}  # type: ignore[call-overload]
    _require_known(mapping, classes, "the crops")
    own = np.array([mapping.get(name, "") for name in classes], dtype=object)
    return np.asarray((own[:, None] == own[None, :]) | (own == "")[:, None], dtype=bool)


def _not_leaf(classes: Sequence[str], chosen: Sequence[str]) -> ClassFlags:
    _require_known(chosen, classes, "not_leaf_classes")
    return np.array([name in chosen for name in classes], dtype=bool)


def _require_known(names: object, classes: Sequence[str], where: str) -> None:
    unknown = [name for name in names if name not in classes]  # type: ignore[attr-defined]
    if unknown:
        from leafsight.errors import nearest

        close = nearest(unknown[0], classes)
        raise EvaluationError(
            f"{where}: there is no class {unknown[0]!r}", hint=f"did you mean {close!r}?" if close else ""
        )


def _threshold(probabilities: Probabilities, labels: Labels, options: CalibrationOptions) -> Threshold:
    top = probabilities.argmax(axis=1)
    return choose_threshold(
        probabilities.max(axis=1),
        top == labels,
        target=options.target_accuracy,
        floor=options.answer_floor,
        level=options.bound_level,
    )


def _within_crop(
    scores: Scores, labels: Labels, allowed: Allowed, temperature: float
) -> tuple[np.ndarray, OtherLabels]:
    """Probabilities and labels as if every person had named the right crop.

    Where a crop has a single known condition its probability is one whatever the picture shows: such
    photographs would make any threshold look safe, and are left out.
    """
    rows = np.flatnonzero(allowed[labels].sum(axis=1) > 1)
    if not len(rows):
        return np.empty((0, len(allowed))), labels[rows]
    return softmax(restrict(scores.logits[rows], allowed[labels[rows]]), temperature), labels[rows]


def _cuts(
    open_: Probabilities, labels: Labels, within: np.ndarray, own: OtherLabels, options: CalibrationOptions
) -> tuple[ClassFloats, float]:
    """Conformal cuts of the classes, and the one for a given crop (their median where no crop is known)."""
    min_rows = options.min_class_rows if options.conformal == "by_class" else None
    scores = conformity(open_, labels, options.seed)
    cuts = class_quantiles(scores, labels, open_.shape[1], options.alpha, min_rows)
    if not len(own):
        return cuts, float(np.median(cuts))
    return cuts, conformal_quantile(conformity(within, own, options.seed), options.alpha)


def _stressed_thresholds(
    stressed: tuple[Scores, OtherLabels], temperature: float, allowed: Allowed, options: CalibrationOptions
) -> tuple[Threshold, Threshold]:
    """The thresholds that hold under stress, with the crop unknown and known."""
    scores, labels = stressed
    hard = _threshold(softmax(scores.logits, temperature), labels, options)
    within, own = _within_crop(scores, labels, allowed, temperature)
    return hard, _threshold(within, own, options) if len(own) else hard


def _stricter(one: Threshold, other: Threshold) -> Threshold:
    return Threshold(max(one.value, other.value), one.reached and other.reached)


def _familiarity(
    embedding: Embedding | None,
    labels: Labels,
    train_embedding: OtherEmbedding | None,
    train_labels: OwnLabels | None,
    not_leaf: ClassFlags,
    options: CalibrationOptions,
) -> Familiarity | None:
    """Fitted on leaves only: with backgrounds as a familiar class, every background would be familiar."""
    if embedding is None or train_embedding is None or train_labels is None:
        return None
    if len(train_labels) != len(train_embedding):
        raise EvaluationError(f"{len(train_labels)} training labels for {len(train_embedding)} embeddings")
    home, leaves = ~not_leaf[labels], ~not_leaf[train_labels]
    if not home.any() or leaves.sum() < 2:
        return None
    return fit_familiarity(
        train_embedding[leaves],
        train_labels[leaves],
        embedding[home],
        dims=options.familiarity_dims,
        keep=options.familiarity_keep,
    )
