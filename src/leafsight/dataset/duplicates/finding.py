"""All duplicates in a collection: equal files, equal pixels, and pictures that were changed.

Enters: small pictures of fixed size and hashes, no files. Leaves: pairs, each with its kind, its score and
what was done to one to make the other, and groups. It knows neither classes nor splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64
from pydantic import BaseModel, ConfigDict, Field

from leafsight.dataset.components import Components
from leafsight.dataset.duplicates.candidates import Candidates, Pictures, find_candidates
from leafsight.dataset.duplicates.joining import join_pairs
from leafsight.dataset.duplicates.kinds import Change, Kind, change_of, inverse_map, kind_of
from leafsight.dataset.duplicates.verifying import LEVELS, Verified, overlay, verify
from leafsight.dataset.near import sorted_pairs
from leafsight.progress import Progress
from leafsight.storage import available_cores

BLOCK = 1024
ALIKE_BITS = 2  # of 64, between a photograph and its grey copy
MOST_ALIKE = 4


class DuplicateOptions(BaseModel):
    """When two photographs count as one.

    Attributes:
        least_score: agreement of fine detail from which a pair is reported. The default was chosen on half of
            the plants and measured on the other, see ``docs/dataset.md``.
        sure_score: from which a pair joins groups without the guard.
        guard_score: that the first photographs of two groups must reach for any other pair to join them.
        flat_contrast: grey levels; pictures with a smaller deviation only match when they are equal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_score: float = Field(default=0.85, ge=0.5, le=1)
    sure_score: float = Field(default=0.95, ge=0.5, le=1)
    guard_score: float = Field(default=0.6, ge=0, le=1)
    flat_contrast: float = Field(default=2.0, ge=0)


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two photographs that show the same, ``one`` before ``other``.

    Attributes:
        one: position.
        other: position.
        kind: one word for how they differ.
        score: agreement after one was laid over the other, 0 to 1; 1 for equal files and pixels.
        change: from the one to the other; ``None`` where it was not looked for.
    """

    one: int
    other: int
    kind: Kind
    score: float
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class FoundDuplicates:
    """What the search found.

    Attributes:
        pairs: by position. Of photographs with equal files or pixels, each is paired with the first of them,
            and only that one is compared with all others.
        groups: connected pairs, but for those that the guard refused; positions ascending.
    """

    pairs: tuple[DuplicatePair, ...]
    groups: tuple[tuple[int, ...], ...]


def find_duplicates(
    grey: Pictures,
    rgb: Pictures,
    content_hashes: Sequence[str | None],
    pixel_hashes: Sequence[str | None],
    *,
    look_hashes: Sequence[int | None] | None = None,
    records: Int64[np.ndarray, " n"] | None = None,
    options: DuplicateOptions | None = None,
    progress: Progress | None = None,
) -> FoundDuplicates:
    """Every pair of photographs of which one is a changed copy of the other.

    The same arguments give the same answer. Memory: about 250 bytes a photograph, and some hundred MiB for
    what is worked on at once.

    Args:
        grey: gives ``uint8[k, 64, 64]`` brightness by an array of ``k`` row numbers.
        rgb: gives ``uint8[k, 32, 32, 3]`` likewise.
        content_hashes: of each photograph's file; ``None`` is equal to nothing.
        pixel_hashes: of its decoded pixels.
        look_hashes: ``dataset.look.look_hash`` of each. It knows no colours, so it brings pairs of a coloured
            photograph and its grey copy, which the search by colour and brightness does not.
        records: the row of each photograph in ``grey`` and ``rgb``, -1 for one without; ``None`` when they
            are in the same order.
        options: thresholds.
        progress: told of each stage.
    """
    options = options or DuplicateOptions()
    rows = np.arange(len(content_hashes)) if records is None else records
    equal = _equal_pairs(content_hashes, pixel_hashes)
    seen = rows >= 0
    seen[[pair.other for pair in equal]] = False
    searched = np.flatnonzero(seen)
    searched = searched[_has_contrast(rgb, rows[searched], options.flat_contrast)]
    numbers = rows[searched]
    guesses = find_candidates(rgb, numbers, progress)
    if look_hashes is not None:
        guesses = _joined(guesses, _alike_in_grey([look_hashes[place] for place in searched.tolist()]))
    found = verify(grey, numbers, guesses, least_score=options.least_score, progress=progress)

    def agree(one: int, other: int, guess: Float32[np.ndarray, "2 3"]) -> float:
        maps = guess[None].astype(np.float32)
        for level in LEVELS[1:]:
            maps, score = overlay(grey, numbers[[one]], numbers[[other]], maps, level)
        return float(score[0])

    sets = join_pairs(found, agree, sure_score=options.sure_score, guard_score=options.guard_score)
    joined = [[int(searched[member]) for member in members] for members in sets]
    joined += [[pair.one, pair.other] for pair in equal]
    pairs = sorted([*equal, *_as_pairs(found, searched)], key=lambda pair: (pair.one, pair.other))
    return FoundDuplicates(tuple(pairs), _groups(joined))


def _groups(joined: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Sets that share a member made one, over the few photographs that have any relative."""
    places = sorted({place for members in joined for place in members})
    number = {place: at for at, place in enumerate(places)}
    together = Components(len(places))
    for members in joined:
        for other in members[1:]:
            together.join(number[members[0]], number[other])
    return tuple(tuple(places[member] for member in members) for members in together.sets())


