"""Statistics by class: how much the class explains, and how often a fact alone gives it away.

Enters: numbers and labels. Leaves: numbers. It does not know what they stand for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float, Float64, Int64

Labels = Int64[np.ndarray, " n"]
FOLDS = 5


def explained(values: Float[np.ndarray, "n d"], labels: Labels) -> float:
    """Share of the variance that lies between classes, 0..1, corrected for chance.

    Epsilon squared: 1 - (within / (n - k)) / (total / (n - 1)), for n photographs of k classes (Kelley, "An
    unbiased correlation ratio measure", PNAS 21, 1935). Several columns are added up. 0 when there is only
    one class, too few photographs, or no variance.
    """
    present, own = np.unique(labels, return_inverse=True)
    n, k = len(values), len(present)
    if k < 2 or n <= k:
        return 0.0
    counts = np.bincount(own)[:, None]
    sums = np.zeros((k, values.shape[1]))
    np.add.at(sums, own, values)
    centred = values - values.mean(axis=0)
    total = float((centred**2).sum())
    within = float(((values - (sums / counts)[own]) ** 2).sum())
    if total <= 1e-12 * n:
        return 0.0
    return float(np.clip(1 - (within / (n - k)) / (total / (n - 1)), 0.0, 1.0))


def by_chance(labels: Labels) -> float:
    """The explained share that chance alone seldom exceeds, for classes that do not differ at all.

    Two standard deviations of epsilon squared. Without a difference and with normal values the uncorrected
    share follows a beta distribution with (k - 1) / 2 and (n - k) / 2 (Fisher, "The general sampling
    distribution of the multiple correlation coefficient", Proc. R. Soc. A 121, 1928).
    """
    n, k = len(labels), len(np.unique(labels))
    if k < 2 or n <= k:
        return 1.0
    a, b = (k - 1) / 2, (n - k) / 2
    deviation = np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    return float(2 * deviation * (n - 1) / (n - k))


def strength(share: float) -> str:
    """How a share of explained variance is said in words.

    The steps are those of Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, 8.2: 0.01,
    0.06 and 0.14 of the variance are a small, a medium and a large effect.
    """
    if share < 0.01:
        return "hardly at all"
    if share < 0.06:
        return "a little"
    return "clearly" if share < 0.14 else "strongly"


def folds_of(labels: Labels) -> Labels:
    """A fold 0..4 for each photograph, every class spread over all of them."""
    order = np.argsort(labels, kind="stable")
    folds = np.empty(len(labels), np.int64)
    folds[order] = np.arange(len(labels)) % FOLDS
    return folds


def guess_share(facts: Sequence[Hashable], labels: Labels) -> float:
    """How often the class is guessed right by who knows one fact of the photograph and nothing else.

    The guess is the most frequent class among the other four fifths with the same fact, or the most frequent
    of all where nobody else has it. Compare with the share of the largest class.
    """
    folds = folds_of(labels)
    right = 0
    for fold in range(FOLDS):
        seen: dict[Hashable, Counter[int]] = {}
        for place in np.flatnonzero(folds != fold).tolist():
            seen.setdefault(facts[place], Counter())[int(labels[place])] += 1
        guess = {fact: counter.most_common(1)[0][0] for fact, counter in seen.items()}
        rest = labels[folds != fold]
        otherwise = int(np.bincount(rest).argmax()) if len(rest) else -1
        mine = np.flatnonzero(folds == fold).tolist()
        right += sum(guess.get(facts[place], otherwise) == labels[place] for place in mine)
    return right / len(labels) if len(labels) else 0.0


def quantiles(values: Float64[np.ndarray, " n"]) -> tuple[float, float, float, float, float]:
    """The values below which 5, 25, 50, 75 and 95 % lie."""
    low, quarter, middle, upper, high = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    return float(low), float(quarter), float(middle), float(upper), float(high)
