"""A quick classifier for measuring what features give away: ridge regression on one-hot labels, out of fold.

Enters: features, labels and folds. Leaves: for every photograph a score a class, from a fit that has not
seen its fold. Classes weigh the same, however large they are. NumPy only; after one pass over the features
only their sums of products are used, so the time grows linearly with the photographs. It does not know what
the features are.

Least squares on one-hot labels: Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical
Learning", section 4.2; its penalty, section 3.4.1. Random Fourier features: Rahimi and Recht 2007.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

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
SINGLE_IS_ENOUGH = 3e-3
"""From this penalty on weights are solved for in single precision; a smaller one is near its rounding."""
FEWEST_COSINES, MOST_COSINES = 128, 1024
"""As many random features as photographs, within these; see docs/evaluation.md for what more would bring."""
WIDEST, NARROWEST = 0.05, 1.0
"""Range of the kernel's sharpness, set by measurement, see docs/evaluation.md."""
CHUNK_ROWS = 2048
BLOCK = 64
SPREAD = 10.0


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
    total = np.sum([part.sum(axis=0) for part in _chunks(features)], axis=0, dtype=np.float64)
    mean = np.asarray(total / len(features), dtype=np.float32)
    squares = sum(_square_length(part - mean) for part in _chunks(features))
    sharpness = np.exp(generator.uniform(np.log(WIDEST), np.log(NARROWEST), count))
    directions = generator.normal(size=(features.shape[1], count)) * np.sqrt(2.0 * sharpness)
    unit = float(np.sqrt(squares / len(features)))
    directions = (directions / max(unit, 1e-9)).astype(np.float32)
    phases = generator.uniform(0.0, 2.0 * np.pi, count).astype(np.float32)
    cosines = np.empty((len(features), count), dtype=np.float32)
    for at, part in enumerate(_chunks(features)):
        own = cosines[at * CHUNK_ROWS : (at + 1) * CHUNK_ROWS]
        np.matmul(part - mean, directions, out=own)
        own += phases
        np.cos(own, out=own)
        own *= np.float32(np.sqrt(2.0 / count))
    return cosines


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
    everything = reduce(np.add, sums)
    scores = np.empty((len(labels), n_classes), dtype=np.float32)
    for fold, own in enumerate(rows):
        following = (fold + 1) % len(rows)
        without = everything - sums[fold]
        penalty = _best_penalty(without - sums[following], features, labels, weights, rows[following])
        single = penalty >= SINGLE_IS_ENOUGH
        scores[own] = _scores(features[own], _fit(without, penalty, single=single))
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
    training: np.ndarray, features: Embedding, labels: Labels, weights: RowFloats, judged: SomeInts
) -> float:
    """The penalty with the best balanced accuracy on the judged rows, from the largest down while it helps.

    The larger one where two are equal. Once it gets worse, what is learned by heart only grows. Single
    precision is enough to compare penalties that are thirty times apart.
    """
    inside, share, true = features[judged], weights[judged], labels[judged]
    best, chosen = -1.0, PENALTIES[0]
    for penalty in PENALTIES:
        named = _scores(inside, _fit(training, penalty, single=True)).argmax(axis=1)
        right = float(share[named == true].sum())
        if right < best:
            break
        if right > best:
            best, chosen = right, penalty
    return chosen


def _scores(features: Embedding, weights: np.ndarray) -> np.ndarray:
    return np.asarray(features.astype(np.float32, copy=False) @ weights[:-1] + weights[-1])


def _fit(sums: np.ndarray, penalty: float, *, single: bool) -> np.ndarray:
    """Weights float32[d, c] from ``_sums``; the last feature is the constant, which is hardly penalised."""
    d = len(sums)
    penalties = np.full(d, penalty * max(float(np.trace(sums)) / d, 1e-12))
    penalties[-1] *= 1e-3
    system = sums.astype(np.float32 if single else np.float64)
    diagonal = np.diagonal(sums) + penalties
    np.fill_diagonal(system, diagonal)
    try:
        return _solved(system).astype(np.float32)
    except np.linalg.LinAlgError:
        products = sums[:, :d].copy()
        np.fill_diagonal(products, diagonal)
        return np.linalg.solve(products, sums[:, d:]).astype(np.float32)


def _solved(system: np.ndarray) -> np.ndarray:
    """Solve a x = b, a symmetric and positive definite, from ``[a | b]``, float[d, d + c], which is used up.

    Cholesky's a = r' r, ``BLOCK`` rows at a time (Golub and Van Loan 2013, "Matrix Computations", section
    4.2). NumPy has the factor, but no solver for triangles, and its general solver does twice the work.

    Raises:
        LinAlgError: rounding made the system indefinite.
    """
    d = len(system)
    blocks = [(at, min(at + BLOCK, d)) for at in range(0, d, BLOCK)]
    for at, end in blocks:
        system[at:end, at:] -= system[:at, at:end].T @ system[:at, at:]
        inverse = np.linalg.inv(np.linalg.cholesky(system[at:end, at:end]))
        system[at:end, end:] = inverse @ system[at:end, end:]
        system[at:end, at:end] = inverse
    solution = system[:, d:]
    for at, end in reversed(blocks):
        solution[at:end] -= system[at:end, end:d] @ solution[end:]
        solution[at:end] = system[at:end, at:end].T @ solution[at:end]
    return solution


def _sums(
    features: Embedding, labels: Labels, weights: RowFloats, rows: SomeInts, n_classes: int
) -> np.ndarray:
    """Sums over photographs, float64[d, d + c]: of products of features, and of features by class."""
    d = features.shape[1] + 1
    sums = np.zeros((d, d + n_classes))
    for at in range(0, len(rows), CHUNK_ROWS):
        own = rows[at : at + CHUNK_ROWS]
        root = np.sqrt(weights[own]).astype(np.float32)
        x = np.empty((len(own), d), dtype=np.float32)
        np.multiply(features[own], root[:, None], out=x[:, :-1], casting="same_kind")
        x[:, -1] = root
        # A matrix times itself: BLAS computes only half of it.
        sums[:, :d] += x.T @ x
        hot = np.zeros((len(own), n_classes), dtype=np.float32)
        hot[np.arange(len(own)), labels[own]] = root
        sums[:, d:] += x.T @ hot
    return sums


def _square_length(part: np.ndarray) -> float:
    return float(np.vdot(part, part))


def _chunks(features: Embedding) -> Iterator[np.ndarray]:
    for at in range(0, len(features), CHUNK_ROWS):
        yield features[at : at + CHUNK_ROWS].astype(np.float32, copy=False)
