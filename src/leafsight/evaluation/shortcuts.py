"""The shortcut meter: how well is the class known to a model that is not shown the leaf?

Enters: thumbnails of whole photographs, labels, what belongs together and, if there are any, features of the
whole picture. Leaves: ``Shortcuts``. All scores are out of fold, no group on two sides. It does not know
where the photographs are from, and it cannot tell a shortcut from a leaf that reaches the border.

The idea is Noyan's (2022, "Uncovering bias in the PlantVillage dataset", arXiv 2206.04374), who reached 49 %
with eight pixels and a random forest. Ours is ``ridge``; ``docs/evaluation.md`` says how far they are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.folds import draw_rows, group_codes, group_folds
from leafsight.evaluation.ridge import cosine_features, out_of_fold_scores
from leafsight.evaluation.shapes import (
    Embedding,
    GivenLabels,
    Labels,
    OtherEmbedding,
    Photos,
    RowInts,
    SomeInts,
)
from leafsight.evaluation.shortcut_judging import Seen, ShortcutJudge, class_group_pairs
from leafsight.evaluation.shortcut_records import Shortcuts
from leafsight.evaluation.shortcut_views import (
    SIDE_PX,
    border_ring,
    centre_blurred,
    colour_histogram,
    eight_pixels,
    green_share_of_border,
    whole_thumbnail,
)
from leafsight.progress import Progress, Silent

VIEWS: tuple[tuple[str, str, bool, Callable[[Photos], Embedding]], ...] = (
    ("eight_pixels", "eight border pixels", True, eight_pixels),
    ("border", "the border alone (1/16 of the side)", True, border_ring),
    ("centre_blurred", "the picture with its centre blurred out", False, centre_blurred),
    ("colours", "colours, without where they are", False, colour_histogram),
    ("thumbnail", "the whole picture, 16 by 16 patches", False, whole_thumbnail),
)
LEAST_FOLDS = 3
"""One is judged, one chooses the penalty, the rest is learned from."""


def measure_shortcuts(
    rgb: Photos,
    labels: GivenLabels,
    classes: Sequence[str],
    *,
    groups: Sequence[object] | np.ndarray | None = None,
    features: OtherEmbedding | None = None,
    seed: int = 0,
    folds: int = 5,
    most_photos: int = 20_000,
    progress: Progress | None = None,
) -> Shortcuts:
    """Train and judge one quick classifier for each narrow view of the photographs.

    Args:
        rgb: uint8[n, 32, 32, 3], whole photographs squashed to squares.
        labels: int[n], 0..len(classes)-1.
        classes: names.
        groups: n names or numbers of what must stay together (leaf, plant); ``None`` entries stand alone.
        features: float[n, d] of whole pictures, such as embeddings, for comparison; made unit length here.
        seed: of folds, random features and resamples.
        folds: at least 3; fewer are used where the photographs form fewer groups.
        most_photos: more than these are not measured but drawn from, whole groups, evenly by class.
        progress: hears of each view.

    Raises:
        EvaluationError: arrays that do not fit each other, fewer than three folds, fewer than two classes
            with at least two groups each, or fewer than three groups in all.
    """
    names = tuple(classes)
    _require_fitting(rgb, labels, names, features, folds)
    codes = group_codes(groups, len(labels))
    rows, kept = _measurable(labels, codes, len(names), most_photos, seed)
    if len(kept) < 2:
        raise EvaluationError(
            f"{len(kept)} classes have two independent groups of photographs, two classes are the least",
            hint="give fewer groups, or more photographs",
        )
    y, codes = np.searchsorted(kept, labels[rows]), np.unique(codes[rows], return_inverse=True)[1]
    n_groups = int(codes.max()) + 1
    if n_groups < LEAST_FOLDS:
        raise EvaluationError(f"{n_groups} groups of photographs are too few, {LEAST_FOLDS} are the least")
    fold_of = group_folds(y, codes, min(folds, n_groups), seed)
    kept_names = tuple(names[label] for label in kept)
    thumbnails = rgb if len(rows) == len(rgb) else rgb[rows]
    progress = progress or Silent()
    progress.start("shortcuts", len(VIEWS) + (features is not None))
    seen = []
    for name, sees, without_leaf, view in VIEWS:
        cosines = cosine_features(view(thumbnails), seed=seed)
        scores = out_of_fold_scores(cosines, y, fold_of, len(kept))
        seen.append(Seen(name, sees, without_leaf, scores))
        progress.advance(1)
    if features is not None:
        scores = out_of_fold_scores(_unit_length(features[rows]), y, fold_of, len(kept))
        seen.append(Seen("whole_picture", "the model on the whole picture", False, scores))
        progress.advance(1)
    progress.finish()
    return Shortcuts(
        views=ShortcutJudge(y, codes, kept_names, seed).views(seen),
        classes=kept_names,
        left_out=tuple(name for label, name in enumerate(names) if label not in kept),
        photos=len(rows),
        all_photos=len(labels),
        groups=n_groups,
        majority_share=float(np.bincount(y).max() / len(y)),
        chance=1.0 / len(kept),
        border_green=green_share_of_border(thumbnails),
    )


def _measurable(
    labels: Labels, codes: RowInts, n_classes: int, most: int, seed: int
) -> tuple[SomeInts, np.ndarray]:
    """Rows to measure, and the classes (ascending) that have at least two groups among them."""
    rows = draw_rows(labels, codes, most, seed)
    pairs = np.unique(class_group_pairs(labels[rows], codes[rows]))
    kept = np.flatnonzero(np.bincount(pairs // (int(codes.max()) + 1), minlength=n_classes) >= 2)
    return rows[np.isin(labels[rows], kept)], kept


def _unit_length(features: Embedding) -> Embedding:
    length = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), dtype=np.float32)


def _require_fitting(
    rgb: Photos, labels: GivenLabels, names: tuple[str, ...], features: OtherEmbedding | None, folds: int
) -> None:
    if not len(labels):
        raise EvaluationError("there are no photographs to measure shortcuts on")
    if len(rgb) != len(labels) or (features is not None and len(features) != len(labels)):
        given = f"{len(rgb)} thumbnails, {len(labels)} labels"
        more = "" if features is None else f", {len(features)} rows of features"
        raise EvaluationError(f"one of each is needed for every photograph: {given}{more}")
    if rgb.shape[1:] != (SIDE_PX, SIDE_PX, 3):
        raise EvaluationError(f"thumbnails must be {SIDE_PX} by {SIDE_PX} RGB, got {rgb.shape[1:]}")
    if labels.min() < 0 or labels.max() >= len(names):
        raise EvaluationError(
            f"labels go from {labels.min()} to {labels.max()}, there are {len(names)} classes"
        )
    if len(set(names)) != len(names):
        raise EvaluationError("two classes have the same name")
    if folds < LEAST_FOLDS:
        raise EvaluationError(f"{folds} folds are too few", hint=f"{LEAST_FOLDS} or more")
    if features is not None and not np.isfinite(features).all():
        raise EvaluationError("the features hold NaN or infinity", hint="make them again")
