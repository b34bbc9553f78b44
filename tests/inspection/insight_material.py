"""Made-up collections for the tests of the insight figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leafsight.inspection.insight import Material

TONES = ("brightness", "contrast", "saturation", "green_share", "lesion_share", "mean_red", "mean_green")
HOSTILE = '</script><script>alert("1")</script> $x_{2}$ \u202e\n& 葉'


def colours(count: int) -> np.ndarray:
    """A colour a class, all different."""
    return np.random.default_rng(7).integers(40, 216, (count, 3)).astype(np.float32)


def make(
    counts: Sequence[int],
    *,
    classes: Sequence[str] | None = None,
    pictures: bool = True,
    embeddings: bool = True,
    grey: bool = False,
    cameras: Sequence[str | None] | None = None,
    taken: Sequence[str | None] | None = None,
    **columns: np.ndarray,
) -> Material:
    """A collection with so many photographs in each class; columns replace the made-up measures."""
    names = tuple(classes or (f"class {number:03d}" for number in range(len(counts))))
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    n = len(labels)
    rng = np.random.default_rng(0)
    measures = {name: rng.random(n) for name in (*TONES, "mean_blue")}
    measures["sharpness"] = np.exp(rng.normal(5, 0.3, n))
    measures["width_px"] = measures["height_px"] = np.full(n, 256.0)
    if grey:
        measures["saturation"] = np.zeros(n)
    measures |= {name: np.asarray(values, np.float64) for name, values in columns.items()}
    palette = colours(len(counts))

    def small(rows: np.ndarray) -> np.ndarray:
        noise = np.stack([np.random.default_rng(int(row)).normal(0, 8, (8, 8, 3)) for row in rows])
        blocks = palette[labels[rows], None, None] + noise
        return np.clip(blocks, 0, 255).astype(np.uint8).repeat(8, 1).repeat(8, 2)

    vectors = rng.normal(size=(n, 16)).astype(np.float32)
    vectors[np.arange(n), labels % 16] += 6
    return Material(
        classes=names,
        labels=labels,
        names=tuple(f"{names[label]}/{row}.jpg" for row, label in enumerate(labels)),
        measures=measures,
        cameras=tuple(cameras or [None] * n),
        taken=tuple(taken or [None] * n),
        pictures=small if pictures else None,
        has_picture=np.full(n, pictures),
        embeddings=(lambda rows: vectors[rows]) if embeddings else None,
        has_embedding=np.full(n, embeddings),
        embedded_by="a made-up model" if embeddings else "",
        title="made up",
    )
