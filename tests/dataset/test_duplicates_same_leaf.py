"""Photographs of one leaf, from made-up embeddings and counters."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.dataset.duplicates import FoundDuplicates, SameLeafOptions, find_same_leaf
from leafsight.dataset.duplicates.same_leaf import (
    counter_score,
    looks_score,
    neighbouring_shots,
    whitened,
)

LEAVES, SHOTS = 60, 4
TRUE = {tuple(range(leaf * SHOTS, leaf * SHOTS + SHOTS)) for leaf in range(LEAVES)}


def embeddings(noise: float, seed: int = 0) -> np.ndarray:
    """``SHOTS`` photographs of each leaf, in order, around one point a leaf."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(LEAVES, 64)).repeat(SHOTS, 0)
    return (centres + noise * rng.normal(size=centres.shape) + 5).astype(np.float32)


def counters(start: int = 3000, pause: int = 12) -> list[tuple[str, int] | None]:
    """The camera's counter, which runs on for ``pause`` shots between two leaves."""
    return [("IMG_", start + number + number // SHOTS * pause) for number in range(LEAVES * SHOTS)]


def test_leaves_are_found_with_counters() -> None:
    found = find_same_leaf(embeddings(0.4), counters())
    assert set(found.groups) == TRUE
    assert {pair.kind for pair in found.pairs} == {"same_leaf"}
    assert all(pair.one < pair.other and 0.5 <= pair.score <= 1 for pair in found.pairs)


def test_without_counters_only_what_looks_very_alike() -> None:
    nothing = [None] * (LEAVES * SHOTS)
    assert set(find_same_leaf(embeddings(0.05), nothing).groups) == TRUE
    assert find_same_leaf(embeddings(3.0), nothing) == FoundDuplicates((), ())


def test_counters_of_an_enumeration_are_left_out() -> None:
    assert neighbouring_shots(counters(start=1, pause=0), 24)[0].shape == (2, 0)


def test_pairs_of_shots_within_the_step() -> None:
    captures = [("a", 105), ("a", 100), None, ("b", 101), ("a", 131)]
    (one, other), step = neighbouring_shots(captures, 24)
    assert (one.tolist(), other.tolist(), step.tolist()) == ([0], [1], [5])


def test_too_few_photographs_give_no_pairs() -> None:
    assert find_same_leaf(embeddings(0.1)[:40], counters()[:40]) == FoundDuplicates((), ())


def test_nearer_shots_and_looks_score_higher() -> None:
    cosine = np.array([0.1, 0.1, 0.6], np.float32)
    scores = counter_score(cosine, np.array([1, 10, 10]))
    assert scores[0] > scores[1]
    assert scores[2] > scores[1]
    assert (np.diff(looks_score(cosine)) >= 0).all()


def test_one_doubtful_pair_does_not_chain_two_leaves() -> None:
    given = embeddings(0.05)
    given[SHOTS - 1] = (given[0] + given[SHOTS]) / 2
    together = [group for group in find_same_leaf(given, counters()).groups if {0, SHOTS} <= set(group)]
    assert together == []


def test_whitening_gives_unit_vectors_even_for_equal_embeddings() -> None:
    white = whitened(embeddings(0.3))
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), 1, atol=1e-4)
    assert np.isfinite(whitened(np.ones((80, 16), np.float32))).all()


def test_the_threshold_is_kept() -> None:
    options = SameLeafOptions(least_score=0.95, least_by_looks=0.99)
    scores = [pair.score for pair in find_same_leaf(embeddings(0.8), counters(), options).pairs]
    assert min(scores, default=1) >= 0.95


def test_a_threshold_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="least_score"):
        SameLeafOptions(least_score=0)
