"""Which photographs show the same leaf, from embeddings and the camera's counter.

Enters: an embedding for each photograph, and what its name says about when it was taken. Leaves: pairs of
kind ``same_leaf``, whose score is the estimated share of such pairs that are true, and groups. It knows
neither the network that made the embeddings nor classes.

Embeddings are whitened on the collection itself, so that what all its photographs share, such as the class,
counts less than what few share. The two formulas are logistic regressions fitted on half of the leaves of
PlantVillage's leaf map by ``benchmarks/same_leaf.py``; see ``docs/dataset.md`` for the other half.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from pydantic import BaseModel, ConfigDict, Field

from leafsight.dataset.captures import is_enumeration
from leafsight.dataset.duplicates.cells import Cells
from leafsight.dataset.duplicates.finding import DuplicatePair, FoundDuplicates

DIRECTIONS = 128  # kept of the whitened embedding; fewer where there are few photographs
FEWEST = 64  # photographs under which nothing can be said about a collection's own spread
NEIGHBOURS = 4
# constant, cosine, log(1 + step), step: fitted, see above
BY_COUNTER = (1.86, 6.61, -1.24, -0.23)
# constant, cosine: for pairs that no counter brings together
BY_LOOKS = (-5.71, 10.53)


class SameLeafOptions(BaseModel):
    """When two photographs count as one leaf.

    Attributes:
        least_score: estimated share of true pairs from which a pair is reported.
        least_by_looks: the same for pairs that no counter brings together. It is higher because most
            collections repeat leaves less often than the one that the formula was fitted on.
        widest_step: between two counters of one camera, for the counter to be of use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_score: float = Field(default=0.5, gt=0, le=1)
    least_by_looks: float = Field(default=0.9, gt=0, le=1)
    widest_step: int = Field(default=24, ge=1, le=1000)


@dataclass(frozen=True, slots=True)
class _Pairs:
    one: Int64[np.ndarray, " pairs"]
    other: Int64[np.ndarray, " pairs"]
    score: Float64[np.ndarray, " pairs"]


def find_same_leaf(
    embeddings: Float32[np.ndarray, "n dimensions"],
    captures: Sequence[tuple[Hashable, int] | None],
    options: SameLeafOptions | None = None,
) -> FoundDuplicates:
    """Pairs that probably show one leaf, and groups of them by average linkage.

    A group takes in another while the mean score over all pairs between them, with 0 for those that were not
    reported, is at least half of ``least_score``: one doubtful pair cannot chain two leaves.

    Args:
        embeddings: of all photographs; fewer than 64 give no pairs.
        captures: what must be equal for counters to follow each other, such as class and name before the
            counter (``captures.capture_of``), and the counter. Counters that number the files of a
            collection instead of a camera's shots are left out, as ``capture_runs`` does.
        options: thresholds.
    """
    options = options or SameLeafOptions()
    if len(embeddings) < FEWEST:
        return FoundDuplicates((), ())
    white = whitened(embeddings)
    near, step = neighbouring_shots(captures, options.widest_step)
    by_counter = _Pairs(near[0], near[1], counter_score(_cosine(white, *near), step))
    alike = _alike(white)
    by_looks = _Pairs(alike[0], alike[1], looks_score(_cosine(white, *alike)))
    best: dict[tuple[int, int], float] = {}
    for some, least in ((by_counter, options.least_score), (by_looks, options.least_by_looks)):
        sure = np.flatnonzero(some.score >= least)
        for one, other, score in zip(
            some.one[sure].tolist(), some.other[sure].tolist(), some.score[sure].tolist(), strict=True
        ):
            best[one, other] = max(score, best.get((one, other), 0.0))
    pairs = tuple(DuplicatePair(one, other, "same_leaf", best[one, other]) for one, other in sorted(best))
    return FoundDuplicates(pairs, _linked(best, options.least_score / 2))


