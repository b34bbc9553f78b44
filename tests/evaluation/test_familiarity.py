from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation.familiarity import fit_familiarity
from leafsight.evaluation.strangers import auroc

CENTRES = np.random.default_rng(1).normal(size=(5, 40)) * 2


def leaves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings that vary in 20 of 40 directions only, as a real one does."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 5, n)
    x = CENTRES[labels] + generator.normal(size=(n, 40)) * np.r_[np.full(20, 1.0), np.full(20, 0.05)]
    return x.astype(np.float32), labels


def fitted(**options):
    x, y = leaves(2000, 0)
    return fit_familiarity(x, y, leaves(1000, 1)[0], **options)


def test_the_stated_share_of_leaves_is_familiar() -> None:
    for keep in (0.9, 0.99):
        score = fitted(keep=keep)
        assert (score(leaves(1000, 1)[0]) <= 1 + 1e-9).mean() >= keep
        assert (score(leaves(4000, 2)[0]) <= 1).mean() == pytest.approx(keep, abs=0.03)


def test_the_middle_of_a_class_is_familiar() -> None:
    x, y = leaves(2000, 0)
    directions = x / np.linalg.norm(x, axis=1, keepdims=True)
    score, middle = fitted(dims=40), directions[y == 2].mean(axis=0)
    assert score((middle / np.linalg.norm(middle))[None])[0] < np.quantile(score(x), 0.01)


def test_the_length_of_an_embedding_says_nothing() -> None:
    x, _ = leaves(50, 2)
    assert fitted()(x * 3) == pytest.approx(fitted()(x), rel=1e-4)


def test_strangers_inside_the_directions_are_seen() -> None:
    x, _ = leaves(500, 3)
    assert auroc(fitted()(x), fitted()(-x)) > 0.99


def test_strangers_outside_the_directions_are_seen() -> None:
    # They differ only where leaves never vary and where the projection looks away.
    x, _ = leaves(500, 3)
    odd = x.copy()
    odd[:, 30] += 3.0
    score = fitted(dims=24)
    assert auroc(score(x), score(odd)) > 0.9


def test_more_directions_than_dimensions_or_photographs() -> None:
    x, y = leaves(10, 0)
    for dims in (64, 9, 1):
        values = fit_familiarity(x, y, x, dims=dims)(x)
        assert np.isfinite(values).all()
    square = fit_familiarity(*leaves(500, 0), leaves(500, 1)[0], dims=64)
    assert square.directions.shape == (40, 40)
    assert (square(leaves(500, 2)[0]) <= 1.3).mean() > 0.9


def test_a_constant_embedding_gives_no_division_by_zero() -> None:
    x = np.ones((20, 4), dtype=np.float32)
    assert np.isfinite(fit_familiarity(x, np.zeros(20, dtype=np.int64), x)(x)).all()


def test_wrong_width_is_refused() -> None:
    with pytest.raises(EvaluationError, match="39 dimensions, the calibration 40"):
        fitted()(np.zeros((1, 39), dtype=np.float32))


def test_too_few_photographs_are_refused() -> None:
    x, y = leaves(5, 0)
    with pytest.raises(EvaluationError, match="two training photographs"):
        fit_familiarity(x[:1], y[:1], x)
