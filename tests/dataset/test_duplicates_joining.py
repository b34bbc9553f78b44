"""Groups follow sure pairs and refuse chains of unlike pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from leafsight.dataset.duplicates.joining import join_pairs
from leafsight.dataset.duplicates.verifying import Verified


def pairs(*rows: tuple[int, int, float], shift: float = 0.0) -> Verified:
    maps = np.eye(2, 3, dtype=np.float32)[None].repeat(len(rows), 0)
    maps[:, 0, 2] = shift
    one, other, score = zip(*rows, strict=True)
    return Verified(np.array(one, np.int32), np.array(other, np.int32), maps, np.array(score, np.float32))


def join(found: Verified, score_of_anchors: float) -> list[list[int]]:
    return join_pairs(found, lambda one, other, guess: score_of_anchors, sure_score=0.95, guard_score=0.6)


CHAIN: Sequence[tuple[int, int, float]] = ((0, 1, 0.9), (1, 2, 0.89), (2, 3, 0.88))


def test_one_pair_is_a_group() -> None:
    assert join(pairs((4, 2, 0.87)), 0.0) == [[2, 4]]


def test_a_chain_breaks_where_the_anchors_disagree() -> None:
    assert join(pairs(*CHAIN), 0.2) == [[0, 1], [2, 3]]


def test_a_chain_holds_while_the_anchors_agree() -> None:
    assert join(pairs(*CHAIN), 0.8) == [[0, 1, 2, 3]]


def test_sure_pairs_join_without_being_asked() -> None:
    assert join(pairs((0, 1, 0.99), (1, 2, 0.98), (2, 3, 0.97)), 0.0) == [[0, 1, 2, 3]]


def test_a_photograph_left_out_may_start_its_own_group() -> None:
    assert join(pairs((0, 1, 0.9), (1, 2, 0.89), (2, 3, 0.96)), 0.0) == [[0, 1], [2, 3]]


def test_the_guess_between_anchors_goes_by_way_of_the_pair() -> None:
    guesses: list[float] = []

    def agree(one: int, other: int, guess: np.ndarray) -> float:
        guesses.append(float(guess[0, 2]))
        return 1.0

    join_pairs(pairs(*CHAIN, shift=0.1), agree, sure_score=0.95, guard_score=0.6)
    assert guesses == pytest.approx([0.2, 0.3], abs=1e-6)
