"""A recipe with ablations that run in seconds, on photographs of plain colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

RECIPE = """
seed = 0
threads = 1
batch_size = 8
checkpoint_minutes = 0.0

[recipe]
name = "tiny"

[data]
ratios = { train = 0.5, valid = 0.2, test = 0.3 }
group_by = "column,duplicates"

[preprocessing]
side_px = 16

[model]
name = "simple_cnn"
width = 0.25

[[stages]]
name = "whole"
epochs = 1
learning_rate = 0.01

[augmentation]
preset = "none"

[ablations.parts]
title = "Parts"
seeds = [0, 1]
smallest = 1

[[ablations.parts.variants]]
name = "all"
title = "everything"

[[ablations.parts.variants]]
name = "smooth"
change = { "loss.label_smoothing" = 0.1 }
published = 0.9

[[ablations.parts.variants]]
name = "smooth-mirror"
like = "smooth"
views = 2

[[ablations.parts.variants]]
name = "soup"
average = 2

[ablations.size]
seeds = [0]
grid = { "data.train_fraction" = [0.25, 0.5, 1.0] }
"""


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    """The recipe as a file."""
    path = folder / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path


def draw_photographs(folder: Path, per_class: int = 20) -> Path:
    """Noise with a tint; three classes, the last with half as many photographs."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(("brown", "green", "yellow")):
        (folder / name).mkdir(parents=True)
        for index in range(per_class // (2 if number == 2 else 1)):
            pixels = rng.integers(0, 150, (24, 24, 3), dtype=np.uint8)
            pixels[:, :, number] += 60
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder
