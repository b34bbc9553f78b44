"""How well two classes are told apart whatever the threshold: the area under the ROC curve.

It is the chance that a photograph of the second class gets a higher score than one of the first, ties counted
half (Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve"). Accuracy depends on how
often each class occurs and on where the line is drawn; this does not.
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.bootstrap import COUNTS_IN_MEMORY, Resampling, draws
from leafsight.evaluation.shapes import Logits, OtherFloats, RowFlags, RowFloats, RowInts

FAR = 1e9


def margin_of(logits: Logits) -> RowFloats:
    """float64[n]: the second class's logit minus the first one's, finite.

    Args:
        logits: float[n, 2]; one of the two may be ``-inf``.
    """
    with np.errstate(invalid="ignore"):
        margin = logits[:, 1].astype(np.float64) - logits[:, 0]
    return np.asarray(np.nan_to_num(margin, posinf=FAR, neginf=-FAR))


def auc(margin: RowFloats, is_second: RowFlags) -> float:
    """Area under the ROC curve; NaN where only one class has photographs.

    Args:
        margin: float[n], the second class's logit minus the first one's, or any score that grows with it.
        is_second: bool[n], whether the photograph is of the second class.
    """
    return float(_areas(np.ones((1, len(margin))), margin, is_second)[0])


def auc_resampled(margin: RowFloats, is_second: RowFlags, groups: RowInts, how: Resampling) -> OtherFloats:
    """The area of every resample, float64[resamples]; the draws are those of all other metrics.

    A resample without a photograph of one of the classes is NaN.
    """
    areas = []
    for counts in draws(int(groups.max()) + 1, how):
        for some in np.array_split(counts, max(1, counts.shape[0] * len(margin) // COUNTS_IN_MEMORY)):
            areas += [_areas(some[:, groups], margin, is_second)]
    return np.concatenate(areas)


def _areas(weights: np.ndarray, margin: np.ndarray, is_second: np.ndarray) -> np.ndarray:
    """float64[b] for weights float64[b, n]: how often each photograph counts."""
    order = np.argsort(margin, kind="stable")
    drawn, second = weights[:, order], is_second[order]
    first_weight, second_weight = drawn * ~second, drawn * second
    # Photographs of one score are one step of the curve, half of which counts.
    starts = np.flatnonzero(np.diff(margin[order], prepend=-np.inf) > 0)
    first_steps = np.add.reduceat(first_weight, starts, axis=1)
    second_steps = np.add.reduceat(second_weight, starts, axis=1)
    below = np.cumsum(first_steps, axis=1) - first_steps
    won = (second_steps * (below + first_steps / 2)).sum(axis=1)
    pairs = first_weight.sum(axis=1) * second_weight.sum(axis=1)
    return np.asarray(np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0))
