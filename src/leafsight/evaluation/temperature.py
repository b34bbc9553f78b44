"""One number that makes a network's confidence mean what it says."""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.probability import softmax
from leafsight.evaluation.shapes import Labels, Logits

LOWEST, HIGHEST = 0.05, 20.0  # a temperature outside means too few mistakes to learn it from; it is cut here
MAX_STEPS = 100


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017, section 4.2).

    With b = 1/T the loss ``mean(logsumexp(b z) - b z_y)`` is convex in b: its slope is
    ``mean(E_p[z] - z_y)`` and its curvature ``mean(Var_p[z])``. The zero of the slope is found by Newton
    steps kept inside a shrinking bracket, halved where Newton would leave it.

    Args:
        logits: float[n, c], n >= 1, of photographs that were neither trained nor tested on.
        labels: int[n], 0..c-1.

    Returns:
        T in ``[LOWEST, HIGHEST]``. All photographs right (or one class only) gives ``LOWEST``: the data ask
        for endless confidence, and do not say how much is earned.
    """
    # Shifting a row changes neither slope nor curvature, and keeps the squares below small.
    z = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    true = z[np.arange(len(z)), labels]
    low, high = 1.0 / HIGHEST, 1.0 / LOWEST
    if _slope(z, true, high)[0] <= 0:
        return LOWEST
    if _slope(z, true, low)[0] >= 0:
        return HIGHEST
    b = 1.0
    for _ in range(MAX_STEPS):
        slope, curvature = _slope(z, true, b)
        low, high = (b, high) if slope < 0 else (low, b)
        newton = b - slope / curvature if curvature > 0 else low
        following = newton if low < newton < high else 0.5 * (low + high)
        if abs(following - b) < 1e-10:
            break
        b = following
    return float(1.0 / b)


def _slope(z: Logits, true: np.ndarray, b: float) -> tuple[float, float]:
    p = softmax(z, 1.0 / b)
    mean = (p * z).sum(axis=1)
    return float((mean - true).mean()), float(((p * z * z).sum(axis=1) - mean**2).mean())
