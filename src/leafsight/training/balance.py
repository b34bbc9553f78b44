"""Class imbalance: weights for the loss, or how often each photograph is seen.

Enters: labels. Leaves: weights, or the order of an epoch. Only NumPy's own generator is used, seeded by the
run's seed and the epoch, so that a resumed run sees the same photographs. It knows neither pictures nor
networks.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int64
from pydantic import Field

from leafsight.errors import TrainingError
from leafsight.training.draws import Options


class BalanceOptions(Options):
    """What is done about classes of unequal size; the defaults do nothing.

    Attributes:
        weights: weights of the classes in the loss: ``inverse`` of their size, or of their ``effective``
            number (Cui 2019, arXiv 1901.05555).
        exponent: of the inverse size; 1 balances fully, 0.5 half way on a logarithmic scale.
        effective_beta: beta of the effective number ``(1 - beta^n) / (1 - beta)``.
        sampling: how an epoch is drawn: ``natural`` shows each photograph once; ``weighted`` in inverse
            proportion to its class's size to the power of ``sampling_exponent``; ``class_aware`` each class
            equally often; ``square_root`` each class in proportion to the root of its size (Mahajan 2018,
            arXiv 1805.00932).
        sampling_exponent: 1 makes ``weighted`` balance fully; 0 not at all.
    """

    weights: Literal["none", "inverse", "effective"] = "none"
    exponent: float = Field(default=1.0, ge=0, le=2)
    effective_beta: float = Field(default=0.999, ge=0, lt=1)
    sampling: Literal["natural", "weighted", "class_aware", "square_root"] = "natural"
    sampling_exponent: float = Field(default=1.0, ge=0, le=2)


def class_counts(labels: Int64[np.ndarray, " n"], n_classes: int) -> Int64[np.ndarray, " classes"]:
    """Photographs of each class.

    Raises:
        TrainingError: there is no label, or one outside ``0..n_classes - 1``.
    """
    if not len(labels) or labels.min() < 0 or labels.max() >= n_classes:
        found = f"{labels.min()}..{labels.max()}" if len(labels) else "none"
        raise TrainingError(f"labels must lie in 0..{n_classes - 1}; found {found}")
    return np.asarray(np.bincount(labels, minlength=n_classes), np.int64)


def class_weights(
    labels: Int64[np.ndarray, " n"], n_classes: int, options: BalanceOptions
) -> Float32[np.ndarray, " classes"]:
    """Weight of each class in the loss.

    The mean over the photographs is 1, so that the learning rate keeps its meaning; a class without
    photographs gets 0.

    Raises:
        TrainingError: see ``class_counts``.
    """
    counts = class_counts(labels, n_classes)
    if options.weights == "none":
        return np.ones(n_classes, np.float32)
    size = np.maximum(counts, 1).astype(np.float64)
    if options.weights == "inverse":
        weights = size**-options.exponent
    else:
        weights = (1 - options.effective_beta) / (1 - options.effective_beta**size)
    weights[counts == 0] = 0
    return np.asarray(weights / ((weights * counts).sum() / counts.sum()), np.float32)


def sampling_weights(
    labels: Int64[np.ndarray, " n"], n_classes: int, options: BalanceOptions
) -> Float64[np.ndarray, " n"]:
    """Probability of each photograph to be the next one drawn; sums to 1.

    Raises:
        TrainingError: see ``class_counts``.
    """
    counts = class_counts(labels, n_classes).astype(np.float64)
    # A class is drawn in proportion to its size to this power; a photograph of it, that divided by the size.
    power = {
        "natural": 1.0,
        "weighted": 1.0 - options.sampling_exponent,
        "class_aware": 0.0,
        "square_root": 0.5,
    }[options.sampling]
    weights = counts[labels] ** (power - 1)
    return np.asarray(weights / weights.sum())


def epoch_order(
    labels: Int64[np.ndarray, " n"], options: BalanceOptions, epoch: int, seed: int
) -> Int64[np.ndarray, " n"]:
    """Positions in ``labels`` in the order in which one epoch shows them.

    An epoch is as long as the data whatever the sampling, so that steps and schedules do not change with it.
    Within a class every photograph is shown ``k`` times before any is shown ``k + 1`` times: drawing with
    replacement would leave out a third of even the rare ones.

    Args:
        labels: class of each training photograph; classes may be absent.
        options: how classes are balanced.
        epoch: which epoch, from 0.
        seed: of the run.

    Raises:
        TrainingError: see ``class_counts``.
    """
    rng = np.random.default_rng([seed, epoch])
    if options.sampling == "natural":
        return rng.permutation(len(labels))
    n_classes = int(labels.max()) + 1 if len(labels) else 0
    weights = sampling_weights(labels, n_classes, options)
    share = np.bincount(labels, weights=weights, minlength=n_classes)
    numbers = _whole_numbers(share * len(labels), rng).tolist()
    order = [_cycled(np.flatnonzero(labels == label), number, rng) for label, number in enumerate(numbers)]
    return rng.permutation(np.concatenate(order))


def _whole_numbers(wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whole numbers of the same sum; each is rounded so that its expectation stays (systematic sampling)."""
    edges = np.concatenate([[0.0], np.cumsum(wanted)])
    edges[-1] = round(edges[-1])
    return np.diff(np.floor(edges + rng.uniform())).astype(np.int64)


def _cycled(rows: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    if not number:
        return rows[:0]
    rounds = -(-number // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(rounds)])[:number]
