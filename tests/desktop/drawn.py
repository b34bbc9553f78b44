"""Photographs for journeys: of a crop that no model knows, and ones that are long on their way."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from leafsight.dataset import draw_leaf

CROP, CONDITIONS, EACH = "Roundleaf", ("Rust", "Blight", "Mosaic"), 30
LARGE_SHAPE_PX, LARGE_QUALITY = (1200, 1600, 3), 97


def class_of(condition: str) -> str:
    return f"{CROP}___{condition}"


def leaf(path: Path, condition: str, seed: int) -> Path:
    """One photograph."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = draw_leaf(CROP, condition, seed=seed, field=True, side_px=256)
    Image.fromarray(picture).save(path, quality=92)
    return path


def new_crop(folder: Path) -> Path:
    """Three classes, with a copy in the first of them and a file that is no photograph."""
    for place, condition in enumerate(CONDITIONS):
        for number in range(EACH):
            leaf(folder / class_of(condition) / f"leaf-{number:02}.jpg", condition, 1000 * place + number)
    first = folder / class_of(CONDITIONS[0])
    shutil.copy(first / "leaf-01.jpg", first / "again.jpg")
    (first / "torn.jpg").write_bytes(b"no photograph")
    return folder


def large_photographs(folder: Path, number: int) -> Path:
    """Noise of some 3 MB each: so many of them that their sending can be caught in its middle."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for at in range(number):
        pixels = rng.integers(0, 256, LARGE_SHAPE_PX, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"noise-{at:02}.jpg", quality=LARGE_QUALITY)
    return folder
