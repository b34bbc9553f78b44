"""Colours and shapes that tell classes apart, for eyes that see few colours, too.

Source of the colours: Okabe and Ito, "Color Universal Design", 2008; their yellow is darkened on white paper,
where it cannot be read, and their black is the colour of the text.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#b5a300", "#222222")
SHAPES = ("o", "^")
TOLD_APART = len(COLOURS) * len(SHAPES)
OTHERS = "#a8adb0"
MARK, MARK_SOFT, MARK_FAINT = "#2b6e4f", "#8fb8a4", "#d3e2da"


def told_apart(labels: Int64[np.ndarray, " n"], classes: int) -> tuple[int, ...]:
    """Classes with a colour and shape of their own: the largest, at most ``TOLD_APART``."""
    counts = np.bincount(labels, minlength=classes)
    order = np.argsort(-counts, kind="stable")[:TOLD_APART]
    return tuple(int(label) for label in order if counts[label])
