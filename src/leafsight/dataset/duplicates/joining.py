"""Groups of photographs from pairs, without chaining unlike pictures.

Enters: pairs with maps and scores. Leaves: sets of positions. It does not know how two pictures are compared.

The guard: the best pairs are joined first. A pair of a ``sure`` score always joins. Any other pair joins two
sets only when the anchors of both sets (the photograph each set began with) still agree somewhat when they
are laid over each other by way of the pair. So a burst in which a leaf turns on and on ends where nothing is
left in common with its first photograph.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from leafsight.dataset.duplicates.kinds import composed_map, inverse_map
from leafsight.dataset.duplicates.verifying import Verified

Map = Float32[np.ndarray, "2 3"]
# one, other, first guess of the map from the other into the one -> the better map and the score
Agree = Callable[[int, int, Map], float]


def join_pairs(pairs: Verified, agree: Agree, *, sure_score: float, guard_score: float) -> list[list[int]]:
    """Sets of at least two positions, ascending, by their first member.

    Args:
        pairs: with maps from the other picture into the one.
        agree: the score of two photographs under a guessed map.
        sure_score: from which a pair joins whatever else is in the sets.
        guard_score: that two anchors must reach for other pairs.
    """
    order = np.lexsort((pairs.other, pairs.one, -pairs.score))
    anchors: dict[int, int] = {}
    # into the anchor of a photograph's set, from the photograph
    to_anchor: dict[int, Map] = {}
    members: dict[int, list[int]] = {}
    for number in order.tolist():
        one, other = int(pairs.one[number]), int(pairs.other[number])
        for photo in (one, other):
            if photo not in anchors:
                anchors[photo], members[photo] = photo, [photo]
                to_anchor[photo] = np.eye(2, 3, dtype=np.float32)
        kept, moved = anchors[one], anchors[other]
        if kept == moved:
            continue
        back = inverse_map(to_anchor[other])
        bridge = composed_map(to_anchor[one], composed_map(pairs.maps[number], back))
        direct = kept == one and moved == other
        if not direct and pairs.score[number] < sure_score and agree(kept, moved, bridge) < guard_score:
            continue
        for photo in members[moved]:
            anchors[photo], to_anchor[photo] = kept, composed_map(bridge, to_anchor[photo])
        members[kept] += members.pop(moved)
    return sorted(sorted(together) for together in members.values() if len(together) > 1)
