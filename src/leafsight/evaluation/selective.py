"""What a model is worth when it may say "I cannot tell"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leafsight.evaluation.bootstrap import COUNTS_IN_MEMORY, Resampling, draws
from leafsight.evaluation.interval import wilson
from leafsight.evaluation.shapes import OtherFloats, RowFlags, RowFloats, RowInts

CANDIDATES = np.arange(0, 1000) / 1000.0
LEAST_ANSWERS = 20  # a lower bound from fewer photographs swings too much to choose by


@dataclass(frozen=True, slots=True)
class Threshold:
    """The probability from which an answer is given.

    Attributes:
        value: 0..1.
        reached: whether the target was shown on the calibration photographs. If not, ``value`` is where
            the lower bound was highest, and no promise goes with it.
    """

    value: float
    reached: bool


def choose_threshold(
    confidence: RowFloats, correct: RowFlags, *, target: float, floor: float, level: float = 0.95
) -> Threshold:
    """The smallest threshold whose answers are right often enough, beyond reasonable doubt.

    "Often enough" is a one-sided Wilson lower bound of the accuracy among the answers (as the bound in
    Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks", algorithm 1). The
    candidates share most of their answers, so no correction is made for trying many; ``tests`` hold a
    simulation of how often the promise is broken.

    Args:
        confidence: float[n], the calibrated probability of the answer.
        correct: bool[n].
        target: wanted share of right answers, such as 0.95.
        floor: no answer below this probability, whatever the calibration photographs say. At 0.5 an answer
            is more often wrong than right (Chow 1970, "On Optimum Recognition Error and Reject Tradeoff").
        level: confidence level of the one-sided bound.
    """
    # A photograph answers every candidate up to its own confidence: counts from the right of a histogram.
    candidates = CANDIDATES[np.searchsorted(CANDIDATES, floor - 1e-12) :]
    place = np.searchsorted(candidates, confidence, side="right")
    answered = np.bincount(place, minlength=len(candidates) + 1)[::-1].cumsum()[::-1][1:]
    right = np.bincount(place, weights=correct, minlength=len(candidates) + 1)[::-1].cumsum()[::-1][1:]
    enough = answered >= LEAST_ANSWERS
    if not enough.any():
        return Threshold(float(floor), False)
    bounds = np.where(enough, wilson(right, np.maximum(answered, 1), 2.0 * level - 1.0)[0], -1.0)
    good = np.flatnonzero(bounds >= target)
    if good.size:
        return Threshold(float(candidates[good[0]]), True)
    return Threshold(float(candidates[bounds.argmax()]), False)


def risk_coverage(confidence: RowFloats, correct: RowFlags) -> tuple[RowFloats, RowFloats]:
    """Share answered and share of wrong answers, when the surest photographs are answered first.

    Returns:
        coverage float64[n] = 1/n .. 1, and the risk (share wrong among the answered) float64[n].
        Photographs of equal confidence get their mean risk: their order says nothing.
    """
    n = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    ranked, wrong = confidence[order], (~correct[order]).astype(np.float64)
    _, inverse, counts = np.unique(-ranked, return_inverse=True, return_counts=True)
    wrong = (np.bincount(inverse, weights=wrong) / counts)[inverse]
    answered = np.arange(1, n + 1)
    return answered / n, np.cumsum(wrong) / answered


def aurc(confidence: RowFloats, correct: RowFlags) -> float:
    """Area under the risk-coverage curve, its mean risk (Geifman, Uziel and El-Yaniv 2019); 0 is best."""
    return float(risk_coverage(confidence, correct)[1].mean())


def aurc_resampled(confidence: RowFloats, correct: RowFlags, groups: RowInts, how: Resampling) -> OtherFloats:
    """AURC of every resample, float64[resamples]; the draws are those of all other metrics."""
    order = np.argsort(-confidence, kind="stable")
    wrong, ranked = (~correct[order]).astype(np.float64), groups[order]
    areas = []
    for counts in draws(int(groups.max()) + 1, how):
        for some in np.array_split(counts, max(1, counts.shape[0] * len(order) // COUNTS_IN_MEMORY)):
            drawn = some[:, ranked]
            answered = np.cumsum(drawn, axis=1)
            risk = np.cumsum(drawn * wrong, axis=1) / np.maximum(answered, 1.0)
            areas.append((drawn * risk).sum(axis=1) / answered[:, -1])
    return np.concatenate(areas)
