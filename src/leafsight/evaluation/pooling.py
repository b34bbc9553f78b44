"""Several photographs of one plant -> one probability that means what it says.

Enters: the calibrated log-probabilities of each photograph, and how unfamiliar each is. Leaves: the decision
about the plant, by the thresholds and sets that were fitted for single photographs. It does not know which
photographs belong together, nor which were left out.

The rule is the logarithmic opinion pool (Genest and Zidek 1986, "Combining Probability Distributions",
section 3.3): the mean of the log-probabilities, which is the geometric mean of the probabilities, sharpened
by ``k ** GROWTH`` for k photographs. A growth of 1 is Bayes' rule for photographs that are independent given
the condition; photographs of one plant share light, camera, background and the look of its leaves, so that
would be far too sure. A growth of 0 says that more photographs tell no more than one.
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.probability import log_softmax
from leafsight.evaluation.shapes import Allowed, Logits, RowFloats
from leafsight.evaluation.verdict import Decisions, decide_known

GROWTH = 0.25
"""Set by measurement, see ``docs/inference.md``, "Several photographs of one plant"."""

MOST_MEASURED = 6
"""Photographs beyond so many still count in the mean, but sharpen no further: more were not measured."""


def pool_log_probabilities(log_probabilities: Logits, growth: float = GROWTH) -> np.ndarray:
    """Log-probabilities of the plant, float64[1, c]; for one photograph they are its own.

    A restriction to the classes of a crop may come before or after: what it adds to each row cancels.

    Args:
        log_probabilities: float[k, c], calibrated, of k >= 1 photographs.
        growth: the exponent; only a benchmark gives another one.
    """
    sharpening = min(len(log_probabilities), MOST_MEASURED) ** growth
    return log_softmax(log_probabilities.mean(axis=0, keepdims=True), 1.0 / sharpening)


def middle_unfamiliarity(unfamiliarity: RowFloats) -> float:
    """The lower median: at most 1 when at least half of the photographs are like the training photographs.

    The most familiar one alone would let in strange plants the more often the more photographs there are.
    """
    return float(np.sort(unfamiliarity)[(len(unfamiliarity) - 1) // 2])


def decide_plant(
    calibration: Calibration,
    log_probabilities: Logits,
    unfamiliarity: RowFloats | None = None,
    allowed: Allowed | None = None,
) -> Decisions:
    """Decide about one plant, as ``decide_all`` does about one photograph.

    Args:
        calibration: of the model that judged the photographs.
        log_probabilities: float[k, c], calibrated, over all classes whatever crop is given.
        unfamiliarity: float[k], or ``None`` where the model cannot say.
        allowed: bool[c], the classes of the crop that the person named.

    Returns:
        decisions with a single row.

    Raises:
        EvaluationError: another number of classes than the calibration has, or a crop without classes.
    """
    middle = None if unfamiliarity is None else np.array([middle_unfamiliarity(unfamiliarity)])
    # Calibrated already: the temperature that will be divided by is multiplied in.
    logits = pool_log_probabilities(log_probabilities) * calibration.temperature
    return decide_known(calibration, logits, middle, allowed)