def _equal_pairs(
    content_hashes: Sequence[str | None], pixel_hashes: Sequence[str | None]
) -> list[DuplicatePair]:
    same_file, same_pixels = _firsts(content_hashes), _firsts(pixel_hashes)
    pairs = []
    for place in np.flatnonzero(np.minimum(same_file, same_pixels) < np.arange(len(same_file))).tolist():
        if same_file[place] < place:
            pairs.append(DuplicatePair(int(same_file[place]), place, "exact", 1.0))
        else:
            pairs.append(DuplicatePair(int(same_pixels[place]), place, "pixels", 1.0))
    return pairs


def _firsts(hashes: Sequence[str | None]) -> Int64[np.ndarray, " n"]:
    """For each hash where it stands first; where it is ``None``, its own place."""
    first: dict[str, int] = {}
    return np.array(
        [place if one is None else first.setdefault(one, place) for place, one in enumerate(hashes)], np.int64
    )


def _alike_in_grey(look_hashes: Sequence[int | None]) -> Candidates:
    """Pairs whose grey pictures are alike as they lie, the closest first, some four a photograph."""
    places = np.array([place for place, look in enumerate(look_hashes) if look is not None], np.int64)
    looks = np.array([look for look in look_hashes if look is not None], np.uint64)
    one: list[np.ndarray] = []
    other: list[np.ndarray] = []
    left = MOST_ALIKE * len(looks)
    for _, first, second in sorted_pairs(looks, ALIKE_BITS):
        one.append(places[first[:left]])
        other.append(places[second[:left]])
        left -= len(one[-1])
        if left <= 0:
            break
    ones = np.concatenate(one) if one else np.zeros(0, np.int64)
    others = np.concatenate(other) if other else np.zeros(0, np.int64)
    maps = np.broadcast_to(np.eye(2, 3, dtype=np.float32), (len(ones), 2, 3))
    return Candidates(ones.astype(np.int32), others.astype(np.int32), np.ascontiguousarray(maps))


def _joined(one: Candidates, other: Candidates) -> Candidates:
    return Candidates(
        np.concatenate([one.one, other.one]),
        np.concatenate([one.other, other.other]),
        np.concatenate([one.maps, other.maps]),
    )


def _has_contrast(rgb: Pictures, rows: Int64[np.ndarray, " n"], least: float) -> Bool[np.ndarray, " n"]:
    def look(first: int) -> Bool[np.ndarray, " some"]:
        green = np.asarray(rgb[rows[first : first + BLOCK]])[..., 1].reshape(-1, 1024).astype(np.float32)
        green -= green.mean(1, keepdims=True)
        contrasts: Bool[np.ndarray, " some"] = np.einsum("np,np->n", green, green) >= least**2 * 1024
        return contrasts

    with ThreadPoolExecutor(available_cores()) as pool:
        seen = list(pool.map(look, range(0, len(rows), BLOCK)))
    return np.concatenate(seen) if seen else np.zeros(0, bool)


def _as_pairs(found: Verified, searched: Int64[np.ndarray, " n"]) -> list[DuplicatePair]:
    pairs = []
    for left, right, mapped, score in zip(
        searched[found.one].tolist(),
        searched[found.other].tolist(),
        found.maps,
        found.score.tolist(),
        strict=True,
    ):
        change = change_of(mapped if left < right else inverse_map(mapped))
        pair = DuplicatePair(min(left, right), max(left, right), kind_of(change), min(score, 1.0), change)
        pairs.append(pair)
    return pairs
