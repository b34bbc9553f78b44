"""Photographs and recipes small enough to train on in a blink."""

from __future__ import annotations

from typing import Any

import numpy as np

from leafsight.errors import validated
from leafsight.training.data import TrainingData
from leafsight.training.recipe import Recipe

CLASSES = ("brown", "green", "yellow")


def tiny_data(n: int = 60, side_px: int = 20, *, seed: int = 0) -> TrainingData:
    """Noise with a tint that tells the class; two of three photographs train."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(CLASSES)
    images = rng.integers(0, 120, (n, side_px, side_px, 3), dtype=np.uint8)
    images[np.arange(n), :, :, labels] += 120
    rows = {"train": np.arange(n * 2 // 3), "valid": np.arange(n * 2 // 3, n)}
    return TrainingData(images, labels, rows, CLASSES)


def tiny_recipe(**changes: Any) -> Recipe:
    """Two stages on a ``simple_cnn``; ``changes`` replace whole top-level keys."""
    values: dict[str, Any] = {
        "recipe": {"name": "tiny"},
        "batch_size": 8,
        "threads": 1,
        "checkpoint_minutes": 0.0,
        "preprocessing": {"side_px": 16},
        "model": {"name": "simple_cnn", "width": 0.25},
        "optimizer": {"ema_decay": 0.9, "warmup_epochs": 0.5},
        "augmentation": {"preset": "light"},
        "stages": [
            {"name": "head", "epochs": 2, "trainable": "head", "learning_rate": 0.01, "views": 2},
            {"name": "all", "epochs": 2, "learning_rate": 0.01},
        ],
    }
    return validated(Recipe, {**values, **changes}, "tiny recipe")


def plain_stage(**changes: Any) -> dict[str, Any]:
    """One stage that moves everything."""
    return {"name": "all", "epochs": 2, "learning_rate": 0.01, **changes}
