"""How often would chance alone make two models differ as much, on photographs that both were asked about?

Enters: which photographs each model has right, and what belongs together. Leaves: p-values. It does not know
how large a difference matters: ``comparison`` gives the difference itself with its interval.

Both tests are exact, so nothing is drawn and no seed is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.results import Evaluation, plain
from leafsight.evaluation.shapes import RowInts


@dataclass(frozen=True, slots=True)
class PairedTests:
    """Two models on the same photographs.

    Attributes:
        only_a_right: photographs that only a has right.
        only_b_right: photographs that only b has right.
        mcnemar: p-value that takes every photograph as independent.
        sign_flip: p-value that keeps groups whole; ``None`` where every photograph stands alone, since it is
            then the same number.
    """

    only_a_right: int
    only_b_right: int
    mcnemar: float
    sign_flip: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values."""
        result: dict[str, Any] = plain(self)
        return result


def tell_apart(a: Evaluation, b: Evaluation) -> PairedTests:
    """Test whether ``a`` and ``b`` are right equally often.

    Raises:
        EvaluationError: the two were not judged on the same photographs and groups.
    """
    ours, theirs = a.evidence, b.evidence
    if not (np.array_equal(ours.labels, theirs.labels) and np.array_equal(ours.groups, theirs.groups)):
        raise EvaluationError(
            "the two evaluations are not about the same photographs", hint="judge both on the same split"
        )
    gained = (theirs.columns["correct"] - ours.columns["correct"]).astype(np.int64)
    only_a, only_b = int((gained < 0).sum()), int((gained > 0).sum())
    grouped = len(np.unique(ours.groups)) < len(gained)
    return PairedTests(
        only_a, only_b, mcnemar(only_a, only_b), sign_flip(gained, ours.groups) if grouped else None
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value of McNemar's test.

    Of the photographs that exactly one of two models has right, each is as often a's as b's if the models
    are equally good: a binomial with probability 1/2 (McNemar 1947, Psychometrika 12, 153-157; the exact
    conditional form: Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91). It takes
    photographs as independent: several of one leaf make it too small.

    Args:
        only_a: photographs that only a has right.
        only_b: photographs that only b has right.

    Raises:
        EvaluationError: a negative count.
    """
    if only_a < 0 or only_b < 0:
        raise EvaluationError(f"there cannot be {min(only_a, only_b)} photographs")
    return _two_sided({1: only_a + only_b}, only_b - only_a)


def sign_flip(gained: RowInts, groups: RowInts) -> float:
    """McNemar's question with whole groups: the exact two-sided p-value of a sign-flip test.

    If the models are equally good, then in every group their names may be exchanged, which turns the sign of
    what the group gains (Fisher 1935, "The Design of Experiments", section 21; whole blocks: Winkler et al.
    2014, NeuroImage 92, 381-397). All 2^g ways of doing so are counted, not drawn, by multiplying the
    distributions of groups with equal gains (Pagano and Tritchler 1983, JASA 78, 435-440). When every
    photograph is its own group this is ``mcnemar``.

    Args:
        gained: int[n], for each photograph 1 when only b has it right, -1 when only a has, otherwise 0.
        groups: int[n], number of the group of each photograph.
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    totals = np.zeros(int(numbers.max(initial=-1)) + 1, np.int64)
    np.add.at(totals, numbers, gained)
    sizes, counts = np.unique(np.abs(totals[totals != 0]), return_counts=True)
    return _two_sided(dict(zip(sizes.tolist(), counts.tolist(), strict=True)), int(totals.sum()))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values adjusted for being several, in their order (Holm 1979, Scand. J. Statistics 6, 65-70).

    Whoever calls those at most 0.05 a difference is wrong about any of them at most once in twenty times,
    however the tests depend on each other.

    Raises:
        EvaluationError: one is no probability.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise EvaluationError(f"p-values lie in 0..1, got {list(p_values)}")
    order = np.argsort(given, kind="stable")
    stepped = given[order] * np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return tuple(adjusted.tolist())


def _two_sided(gains: Mapping[int, int], observed: int) -> float:
    """The chance that gains with random signs add up to a total as far from 0 as ``observed``, or farther.

    Args:
        gains: size of a gain -> how many have it.
        observed: the total with the real signs.
    """
    spread = [_binomial(size, count) for size, count in gains.items()]
    # Number w of the array stands for the positive gains adding up to w, so for a total of 2 w - all.
    chances = reduce(np.convolve, spread, np.ones(1))
    totals = 2 * np.arange(len(chances)) - (len(chances) - 1)
    return min(float(chances[np.abs(totals) >= abs(observed)].sum()), 1.0)


def _binomial(size: int, count: int) -> np.ndarray:
    """float64[size * count + 1]: chance of each sum when each of ``count`` gains is ``size`` or 0."""
    step = np.arange(1, count + 1)
    # Logarithms: 2^-count itself is 0 in floating point from 1,075 on, while its middle is far from 0.
    logs = np.concatenate([[0.0], np.cumsum(np.log((count - step + 1) / step))]) - count * np.log(2.0)
    chances = np.zeros(size * count + 1)
    chances[::size] = np.exp(logs)
    return chances
