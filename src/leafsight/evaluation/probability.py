"""Logits to probabilities, over all classes or over those of one crop."""

from __future__ import annotations

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.shapes import Allowed, Logits, Probabilities


def log_softmax(logits: Logits, temperature: float = 1.0) -> Logits:
    """Natural log-probabilities, float64[n, c]; ``-inf`` stays ``-inf``.

    Args:
        logits: float[n, c]; ``-inf`` marks a class that is excluded (see ``restrict``).
        temperature: the divisor of Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
    """
    scaled = logits.astype(np.float64) / temperature
    # The largest logit is taken away first: exp() of a large number overflows; softmax does not change.
    shifted: np.ndarray = scaled - scaled.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(logits: Logits, temperature: float = 1.0) -> Probabilities:
    """Probabilities, float64[n, c], every row sums to one; arguments as ``log_softmax``."""
    return np.asarray(np.exp(log_softmax(logits, temperature)))


def restrict(logits: Logits, allowed: Allowed) -> Logits:
    """Logits with every class outside ``allowed`` at ``-inf``: softmax then renormalises over the rest.

    That is Bayes' rule for a certain fact: p(class | it is allowed) = p(class) / sum of p over the allowed.

    Args:
        logits: float[n, c].
        allowed: bool[c] for all rows (a person said "tomato"), or bool[n, c] for each row.

    Raises:
        EvaluationError: a row is left without any class.
    """
    if allowed.shape[-1] != logits.shape[1]:
        raise EvaluationError(
            f"{logits.shape[1]} classes in the logits, {allowed.shape[-1]} in the restriction"
        )
    if not allowed.any(axis=-1).all():
        raise EvaluationError("a restriction leaves no class", hint="does the model know this crop at all?")
    return np.where(allowed, logits, -np.inf)
