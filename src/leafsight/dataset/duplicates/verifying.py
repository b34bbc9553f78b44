"""Candidates one by one: laid over each other on ever finer pictures, dropped as soon as they do not agree.

Enters: pairs with a first guess. Leaves: those that agree, with the exact map and the score.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from leafsight.dataset.duplicates.agreement import agreement, smoothed
from leafsight.dataset.duplicates.candidates import Candidates, Pictures
from leafsight.dataset.duplicates.register import Grey, Maps, register
from leafsight.progress import Progress, Silent
from leafsight.storage import available_cores


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the cascade.

    Attributes:
        shrink: by how much the 64-pixel pictures are made smaller first.
        rounds: of registration.
        square_px: of the squares that are compared.
        least: score under which a pair is dropped.
        block: pairs at once, chosen so that they stay in the processor's cache.
    """

    shrink: int
    rounds: int
    square_px: int
    least: float
    block: int


LEVELS = (Level(4, 3, 4, 0.5, 128), Level(2, 4, 4, 0.62, 32), Level(1, 2, 8, 0.0, 16))
LEAST_SHARE = 0.3  # of the squares; a crop of 80 % of the side covers 64 % of the picture


@dataclass(frozen=True, slots=True)
class Verified:
    """Pairs that agree, at most one of each two photographs.

    Attributes:
        one: position.
        other: position, not equal to ``one``.
        maps: from the other picture into the one.
        score: 0 to 1.
    """

    one: Int32[np.ndarray, " pairs"]
    other: Int32[np.ndarray, " pairs"]
    maps: Maps
    score: Float32[np.ndarray, " pairs"]


def verify(
    grey: Pictures,
    numbers: Int64[np.ndarray, " n"],
    guesses: Candidates,
    *,
    least_score: float,
    progress: Progress | None = None,
) -> Verified:
    """The pairs that agree at every level.

    Args:
        grey: gives ``uint8[k, 64, 64]``.
        numbers: the rows of ``grey`` that positions stand for.
        guesses: pairs; of those that stand twice the better one goes on after the first level.
        least_score: under which a pair is dropped at the end.
        progress: told of each pair at each level.
    """
    told = progress or Silent()
    one, other, maps = guesses.one, guesses.other, guesses.maps
    score = np.zeros(len(one), np.float32)
    with ThreadPoolExecutor(available_cores()) as pool:
        for level in LEVELS:
            told.start(f"comparing pairs at {64 // level.shrink} px", len(one))
            blocks = [slice(first, first + level.block) for first in range(0, len(one), level.block)]
            steps = [
                pool.submit(overlay, grey, numbers[one[rows]], numbers[other[rows]], maps[rows], level)
                for rows in blocks
            ]
            for step, rows in zip(steps, blocks, strict=True):
                step.result()
                told.advance(len(one[rows]))
            told.finish()
            if steps:
                maps = np.concatenate([step.result()[0] for step in steps])
                score = np.concatenate([step.result()[1] for step in steps])
            keep = _best_of_each(one, other, score)
            keep = keep[score[keep] >= level.least]
            one, other, maps, score = one[keep], other[keep], maps[keep], score[keep]
    keep = np.flatnonzero(score >= least_score)
    return Verified(one[keep], other[keep], maps[keep], score[keep])


def overlay(
    grey: Pictures,
    ones: Int64[np.ndarray, " pairs"],
    others: Int64[np.ndarray, " pairs"],
    maps: Maps,
    level: Level,
) -> tuple[Maps, Float32[np.ndarray, " pairs"]]:
    """Better maps and scores for a few pairs, given as rows of ``grey``."""
    here = _shrunk(np.asarray(grey[ones]), level.shrink)
    there = _shrunk(np.asarray(grey[others]), level.shrink)
    better = register(here, there, maps, level.rounds)
    return better, _score(here, there, better, level.square_px)


def _shrunk(pictures: UInt8[np.ndarray, "n given given"], by: int) -> Grey:
    if by == 1:
        return smoothed(pictures.astype(np.float32))
    # sums of slices: NumPy's mean over two inner axes takes five times as long
    rows = pictures[:, ::by].astype(np.uint16)
    for nth in range(1, by):
        rows += pictures[:, nth::by]
    cells = rows[:, :, ::by].copy()
    for nth in range(1, by):
        cells += rows[:, :, nth::by]
    small: Grey = cells.astype(np.float32) / np.float32(by * by)
    return small


def _score(ones: Grey, others: Grey, maps: Maps, square_px: int) -> Float32[np.ndarray, " n"]:
    score, share = agreement(ones, others, maps, square_px)
    # a map that squeezes, shears or shrinks a picture is no photograph of the same thing
    sizes = np.linalg.svd(maps[:, :, :2].astype(np.float64), compute_uv=False)
    sound = (sizes[:, 0] < 1.5) & (sizes[:, 1] > 0.65) & (sizes[:, 0] < 1.45 * sizes[:, 1])
    return np.where(sound & (share >= LEAST_SHARE), score, 0).astype(np.float32)


def _best_of_each(
    one: Int32[np.ndarray, " pairs"], other: Int32[np.ndarray, " pairs"], score: Float32[np.ndarray, " pairs"]
) -> Int64[np.ndarray, " different"]:
    low, high = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((one, -score, high, low))
    first = np.ones(len(order), bool)
    first[1:] = (low[order][1:] != low[order][:-1]) | (high[order][1:] != high[order][:-1])
    return order[first]
