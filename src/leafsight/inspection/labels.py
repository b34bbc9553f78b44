"""Labels that may be wrong: confident learning on out-of-fold probabilities.

Enters: features of photographs (embeddings, or thumbnails where there are none), labels and what belongs
together. Leaves: a ``LabelReport``, every photograph ranked. It does not know the right labels, and it does
not look at file names.

The probabilities come from ridge regression on features of unit length, out of fold, groups kept together, at
one temperature. The confident joint is that of Northcutt, Jiang and Chuang 2021, "Confident Learning:
Estimating Uncertainty in Dataset Labels" (JAIR 70, arXiv 1911.00068), section 3.1. The ranking is by the odds
of the best other class against the given one; ``docs/inspection.md`` says what else was tried, and why
cleanlab is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Int, Int64, UInt8

from leafsight.errors import DatasetError
from leafsight.evaluation import (
    cosine_features,
    group_codes,
    group_folds,
    out_of_fold_probabilities,
    thumbnail_features,
)
from leafsight.inspection.label_records import LabelConflict, LabelReport

FOLDS = 5
LEAST_FOLDS = 3


def find_suspicious_labels(
    labels: Int[np.ndarray, " n"],
    classes: Sequence[str],
    *,
    features: Float[np.ndarray, "m d"] | None = None,
    rgb: UInt8[np.ndarray, "k 32 32 3"] | None = None,
    groups: Sequence[object] | np.ndarray | None = None,
    seed: int = 0,
) -> LabelReport:
    """Rank all photographs by how much the others speak against their label.

    Args:
        labels: int[n], 0..len(classes)-1.
        classes: names.
        features: float[n, d], embeddings of the photographs. Much better than thumbnails where a model knows
            such pictures.
        rgb: uint8[n, 32, 32, 3], thumbnails, used where there are no features.
        groups: n names of what belongs together; ``None`` entries stand alone. Copies of one photograph that
            are not in one group vouch for each other's wrong label.
        seed: of the folds.

    Raises:
        DatasetError: neither features nor thumbnails, arrays that do not fit, fewer than two classes with two
            groups each, or fewer than three groups in all.
        EvaluationError: not one group entry a photograph.
    """
    names = tuple(classes)
    _require_fitting(labels, names, features, rgb)
    codes = group_codes(groups, len(labels))
    rows, kept = _judgeable(labels, codes, len(names))
    if len(kept) < 2:
        raise DatasetError(
            f"labels of {len(names)} classes cannot be compared: {len(kept)} have two independent groups",
            hint="two classes with at least two groups of photographs each are needed",
        )
    y = np.searchsorted(kept, labels[rows])
    own_codes = np.unique(codes[rows], return_inverse=True)[1]
    n_groups = int(own_codes.max()) + 1
    if n_groups < LEAST_FOLDS:
        raise DatasetError(f"{n_groups} independent groups are too few, {LEAST_FOLDS} groups are the least")
    folds = group_folds(y, own_codes, min(FOLDS, n_groups), seed)
    seen = _unit_length(features[rows]) if features is not None else _of_thumbnails(rgb, rows, seed)
    probability = out_of_fold_probabilities(seen, y, folds, len(kept))
    return _report(
        labels.astype(np.int64), names, rows, kept, y, probability, _conflicts(labels, codes, names)
    )


def confident_joint(
    labels: Int[np.ndarray, " n"], probability: Float[np.ndarray, "n c"]
) -> tuple[Int64[np.ndarray, "c c"], Int64[np.ndarray, " n"]]:
    """Count photographs by given label and by the class that they confidently look like.

    A photograph confidently looks like class j when its probability of j reaches the mean probability of j
    among the photographs labelled j; where several classes qualify, the most probable one counts
    (Northcutt et al. 2021, equations 1 and 2).

    Args:
        labels: int[n], 0..c-1, every class present.
        probability: float[n, c], out of fold.

    Returns:
        int64[c, c], row given, column confident; and int64[n], the confident class, -1 where there is none.
    """
    n_classes = probability.shape[1]
    own = probability[np.arange(len(labels)), labels]
    thresholds = np.bincount(labels, weights=own, minlength=n_classes) / np.maximum(
        np.bincount(labels, minlength=n_classes), 1
    )
    # A hair of tolerance: equal probabilities must reach their own mean in spite of rounding.
    reached = np.where(probability >= thresholds - 1e-12, probability, -1.0)
    looks = np.where(reached.max(axis=1) >= 0.0, reached.argmax(axis=1), -1)
    some = looks >= 0
    flat = np.bincount(labels[some] * n_classes + looks[some], minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes).astype(np.int64), looks.astype(np.int64)


def _report(
    labels: np.ndarray,
    names: tuple[str, ...],
    rows: np.ndarray,
    kept: np.ndarray,
    y: np.ndarray,
    probability: Float64[np.ndarray, "judged kept"],
    conflicts: tuple[LabelConflict, ...],
) -> LabelReport:
    n, c = len(labels), len(names)
    at = np.arange(len(y))
    own = probability[at, y]
    others = probability.copy()
    others[at, y] = -1.0
    best = others.argmax(axis=1)
    other = others[at, best]
    score = other / np.maximum(own + other, 1e-300)
    small_joint, looks = confident_joint(y, probability)
    joint = np.zeros((c, c), dtype=np.int64)
    joint[np.ix_(kept, kept)] = small_joint
    confident = (looks >= 0) & (looks != y)
    return LabelReport(
        classes=names,
        labels=labels,
        suggested=_placed(kept[best], rows, n, -1),
        probability_given=_placed(own, rows, n, np.nan),
        probability_suggested=_placed(other, rows, n, np.nan),
        score=_placed(score, rows, n, np.nan),
        order=rows[np.argsort(-score, kind="stable")],
        confident=_placed(confident, rows, n, False),
        joint=joint,
        wrong_share=float(confident.mean()),
        agreement=float((own >= other).mean()),
        conflicts=conflicts,
        not_judged=tuple(
            name for label, name in enumerate(names) if label not in kept and (labels == label).any()
        ),
    )


def _placed(values: np.ndarray, rows: np.ndarray, n: int, otherwise: float | bool) -> np.ndarray:
    placed = np.full(n, otherwise, dtype=values.dtype)
    placed[rows] = values
    return placed


def _judgeable(
    labels: np.ndarray, codes: np.ndarray, n_classes: int
) -> tuple[Int64[np.ndarray, " rows"], Int64[np.ndarray, " kept"]]:
    """Rows of the classes (ascending) that have at least two groups: one to learn from, one to judge."""
    width = int(codes.max()) + 1
    pairs = np.unique(labels.astype(np.int64) * width + codes)
    kept = np.flatnonzero(np.bincount(pairs // width, minlength=n_classes) >= 2)
    return np.flatnonzero(np.isin(labels, kept)), kept


def _conflicts(labels: np.ndarray, codes: np.ndarray, names: tuple[str, ...]) -> tuple[LabelConflict, ...]:
    """Groups with more than one label, in the order of their first photograph."""
    lowest = np.full(int(codes.max()) + 1, len(names))
    highest = np.full(len(lowest), -1)
    np.minimum.at(lowest, codes, labels)
    np.maximum.at(highest, codes, labels)
    mixed = np.flatnonzero((lowest != highest)[codes])
    members: dict[int, list[int]] = {}
    for row in mixed.tolist():
        members.setdefault(int(codes[row]), []).append(row)
    return tuple(
        LabelConflict(tuple(rows), tuple(sorted({names[labels[row]] for row in rows})))
        for rows in members.values()
    )


def _of_thumbnails(rgb: np.ndarray | None, rows: np.ndarray, seed: int) -> np.ndarray:
    assert rgb is not None
    return np.asarray(cosine_features(thumbnail_features(rgb[rows]), seed=seed))


def _unit_length(features: np.ndarray) -> Float[np.ndarray, "rows d"]:
    length = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), dtype=np.float32)


def _require_fitting(
    labels: np.ndarray, names: tuple[str, ...], features: np.ndarray | None, rgb: np.ndarray | None
) -> None:
    given = features if features is not None else rgb
    if given is None:
        raise DatasetError("labels are judged by features or by thumbnails, and there are neither")
    if len(given) != len(labels) or not len(labels):
        raise DatasetError(f"{len(given)} rows of features for {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(names):
        raise DatasetError(f"labels go from {labels.min()} to {labels.max()}, there are {len(names)} classes")
    if features is not None and not np.isfinite(features).all():
        raise DatasetError("the features hold NaN or infinity", hint="make them again")
