"""Does a confidence of 0.9 mean nine right answers in ten?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leafsight.evaluation.shapes import RowFlags, RowFloats, RowInts


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of the reliability diagram (Murphy and Winkler 1977).

    Attributes:
        low: lower edge of the confidence; not part of the bin, except 0.
        high: upper edge, part of the bin.
        photos: number of photographs.
        confidence: their mean confidence; NaN in an empty bin.
        accuracy: share of them that is right; NaN in an empty bin.
    """

    low: float
    high: float
    photos: int
    confidence: float
    accuracy: float


def equal_width_bins(confidence: RowFloats, bins: int) -> RowInts:
    """Bin number of each photograph, int[n]: bin i holds (i/bins, (i+1)/bins] (Guo et al. 2017, eq. 3)."""
    return np.asarray(np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1))


def equal_count_bins(confidence: RowFloats, bins: int) -> RowInts:
    """Bin number of each photograph, int[n], such that bins hold equally many (Nixon et al. 2019, adaptive).

    Equal confidences stay in one bin, so bins may differ in size and some may be empty.
    """
    edges = np.quantile(confidence, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(edges, confidence, side="left"), dtype=np.int64)


def bin_gaps(confidence: RowFloats, correct: RowFlags, index: RowInts, bins: int) -> np.ndarray:
    """What each photograph adds to its bin, float64[n, bins]: confidence minus rightness, 0 in other bins.

    ECE is then ``sum over bins of |sum of gaps| / n``, the same as the weighted mean of
    ``|accuracy - confidence|`` (Naeini et al. 2015; Guo et al. 2017, eq. 5), but additive.
    """
    gaps = np.zeros((len(confidence), bins))
    gaps[np.arange(len(confidence)), index] = confidence - correct
    return gaps


def expected_calibration_error(
    confidence: RowFloats, correct: RowFlags, bins: int = 15, *, adaptive: bool = False
) -> float:
    """ECE in 0..1 of the most probable class, with bins of equal width or of equal count."""
    index = (equal_count_bins if adaptive else equal_width_bins)(confidence, bins)
    return float(np.abs(bin_gaps(confidence, correct, index, bins).sum(axis=0)).sum() / len(confidence))


def reliability_table(confidence: RowFloats, correct: RowFlags, bins: int = 15) -> tuple[ReliabilityBin, ...]:
    """All bins of equal width, the empty ones too."""
    index = equal_width_bins(confidence, bins)
    photos = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(index, weights=confidence, minlength=bins) / photos
        right = np.bincount(index, weights=correct.astype(np.float64), minlength=bins) / photos
    return tuple(
        ReliabilityBin(i / bins, (i + 1) / bins, int(photos[i]), float(mean[i]), float(right[i]))
        for i in range(bins)
    )
