from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.dataset import near
from leafsight.dataset.near import BLOCK, near_sets, sorted_pairs


def sets(hashes: list[int], max_distance: int = 4, max_members: int = 32) -> list[list[int]]:
    found = near_sets(np.array(hashes, dtype=np.uint64), max_distance=max_distance, max_members=max_members)
    return [members.tolist() for members in found]


def close_pairs(hashes: np.ndarray, max_distance: int) -> list[tuple[int, int, int]]:
    """All blocks as one list of (distance, one, other)."""
    return [
        pair
        for turn in sorted_pairs(hashes, max_distance)
        for pair in zip(*(column.tolist() for column in turn), strict=True)
    ]


def test_close_pairs_across_blocks() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, BLOCK + 50, dtype=np.uint64)
    hashes[BLOCK + 7] = hashes[3] ^ np.uint64(0b101)
    assert (2, 3, BLOCK + 7) in close_pairs(hashes, 4)


def test_equal_and_close_hashes_are_joined() -> None:
    assert sets([0, 0xFFFF_0000, 0b11, 0, 2**63]) == [[0, 2, 3, 4]]
    assert sets([0, 0b1_1111]) == []
    assert sets([]) == []


def test_a_chain_does_not_swallow_all() -> None:
    # Each differs from the next in 4 bits, the first from the last in 48.
    chain = [(1 << 4 * n) - 1 for n in range(13)]
    found = sets(chain)
    assert max(map(len, found)) <= 3
    assert {member for members in found for member in members} >= set(range(12))


def test_sets_stay_below_the_limit_except_for_equal_hashes() -> None:
    single_bits = [1 << n for n in range(20)]
    assert max(map(len, sets(single_bits, max_members=5))) == 5
    assert sets([7] * 50, max_members=2) == [list(range(50))]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30), st.integers(0, 8), st.integers(2, 6))
def test_no_two_members_are_further_apart_than_twice_the_distance(
    hashes: list[int], max_distance: int, max_members: int
) -> None:
    seen: list[int] = []
    for members in sets(hashes, max_distance, max_members):
        values = {hashes[member] for member in members}
        assert len(members) > 1
        assert len(values) <= max_members
        assert max((a ^ b).bit_count() for a in values for b in values) <= 2 * max_distance
        seen += members
    assert len(seen) == len(set(seen))


def brute(hashes: np.ndarray, max_distance: int) -> list[tuple[int, int, int]]:
    values = hashes.tolist()
    pairs = [
        ((values[one] ^ values[other]).bit_count(), one, other)
        for one in range(len(values))
        for other in range(one + 1, len(values))
    ]
    return sorted(pair for pair in pairs if pair[0] <= max_distance)


def crowded(count: int, seed: int) -> np.ndarray:
    """Hashes of which many are close: a few centres with up to seven bits turned."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**63, 12, dtype=np.uint64)[rng.integers(0, 12, count)]
    for _ in range(7):
        hashes = hashes ^ (np.uint64(1) << rng.integers(0, 64, count, dtype=np.uint64))
    return hashes


@pytest.mark.parametrize("max_distance", [0, 1, 4, 8, 10])
@pytest.mark.parametrize("most_pairs", [10, 10**6])
def test_bands_find_what_comparing_all_with_all_finds(
    monkeypatch: pytest.MonkeyPatch, max_distance: int, most_pairs: int
) -> None:
    monkeypatch.setattr(near, "FEW_HASHES", 50)
    monkeypatch.setattr(near, "MOST_PAIRS", most_pairs)
    monkeypatch.setattr(near, "MOST_AT_ONCE", 10_000)
    monkeypatch.setattr(near, "PAIRS_A_TURN", 17)
    hashes = crowded(400, max_distance)
    assert close_pairs(hashes, max_distance) == brute(hashes, max_distance)


def test_sets_do_not_depend_on_how_pairs_were_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = crowded(500, 1).tolist()
    expected = sets(hashes, 6, 8)
    assert len(expected) > 5
    monkeypatch.setattr(near, "FEW_HASHES", 50)
    assert sets(hashes, 6, 8) == expected
    monkeypatch.setattr(near, "MOST_PAIRS", 10)
    assert sets(hashes, 6, 8) == expected