def whitened(embeddings: Float32[np.ndarray, "n dimensions"]) -> Float32[np.ndarray, "n directions"]:
    """Unit vectors along the strongest directions of the collection, each direction made equally wide."""
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    unit -= unit.mean(0)
    spread, directions = np.linalg.eigh((unit.T @ unit / len(unit)).astype(np.float64))
    keep = min(DIRECTIONS, len(unit) // 8, len(spread))
    scale = directions[:, -keep:] / np.sqrt(np.maximum(spread[-keep:], 1e-12))
    white = unit @ scale.astype(np.float32)
    even: Float32[np.ndarray, "n directions"]
    even = white / np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-12)
    return even.astype(np.float32)


def neighbouring_shots(
    captures: Sequence[tuple[Hashable, int] | None], widest_step: int
) -> tuple[Int64[np.ndarray, "2 pairs"], Int64[np.ndarray, " pairs"]]:
    """All pairs of one camera within ``widest_step``, the smaller position first, and their steps."""
    shots: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for place, capture in enumerate(captures):
        if capture is not None:
            shots[capture[0]].append((capture[1], place))
    found: list[tuple[int, int, int]] = []
    for numbered in shots.values():
        if is_enumeration([counter for counter, _ in numbered]):
            continue
        numbered.sort()
        for at, (counter, place) in enumerate(numbered):
            for later, other in numbered[at + 1 :]:
                if later - counter > widest_step:
                    break
                found.append((min(place, other), max(place, other), later - counter))
    table = np.array(found, np.int64).reshape(-1, 3)
    return table[:, :2].T, table[:, 2]


def counter_score(
    cosine: Float32[np.ndarray, " pairs"], step: Int64[np.ndarray, " pairs"]
) -> Float64[np.ndarray, " pairs"]:
    """Estimated share of true pairs among shots that far apart and that alike."""
    constant, by_cosine, by_log, by_step = BY_COUNTER
    return _logistic(constant + by_cosine * cosine + by_log * np.log1p(step) + by_step * step)


def looks_score(cosine: Float32[np.ndarray, " pairs"]) -> Float64[np.ndarray, " pairs"]:
    """Estimated share of true pairs among nearest neighbours that alike."""
    return _logistic(BY_LOOKS[0] + BY_LOOKS[1] * cosine.astype(np.float64))


def _logistic(value: Float64[np.ndarray, " pairs"]) -> Float64[np.ndarray, " pairs"]:
    share: Float64[np.ndarray, " pairs"] = 1 / (1 + np.exp(-value.astype(np.float64)))
    return share


def _cosine(
    white: Float32[np.ndarray, "n directions"],
    one: Int64[np.ndarray, " pairs"],
    other: Int64[np.ndarray, " pairs"],
) -> Float32[np.ndarray, " pairs"]:
    cosine: Float32[np.ndarray, " pairs"] = np.empty(len(one), np.float32)
    for first in range(0, len(one), 65536):
        rows = slice(first, first + 65536)
        cosine[rows] = np.einsum("ij,ij->i", white[one[rows]], white[other[rows]])
    return cosine


def _alike(white: Float32[np.ndarray, "n directions"]) -> Int64[np.ndarray, "2 pairs"]:
    own = np.arange(len(white))
    found, _ = Cells.build(white).nearest(white, own, NEIGHBOURS)
    one, other = np.repeat(own, NEIGHBOURS), found.ravel().astype(np.int64)
    one, other = one[other >= 0], other[other >= 0]
    return np.unique(np.stack([np.minimum(one, other), np.maximum(one, other)]), axis=1)


def _linked(scores: dict[tuple[int, int], float], least_mean: float) -> tuple[tuple[int, ...], ...]:
    owner: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    for one, other in sorted(scores, key=lambda pair: (-scores[pair], pair)):
        for place in (one, other):
            if place not in owner:
                owner[place], members[place] = place, [place]
        left, right = owner[one], owner[other]
        if left == right:
            continue
        between = [
            scores.get((min(here, there), max(here, there)), 0.0)
            for here in members[left]
            for there in members[right]
        ]
        if sum(between) / len(between) < least_mean:
            continue
        for place in members[right]:
            owner[place] = left
        members[left] += members.pop(right)
    return tuple(sorted(tuple(sorted(together)) for together in members.values() if len(together) > 1))
