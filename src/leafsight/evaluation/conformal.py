"""Sets of classes that hold the true one with a promised frequency.

The score is that of APS (Romano, Sesia and Candes 2020, "Classification with Valid and Adaptive Coverage"):
the probability mass of the classes more probable than y, plus a random part of y's own. It is used
randomised when fitted and without the random part when applied. The applied set is then the union of all
sets that the random part could give. So the promise holds (it can only be exceeded), the answer is the same
every time, and the most probable class, with no mass before it, is always in the set.

Why not the smaller sets of LAC (``p_y >= cut``): with a model that is right in 99 of 100 cases a promise of
90 % makes LAC's cut 0.99, which says the top class or nothing for a doubtful photograph, where APS says
those few classes that share nine tenths of the mass. ``docs/evaluation.md`` has the comparison.

What it does not know: the promise is for photographs like the calibration photographs (exchangeable). It
is void for another camera, country or crop; measure the coverage there (``Evaluation.domains``).
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.shapes import ClassFloats, ClassSets, Labels, Probabilities, RowFloats

EVERYTHING = 1.0  # a cut that no mass exceeds: the set holds all classes


def mass_before(probabilities: Probabilities) -> Probabilities:
    """For each class the summed probability of all classes ranked before it, float64[n, c] in 0..1.

    Equal probabilities are ranked by class number, so that the answer is the same everywhere.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1).astype(np.float64)
    before = np.minimum(np.cumsum(ranked, axis=1) - ranked, 1.0)
    result = np.empty_like(before)
    np.put_along_axis(result, order, np.maximum(before, 0.0), axis=1)
    return result


def conformity(probabilities: Probabilities, labels: Labels, seed: int) -> RowFloats:
    """The randomised APS score of the true class, float64[n]: mass before it + U * its own probability."""
    rows = np.arange(len(labels))
    part = np.random.default_rng(seed).random(len(labels))
    return np.asarray(mass_before(probabilities)[rows, labels] + part * probabilities[rows, labels])


def conformal_quantile(scores: RowFloats, alpha: float) -> float:
    """The ceil((n+1)(1-alpha))-th smallest score, which gives coverage of at least 1-alpha for any n.

    Source: Vovk, Gammerman and Shafer 2005; Angelopoulos and Bates 2021, "A Gentle Introduction", section 1.
    When that rank is above n (too few photographs for such a promise) the answer is ``EVERYTHING``.
    """
    n = len(scores)
    rank = int(np.ceil((n + 1) * (1.0 - alpha) - 1e-9))  # 1e-9: 10 * 0.9 is 9.000000000000002 at times
    if rank > n:
        return EVERYTHING
    return float(min(np.partition(scores, rank - 1)[rank - 1], EVERYTHING))


def class_quantiles(
    scores: RowFloats, labels: Labels, n_classes: int, alpha: float, min_rows: int | None
) -> ClassFloats:
    """A cut for every class, float64[c].

    Args:
        scores: float[n] from ``conformity``.
        labels: int[n].
        n_classes: c.
        alpha: tolerated share of sets without the true class.
        min_rows: classes with at least so many photographs get their own cut (label-conditional or Mondrian
            conformal prediction, Vovk 2012); the others share one, fitted on them together, so the promise
            holds for each large class and for the small ones as a group. When even together they have
            fewer, they get the cut of all photographs, which promises them nothing of their own.
            ``None``: one cut for all.
    """
    counts = np.bincount(labels, minlength=n_classes)
    own = np.zeros(n_classes, dtype=bool) if min_rows is None else counts >= min_rows
    rest = ~own[labels]
    shared = scores[rest] if min_rows is not None and rest.sum() >= min_rows else scores
    cuts = np.full(n_classes, conformal_quantile(shared, alpha))
    for index in np.flatnonzero(own):
        cuts[index] = conformal_quantile(scores[labels == index], alpha)
    return cuts


def conformal_set(probabilities: Probabilities, cuts: ClassFloats) -> ClassSets:
    """Which classes cannot be excluded, bool[n, c]; the most probable class is always among them.

    Classes of probability zero (excluded by ``restrict``) are never in a set.
    """
    sets = (mass_before(probabilities) <= cuts) & (probabilities > 0)
    sets[np.arange(len(sets)), probabilities.argmax(axis=1)] = True
    return np.asarray(sets)
