"""Counts of classes, and which of them are too small for a test.

Enters: labels, names and what belongs together. Leaves: a ``BalanceReport``. It does not split anything: it
says what a split of the asked share could show.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from leafsight.errors import DatasetError
from leafsight.evaluation import Interval, group_codes, wilson
from leafsight.inspection.balance_records import BalanceReport, ClassBalance

BETA = 0.999
"""Of the effective number: a class is thought to hold 1 / (1 - 0.999) = 1000 really different photographs.
Cui et al. 2019 tried 0.9 to 0.9999; this is also the default of the training's class weights."""
MOST_TEST_GROUPS = 100_000


def measure_balance(
    labels: Int[np.ndarray, " n"],
    classes: Sequence[str],
    *,
    groups: Sequence[object] | np.ndarray | None = None,
    test_share: float = 0.15,
    assumed_right: float = 0.9,
    widest: float = 0.2,
) -> BalanceReport:
    """Count, and say for each class what a test could show.

    Args:
        labels: int[n], 0..len(classes)-1.
        classes: names; a class without photographs is reported as such.
        groups: n names of what belongs together; ``None`` entries stand alone. A test holds whole groups, and
            a leaf photographed ten times is one piece of evidence.
        test_share: share of the groups that goes into the test, above 0 and below 1.
        assumed_right: share of them that the model gets right, for the sake of the interval.
        widest: width of a 95 % interval above which the class counts as too small to test.

    Raises:
        DatasetError: no class, labels out of range, or a share outside of its limits.
        EvaluationError: not one group entry a photograph.
    """
    names = tuple(classes)
    _require_fitting(labels, names, test_share, assumed_right, widest)
    codes = group_codes(groups, len(labels))
    n_groups = int(codes.max()) + 1 if len(codes) else 0
    photos = np.bincount(labels, minlength=len(names))
    pairs = np.unique(labels.astype(np.int64) * max(n_groups, 1) + codes)
    counts = np.bincount(pairs // max(n_groups, 1), minlength=len(names))
    tests = _test_groups(counts, test_share)
    low, high = wilson(assumed_right * tests, tests)
    present = photos[photos > 0]
    return BalanceReport(
        classes=tuple(
            ClassBalance(
                name=name,
                photos=int(photos[k]),
                groups=int(counts[k]),
                effective=effective_number(int(counts[k])),
                test_groups=int(tests[k]),
                interval=Interval(assumed_right, float(low[k]), float(high[k])),
                too_small=bool(high[k] - low[k] > widest),
            )
            for k, name in enumerate(names)
        ),
        photos=len(labels),
        groups=n_groups,
        imbalance=float(present.max() / present.min()) if len(present) else 1.0,
        test_share=test_share,
        assumed_right=assumed_right,
        widest=widest,
        groups_needed=groups_needed(assumed_right, widest),
    )


def effective_number(count: int, beta: float = BETA) -> float:
    """(1 - beta^n) / (1 - beta), the effective number of samples of Cui et al. 2019, arXiv 1901.05555."""
    return float((1.0 - beta**count) / (1.0 - beta))


def groups_needed(assumed_right: float, widest: float) -> int:
    """The least number of test groups whose 95 % Wilson interval is no wider than ``widest``."""
    counts = np.arange(1, MOST_TEST_GROUPS)
    low, high = wilson(assumed_right * counts, counts)
    fits = np.flatnonzero(high - low <= widest)
    return int(counts[fits[0]]) if len(fits) else MOST_TEST_GROUPS


def _test_groups(counts: np.ndarray, share: float) -> np.ndarray:
    """Groups in the test: the share to the nearest, at least one where another one is left to learn from."""
    rounded = np.rint(counts * share).astype(np.int64)
    return np.where(counts >= 2, np.clip(rounded, 1, counts - 1), 0)


def _require_fitting(
    labels: np.ndarray, names: tuple[str, ...], test_share: float, assumed_right: float, widest: float
) -> None:
    if not names:
        raise DatasetError("there is no class whose balance could be measured")
    if len(labels) and (labels.min() < 0 or labels.max() >= len(names)):
        raise DatasetError(f"labels go from {labels.min()} to {labels.max()}, there are {len(names)} classes")
    if not (0.0 < test_share < 1.0 and 0.0 <= assumed_right <= 1.0 and 0.0 < widest < 1.0):
        raise DatasetError(
            f"test share {test_share}, assumed share right {assumed_right}, widest interval {widest}",
            hint="all three lie between 0 and 1",
        )
