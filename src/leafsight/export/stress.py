"""Calibration photographs made worse on purpose: other backgrounds, light, cameras.

A threshold that was chosen on photographs like the training photographs promises too much elsewhere. These
stand in for "elsewhere": not the real thing, but a harder exam than home, made without a single photograph
that the model is later judged on.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from leafsight.training import (
    AugmentationOptions,
    BackgroundOptions,
    augment_batch,
    build_bank,
    replace_backgrounds,
)

BATCH_PHOTOS = 64
SEED = 20_260


def stressed_copies(
    images: UInt8[np.ndarray, "n side side 3"],
    labels: Int64[np.ndarray, " n"],
    *,
    not_a_leaf: tuple[int, ...],
    copies: int,
    side_px: int,
    rounds: int = 1,
) -> UInt8[np.ndarray, "m side_px side_px 3"]:
    """Each photograph ``copies`` times, changed as a field camera might; the order is copy by copy.

    Backgrounds come from these photographs themselves and from drawn textures, so nothing of another split
    is seen.

    Args:
        images: at ``side_px`` or larger.
        labels: classes, so that a field photograph never becomes the background of its own class.
        not_a_leaf: classes that show places; they lend backgrounds.
        copies: how many of each.
        side_px: side of the result.
        rounds: how many times each is changed by the camera after its background was replaced. A network
            that was trained with such changes is used to one round; two are harder than anything it saw.
    """
    rows = np.arange(len(images), dtype=np.int64)
    bank = build_bank(images, labels, rows, folder=None, fingerprint="", not_a_leaf=not_a_leaf, seed=SEED)
    generator = torch.Generator().manual_seed(SEED)
    augmentation = AugmentationOptions(preset="field")
    backgrounds = BackgroundOptions(probability=1.0)
    made = []
    for _ in range(copies):
        for first in range(0, len(rows), BATCH_PHOTOS):
            some = rows[first : first + BATCH_PHOTOS]
            pictures = torch.from_numpy(np.ascontiguousarray(images[some])).permute(0, 3, 1, 2)
            behind = replace_backgrounds(pictures, some, bank, generator, backgrounds)
            changed = behind
            for _ in range(rounds):
                changed = augment_batch(changed, augmentation, generator, side_px=side_px)
            made.append(changed.round().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return np.concatenate(made)
