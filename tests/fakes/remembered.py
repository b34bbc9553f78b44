"""A memory that fits the tiny bundle: some photographs of every class in every split."""

from __future__ import annotations

import numpy as np
from tests.fakes.tiny_bundle import CLASSES, GREY, RED, SIDE, coloured, tiny_numpy

from leafsight.bundle import MEMORY_SPLITS, Memory

COLOURS = (RED, (50, 200, 50), (50, 50, 200), GREY)
SPLITS = ("train", "calibration", "test")


def tiny_memory(per_split: int = 1, seed: int = 0) -> Memory:
    """``per_split`` photographs of each class in each of three splits, as the tiny network sees them."""
    squares, label, split = [], [], []
    for name in SPLITS:
        for number in range(len(CLASSES)):
            for copy in range(per_split):
                at = len(squares) + seed * 10_000
                squares.append(coloured(COLOURS[number], side=SIDE, seed=at + copy))
                label.append(number)
                split.append(MEMORY_SPLITS.index(name))
    n = len(squares)
    _, embedding, _ = tiny_numpy(np.stack(squares))
    return Memory(
        backbone="ab" * 32,
        base_classes=len(CLASSES),
        domain_names=("field", "lab"),
        embedding=embedding.astype(np.float32),
        label=np.asarray(label, np.int64),
        split=np.asarray(split, np.int64),
        group=np.arange(n, dtype=np.int64),
        domain=np.arange(n, dtype=np.int64) % 2,
        contributed=np.zeros(n, bool),
        pixel_hash=np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        look_hash=np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03),
    )
