"""Forty drawn leaves of two classes, as a fit takes them, and settings that make a fit take seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.journeys.small_world import draw

from leafsight.dataset import draw_leaf

SMALL = ("preprocessing.side_px=32", "model.width=0.25", "stages.whole.epochs=1", "threads=1")
CONDITIONS = ("healthy", "Rust")


@dataclass(frozen=True)
class Leaves:
    """Photographs with their classes, and which show the same leaf."""

    photos: np.ndarray
    classes: list[str]
    groups: list[str]


def drawn_leaves(leaves: int = 10, views: int = 2, side_px: int = 48) -> Leaves:
    """Two classes of ``leaves`` leaves, each seen ``views`` times; every other leaf in the field."""
    photos, classes, groups = [], [], []
    for condition in CONDITIONS:
        for leaf in range(leaves):
            for view in range(views):
                photos.append(
                    draw_leaf(
                        "Roundleaf", condition, seed=leaf, view=view, field=bool(leaf % 2), side_px=side_px
                    )
                )
                classes.append(condition)
                groups.append(f"{condition} {leaf}")
    return Leaves(np.stack(photos), classes, groups)


def listed(folder: Path) -> tuple[list[Path], list[str], list[str]]:
    """Paths, classes and leaves of a drawn collection, in no special order."""
    rows = [line.split(",") for line in (folder / "leaf_groups.csv").read_text().splitlines()[1:]]
    order = np.random.default_rng(0).permutation(len(rows))
    picked = [rows[number] for number in order]
    paths = [folder / class_name / file for class_name, file, _ in picked]
    return paths, [row[0] for row in picked], [f"{row[0]}/{row[2]}" for row in picked]


__all__ = ["SMALL", "Leaves", "draw", "drawn_leaves", "listed"]
