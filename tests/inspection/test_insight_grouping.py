from __future__ import annotations

import numpy as np
import pytest

from leafsight.inspection.insight.grouping import by_chance, explained, folds_of, guess_share, strength


def test_explained_variance_is_one_when_the_class_is_everything() -> None:
    labels = np.repeat(np.arange(4), 10)
    assert explained(labels[:, None].astype(float), labels) == 1.0


def test_explained_variance_is_corrected_for_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(100), 3)  # plain eta squared would be about a third here
    shares = [explained(rng.normal(size=(300, 1)), labels) for _ in range(40)]
    assert np.mean(shares) < 0.06


def test_explained_variance_by_hand() -> None:
    # Total sum of squares 10 on 3 degrees, within 1 + 1 = 2 on 2: 1 - (2/2) / (10/3) = 0.7.
    values = np.array([[0.0], [np.sqrt(2)], [2 * np.sqrt(2)], [3 * np.sqrt(2)]])
    assert explained(values, np.array([0, 0, 1, 1])) == pytest.approx(0.7)


def test_nothing_is_explained_without_variance_or_classes() -> None:
    assert explained(np.ones((6, 2)), np.array([0, 0, 0, 1, 1, 1])) == 0.0
    assert explained(np.random.default_rng(0).random((6, 1)), np.zeros(6, np.int64)) == 0.0
    assert explained(np.random.default_rng(0).random((3, 1)), np.arange(3)) == 0.0


def test_strength_follows_cohen() -> None:
    assert [strength(share) for share in (0.0, 0.02, 0.1, 0.3)] == [
        "hardly at all", "a little", "clearly", "strongly",
    ]  # fmt: skip


def test_every_fold_holds_every_class() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3), 10))
    folds = folds_of(labels)
    for fold in range(5):
        assert np.bincount(labels[folds == fold]).tolist() == [2, 2, 2]


def test_a_fact_that_is_the_class_is_always_guessed_and_noise_is_not() -> None:
    labels = np.repeat(np.arange(4), 25)
    assert guess_share([f"camera {label}" for label in labels], labels) == 1.0
    noise = np.random.default_rng(0).integers(0, 3, 100).tolist()
    assert guess_share(noise, labels) < 0.4
    assert guess_share(list(range(100)), labels) == pytest.approx(0.25)  # nobody else has the same fact


def test_chance_seldom_explains_more_than_by_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 8)
    limit = by_chance(labels)
    shares = [explained(rng.normal(size=(24, 1)), labels) for _ in range(200)]
    assert 0.02 < np.mean(np.array(shares) > limit) < 0.10
    assert by_chance(np.repeat(np.arange(3), 8000)) < 0.001
    assert by_chance(np.zeros(5, np.int64)) == 1.0
