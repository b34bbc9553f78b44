"""A model of whom everything is known: logits with a set strength, embeddings with a set place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from leafsight.evaluation import Scores

Simulate = Callable[..., tuple[Scores, np.ndarray]]


@pytest.fixture
def simulate() -> Simulate:
    """``simulate(n, c, strength=, seed=, shift=)`` -> scores with embedding [n, 24], labels."""

    def draw(
        n: int, c: int = 6, *, strength: float = 3.0, seed: int = 0, shift: float = 0.0
    ) -> tuple[Scores, np.ndarray]:
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, c, n)
        logits = generator.normal(size=(n, c))
        logits[np.arange(n), labels] += strength
        centres = np.random.default_rng(99).normal(size=(c, 24)) * 3
        embedding = centres[labels] + generator.normal(size=(n, 24)) + shift
        return Scores(logits.astype(np.float32), embedding.astype(np.float32)), labels

    return draw


def calibrated(n: int, c: int, seed: int, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits float64[n, c] that are exactly calibrated: each label is drawn from the row's own softmax."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(n, c)) * spread
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    labels = (generator.random(n)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    return logits, np.minimum(labels, c - 1)
