"""Near duplicates: pairs of 64-bit hashes that differ in few bits, joined without chaining.

Hashes that differ in at most d bits agree in at least two of d + 2 bands of bits. So only hashes that share
two bands are compared, which finds the same pairs as comparing all with all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

BLOCK = 1024
# Below this, comparing all with all takes less time than sorting by bands.
FEW_HASHES = 2048
# With wider distances the bands get so narrow that most hashes share two of them.
MAX_BANDED_DISTANCE = 8
# More pairs than this are not kept at once: looked up again for every distance, a block at a time.
MOST_PAIRS = 8_000_000
# Distances that are worked out at once.
MOST_AT_ONCE = 4_000_000
PAIRS_A_TURN = 65536

Positions = Int64[np.ndarray, " _"]
Pairs = tuple[Positions, Positions, Positions]


def sorted_pairs(hashes: UInt64[np.ndarray, " n"], max_distance: int) -> Iterator[Pairs]:
    """The close pairs in blocks: the closest first, then by position, the order of joining."""
    pairs: Pairs | None = None
    if len(hashes) > FEW_HASHES and max_distance <= MAX_BANDED_DISTANCE:
        pairs = _by_bands(hashes, max_distance)
    elif len(hashes) <= FEW_HASHES:
        pairs = _stacked(list(_by_blocks(hashes, range(max_distance + 1))))
    if pairs is None:
        for distance in range(max_distance + 1):
            yield from _by_blocks(hashes, (distance,))
        return
    order = np.lexsort((pairs[2], pairs[1], pairs[0]))
    for first in range(0, len(order), PAIRS_A_TURN):
        turn = order[first : first + PAIRS_A_TURN]
        yield pairs[0][turn], pairs[1][turn], pairs[2][turn]


def _by_blocks(hashes: UInt64[np.ndarray, " n"], wanted: range | tuple[int, ...]) -> Iterator[Pairs]:
    """All against all, about a second for 20,000 hashes and one distance."""
    rows = max(1, min(BLOCK, MOST_AT_ONCE // max(1, len(hashes))))
    for first in range(0, len(hashes), rows):
        block = hashes[first : first + rows, None]
        far: UInt8[np.ndarray, "block rest"] = np.bitwise_count(block ^ hashes[None, first:])
        one, other = np.nonzero((far >= wanted[0]) & (far <= wanted[-1]))
        later = one < other
        one, other = one[later], other[later]
        yield far[one, other].astype(np.int64), first + one, first + other


def _by_bands(hashes: UInt64[np.ndarray, " n"], max_distance: int) -> Pairs | None:
    """Pairs that share two bands and are close; ``None`` when there are too many to keep."""
    edges = np.linspace(0, 64, max_distance + 3).astype(int).tolist()
    masks = [((1 << (high - low)) - 1) << low for low, high in pairwise(edges)]
    parts: list[Pairs] = []
    kept = 0
    for one_band, other_band in combinations(masks, 2):
        for part in _in_buckets(hashes, np.uint64(one_band | other_band), max_distance):
            parts.append(part)
            kept += len(part[0])
            if kept > MOST_PAIRS:
                return None
    far, one, other = _stacked(parts)
    # A pair that shares three bands was found three times.
    _, first = np.unique(one * len(hashes) + other, return_index=True)
    return far[first], one[first], other[first]


def _in_buckets(hashes: UInt64[np.ndarray, " n"], mask: np.uint64, max_distance: int) -> Iterator[Pairs]:
    """Close pairs among hashes that are equal under ``mask``.

    Each is compared with the next in its bucket, then with the next but one, until no bucket is that long.
    """
    keys = hashes & mask
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    ends = np.append(np.flatnonzero(keys[1:] != keys[:-1]) + 1, len(keys))
    end_of = np.repeat(ends, np.diff(ends, prepend=0))
    alive = np.arange(len(keys))
    step = 1
    while len(alive := alive[alive + step < end_of[alive]]):
        one, other = order[alive], order[alive + step]
        far = np.bitwise_count(hashes[one] ^ hashes[other])
        close = far <= max_distance
        low, high = np.minimum(one, other)[close], np.maximum(one, other)[close]
        yield far[close].astype(np.int64), low, high
        step += 1


def _stacked(parts: list[Pairs]) -> Pairs:
    empty = np.empty(0, np.int64)
    far, one, other = (np.concatenate([empty, *(part[n] for part in parts)]) for n in range(3))
    return far, one, other


def near_sets(
    hashes: UInt64[np.ndarray, " n"], *, max_distance: int, max_members: int
) -> list[Int64[np.ndarray, " members"]]:
    """Sets of at least two positions whose hashes are alike.

    A chain (a like b, b like c, a unlike z) must not swallow a class of similar leaves. So the closest
    pairs are joined first, and two sets only when no two members are further apart than twice
    ``max_distance`` and both together have at most ``max_members`` different hashes. Equal hashes are one
    member.

    Args:
        hashes: one a photograph.
        max_distance: bits, 0 to 64.
        max_members: at least 2.
    """
    different, back = np.unique(hashes, return_inverse=True)
    owner = np.arange(len(different))
    size = np.ones(len(different), np.int64)
    members: dict[int, list[int]] = {}
    for _, ones, others in sorted_pairs(different, max_distance):
        left, right = owner[ones], owner[others]
        # Sets only grow: a pair that is one set or too large now stays so, and costs no turn of the loop.
        open_ = (left != right) & (size[left] + size[right] <= max_members)
        for one, other in zip(ones[open_].tolist(), others[open_].tolist(), strict=True):
            _join(different, owner, size, members, one, other, 2 * max_distance, max_members)
    return _shared(owner[back])


def _join(
    hashes: UInt64[np.ndarray, " different"],
    owner: Int64[np.ndarray, " different"],
    size: Int64[np.ndarray, " different"],
    members: dict[int, list[int]],
    one: int,
    other: int,
    max_spread: int,
    max_members: int,
) -> None:
    left, right = int(owner[one]), int(owner[other])
    if left == right or size[left] + size[right] > max_members:
        return
    mine, theirs = members.get(left, [left]), members.get(right, [right])
    spread = np.bitwise_count(hashes[mine, None] ^ hashes[None, theirs])
    if int(spread.max()) > max_spread:
        return
    members[left] = mine + theirs
    members.pop(right, None)
    owner[members[left]] = left
    size[members[left]] = len(members[left])


def _shared(owners: Int64[np.ndarray, " n"]) -> list[Int64[np.ndarray, " members"]]:
    """Positions of every owner that has at least two, ascending."""
    order = np.argsort(owners, kind="stable")
    ends = np.flatnonzero(np.diff(owners[order])) + 1
    return [part.astype(np.int64) for part in np.split(order, ends) if len(part) > 1]
