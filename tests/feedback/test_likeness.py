"""Copies stand apart from photographs that are merely alike."""

from __future__ import annotations

import numpy as np

from leafsight.feedback.likeness import ALIKE, EQUAL, NONE, Marks, fit_whitening, match, match_earlier

D, ENOUGH = 96, 0.65


def world(n: int, seed: int = 0) -> np.ndarray:
    """Embeddings that have nearly everything in common, as those of leaves on paper."""
    generator = np.random.default_rng(seed)
    spread = np.geomspace(3, 0.05, D)
    return (20 + generator.normal(size=(n, D)) * spread).astype(np.float32)


def marks(embedding: np.ndarray, white: object, look: int = 0, pixel: int = 0) -> Marks:
    n = len(embedding)
    looks = (np.arange(n) + look).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    pixels = (np.arange(n) + pixel).astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
    return Marks(pixels, looks[:, None], white(embedding))  # type: ignore[operator]


def test_a_copy_is_found_among_photographs_that_are_all_alike() -> None:
    known, others = world(400), world(200, seed=1)
    white = fit_whitening(known)
    assert white is not None
    plain = known / np.linalg.norm(known, axis=1, keepdims=True)
    assert (plain[:50] @ plain.T)[np.triu_indices(50, 1)].min() > 0.9, "the cosine says nothing here"
    generator = np.random.default_rng(2)
    copies = known[:50] + generator.normal(size=(50, D)).astype(np.float32) * 0.02
    held = marks(known, white, look=1, pixel=1)
    found = match(marks(copies, white, look=1000, pixel=1000), held, ENOUGH)
    assert (found.row == np.arange(50)).mean() > 0.95
    assert set(found.kind.tolist()) <= {ALIKE, NONE}
    assert (match(marks(others, white, look=2000, pixel=2000), held, ENOUGH).kind == NONE).mean() > 0.95


def test_equal_pixels_win_and_what_is_unknown_is_like_nothing() -> None:
    known = world(20)
    white = fit_whitening(known)
    assert white is not None
    held = marks(known, white, pixel=1, look=1)
    same = Marks(held.pixel[3:4], np.zeros((1, 8), np.uint64), np.zeros((1, D), np.float32))
    found = match(same, held, ENOUGH)
    assert (found.row.tolist(), found.kind.tolist()) == ([3], [EQUAL])
    blank = Marks(np.zeros(1, np.uint64), np.zeros((1, 8), np.uint64), np.zeros((1, D), np.float32))
    empty = Marks(np.zeros(1, np.uint64), np.zeros((1, 1), np.uint64), np.zeros((1, D), np.float32))
    assert match(blank, empty, ENOUGH).row.tolist() == [-1]


def test_a_turned_view_counts_and_only_with_some_likeness() -> None:
    known = world(60)
    white = fit_whitening(known)
    assert white is not None
    held = marks(known, white, pixel=1, look=1)
    views = np.full((1, 8), 0x5555555555555555, np.uint64)
    views[0, 5] = held.look[7, 0] ^ np.uint64(0b11)
    like, unlike = held.white[7:8], -held.white[7:8]
    pixel = np.array([99], np.uint64)
    assert match(Marks(pixel, views, like), held, ENOUGH).row.tolist() == [7]
    assert match(Marks(pixel, views, unlike), held, ENOUGH).kind.tolist() == [NONE]


def test_nobody_is_like_one_that_comes_later() -> None:
    known = world(30)
    both = np.concatenate([known, known])
    white = fit_whitening(known, both)
    assert white is not None
    found = match_earlier(marks(both, white, look=1, pixel=1), ENOUGH)
    assert found.row[:30].tolist() == [-1] * 30
    assert found.row[30:].tolist() == list(range(30))
