"""A quick classifier for measuring what features give away: ridge regression on one-hot labels, out of fold.

Enters: features, labels and folds. Leaves: for every photograph a score a class, from a fit that has not
seen its fold. Classes weigh the same, however large they are. NumPy only; after one pass over the features
only their sums of products are used, so the time grows linearly with the photographs. It does not know what
the features are.

Least squares on one-hot labels: Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical
Learning", section 4.2; its penalty, section 3.4.1. Random Fourier features: Rahimi and Recht 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leafsight.evaluation.probability import softmax
from leafsight.evaluation.shapes import (
    Embedding,
    Labels,
    Logits,
    Probabilities,
    RandomFeatures,
    RowFloats,
    RowInts,
    SomeInts,
)
from leafsight.evaluation.temperature import fit_temperature

PENALTIES = (3.0, 0.1, 3e-3, 1e-4, 3e-6)
"""Tried on training folds, in units of the mean diagonal of the sums of products, thirty times apart."""
FEWEST_COSINES, MOST_COSINES = 128, 1024
"""As many random features as photographs, within these; see docs/evaluation.md for what more would bring."""
WIDEST, NARROWEST = 0.05, 1.0
"""Range of the kernel's sharpness, set by measurement, see docs/evaluation.md."""
CHUNK_ROWS = 8192
SPREAD = 10.0


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over photographs: float64[d, d] of products of features, float64[d, c] of features by class."""

    products: np.ndarray
    by_class: np.ndarray

    def without(self, *others: _Sums) -> _Sums:
        products, by_class = self.products.copy(), self.by_class.copy()
        for other in others:
            products -= other.products
            by_class -= other.by_class
        return _Sums(products, by_class)

    def fit(self, penalty: float) -> np.ndarray:
        """Weights float64[d, c]; the last feature is the constant, which is hardly penalised."""
        d = len(self.products)
        diagonal = np.full(d, penalty * max(float(np.trace(self.products)) / d, 1e-12))
        diagonal[-1] *= 1e-3
        return np.linalg.solve(self.products + np.diag(diagonal), self.by_class)


def cosine_features(features: Embedding, count: int | None = None, seed: int = 0) -> RandomFeatures:
    """Random Fourier features float32[n, count] of a sum of Gaussian kernels, sharp ones and blunt ones.

    The unit of length is the root mean square distance of a photograph from the mean, so that no bandwidth
    has to be chosen: kernels exp(-g |x - y|^2 / unit^2) with g from ``WIDEST`` to ``NARROWEST``, evenly on
    a logarithmic scale.

    Args:
        features: float[n, d].
        count: of cosines; by default as many as photographs, from ``FEWEST_COSINES`` to ``MOST_COSINES``.
        seed: of their directions.
    """
    generator = np.random.default_rng(seed)
    count = count or min(max(len(features), FEWEST_COSINES), MOST_COSINES)
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    unit = float(np.sqrt(np.mean([((part - mean) ** 2).sum(axis=1).mean() for part in _chunks(features)])))
    sharpness = np.exp(generator.uniform(np.log(WIDEST), np.log(NARROWEST), count))
    directions = generator.normal(size=(features.shape[1], count)) * np.sqrt(2.0 * sharpness)
    directions = (directions / max(unit, 1e-9)).astype(np.float32)
    phases = generator.uniform(0.0, 2.0 * np.pi, count).astype(np.float32)
    scale = np.float32(np.sqrt(2.0 / count))
    parts = [np.cos((part - mean) @ directions + phases) * scale for part in _chunks(features)]
    return np.concatenate(parts)


def out_of_fold_scores(features: Embedding, labels: Labels, folds: RowInts, n_classes: int) -> Logits:
    """Scores float32[n, c], about the probability of a class if all were equally frequent; not cut to 0..1.

    The penalty is chosen for each fold among ``PENALTIES``: fitted without this fold and the next one,
    judged on the next one by balanced accuracy. The judged fold is never looked at.

    Args:
        features: float[n, d].
        labels: int[n], 0..c-1.
        folds: int[n], 0..k-1, k at least 3; none empty.
        n_classes: c.
    """
    weights = (1.0 / np.maximum(np.bincount(labels, minlength=n_classes), 1))[labels]
    rows = [np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1)]
    sums = [_sums(features, labels, weights, own, n_classes) for own in rows]
    everything = _total(sums)
    scores = np.empty((len(labels), n_classes), dtype=np.float32)
    for fold, own in enumerate(rows):
        following = (fold + 1) % len(rows)
        judged = rows[following]
        penalty = _best_penalty(
            everything.without(sums[fold], sums[following]), features, labels, weights, judged
        )
        scores[own] = _with_constant(features[own]) @ everything.without(sums[fold]).fit(penalty)
    return scores


def out_of_fold_probabilities(
    features: Embedding, labels: Labels, folds: RowInts, n_classes: int
) -> Probabilities:
    """``out_of_fold_scores`` as probabilities float64[n, c]: softmax at the one temperature that fits best.

    The temperature is fitted on the same scores, which are out of fold already; it is one number.
    """
    # Scores lie about between 0 and 1; spread out, so that the best temperature is well inside its limits.
    logits = SPREAD * out_of_fold_scores(features, labels, folds, n_classes).astype(np.float64)
    return softmax(logits, fit_temperature(logits, labels))


def _best_penalty(
    training: _Sums, features: Embedding, labels: Labels, weights: RowFloats, judged: SomeInts
) -> float:
    """The penalty with the best balanced accuracy on the judged rows; the larger one where two are equal."""
    inside, share = _with_constant(features[judged]), weights[judged]
    right = [
        float(share[(inside @ training.fit(penalty)).argmax(axis=1) == labels[judged]].sum())
        for penalty in PENALTIES
    ]
    return PENALTIES[int(np.argmax(right))]


def _total(parts: Sequence[_Sums]) -> _Sums:
    products = np.sum([part.products for part in parts], axis=0)
    return _Sums(products, np.sum([part.by_class for part in parts], axis=0))


def _sums(features: Embedding, labels: Labels, weights: RowFloats, rows: SomeInts, n_classes: int) -> _Sums:
    d = features.shape[1] + 1
    products, by_class = np.zeros((d, d)), np.zeros((d, n_classes))
    for at in range(0, len(rows), CHUNK_ROWS):
        own = rows[at : at + CHUNK_ROWS]
        root = np.sqrt(weights[own]).astype(np.float32)
        # A matrix times itself: BLAS computes only half of it.
        x = _with_constant(features[own]) * root[:, None]
        products += x.T @ x
        hot = np.zeros((len(own), n_classes), dtype=np.float32)
        hot[np.arange(len(own)), labels[own]] = root
        by_class += x.T @ hot
    return _Sums(products, by_class)


def _with_constant(features: Embedding) -> np.ndarray:
    return np.concatenate([features, np.ones((len(features), 1), dtype=np.float32)], axis=1, dtype=np.float32)


def _chunks(features: Embedding) -> Sequence[np.ndarray]:
    return [features[at : at + CHUNK_ROWS].astype(np.float32) for at in range(0, len(features), CHUNK_ROWS)]
