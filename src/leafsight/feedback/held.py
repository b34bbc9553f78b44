"""What the champion was tested and trained on, made ready once to hold any photograph against.

Enters: the memory of a bundle. Leaves: marks of its photographs, and what they have in common. It does not
know what is held against them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leafsight.bundle import MEMORY_SPLITS, Memory
from leafsight.feedback.likeness import Marks, Whitening, fit_whitening, white_or_zeros

TRAINED_ON = ("train", "valid", "calibration", "probe")


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Photographs that a champion remembers.

    Attributes:
        whitening: takes away what they have in common; None with fewer than two.
        tested: those that it is measured by.
        trained: those that it learned from, or was adjusted by.
    """

    whitening: Whitening | None
    tested: Marks
    trained: Marks


def held_of(memory: Memory) -> Held:
    """Everything but the stressed copies, which are no photographs that somebody took."""
    taken = memory.split != MEMORY_SPLITS.index("stressed")
    whitening = fit_whitening(memory.embedding[taken])

    def marks(*splits: str) -> Marks:
        rows = np.concatenate([memory.rows(split) for split in splits])
        white = white_or_zeros(whitening, memory.embedding[rows], len(rows))
        return Marks(memory.pixel_hash[rows], memory.look_hash[rows][:, None], white)

    return Held(whitening, marks("test"), marks(*TRAINED_ON))
