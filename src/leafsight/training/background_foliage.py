"""Backgrounds of leaves: cut-out leaves of the training photographs strewn over textures.

In the field the background of a leaf is mostly other leaves. Without them a network may learn that a single
green shape is all there ever is. Enters: a bank with masks. Leaves: uint8 pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import UInt8
from torch.nn import functional as F

from leafsight.training.augmentation_colour import ColourOptions, change_colours
from leafsight.training.augmentation_geometry import affine, rotations, sampling_grid
from leafsight.training.draws import Draws

if TYPE_CHECKING:
    from leafsight.training.background_bank import BackgroundBank

LAYERS = 9
BATCH = 32
RAMP_PX = 2
LEAVES_LIGHT = ColourOptions(
    probability=1.0, brightness=(0.4, 1.2), saturation=(0.7, 1.3), hue_degrees=8, temperature=0.1
)


def draw_foliage(
    bank: BackgroundBank, plain_rows: np.ndarray, count: int, seed: int
) -> UInt8[np.ndarray, "{count} side side 3"]:
    """Strew leaves of random classes over textures, back to front, nearer ones brighter.

    Args:
        bank: with masks and textures.
        plain_rows: rows that may be cut out; at least one.
        count: how many pictures.
        seed: of everything.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = [
        _draw_some(bank, plain_rows, min(BATCH, count - start), generator) for start in range(0, count, BATCH)
    ]
    return np.concatenate(drawn)


def _draw_some(bank: BackgroundBank, rows: np.ndarray, count: int, generator: torch.Generator) -> np.ndarray:
    draws = Draws(generator, count)
    ground = bank.pictures("texture", draws.whole(2**31).numpy())
    scene = torch.from_numpy(ground).permute(0, 3, 1, 2).float() * 0.6
    for _ in range(LAYERS):
        chosen = rows[draws.whole(2**31).numpy() % len(rows)]
        leaves, masks = cut_leaves(bank, chosen, torch.device("cpu"))
        leaves = change_colours(leaves, draws, LEAVES_LIGHT)
        extent = draws.log_uniform(0.9, 2.2).unsqueeze(1).expand(-1, 2)
        centre = draws.uniform(-1.2, 1.2, 2) * extent
        warps = affine(centre, extent) @ rotations(draws.uniform(-3.14, 3.14))
        layer = warp_with_alpha(leaves, masks, warps)
        scene = torch.lerp(scene, layer[:, :3], layer[:, 3:])
    return scene.clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def cut_leaves(
    bank: BackgroundBank, rows: np.ndarray, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Photographs ``[k, 3, S, S]`` 0..255 and soft masks ``[k, 1, S, S]`` 0..1 of some rows, as float."""
    photos = torch.from_numpy(np.ascontiguousarray(bank.images[rows].transpose(0, 3, 1, 2)))
    return photos.to(device).float(), soft_masks(bank, rows, device)


def soft_masks(bank: BackgroundBank, rows: np.ndarray, device: torch.device) -> torch.Tensor:
    """Masks ``[k, 1, S, S]`` that rise from 0 at the edge to 1 about two pixels inside.

    The edge of a leaf is mixed with its old background, so the ramp lies inside the mask.
    """
    # A box sum is half of its most on a straight edge. Small integers make this the cheapest step of all.
    # What the frame cuts off counts as leaf going on.
    hard = np.pad(bank.leaf_masks(rows), ((0, 0), (RAMP_PX, RAMP_PX), (RAMP_PX, RAMP_PX)), mode="edge")
    width, side = 2 * RAMP_PX + 1, bank.side_px
    down = sum((hard[:, i : i + side] for i in range(1, width)), hard[:, :side])
    total = sum((down[:, :, i : i + side] for i in range(1, width)), down[:, :, :side])
    mean = torch.from_numpy(total).to(device).float().unsqueeze(1)
    return mean.mul_(2 / width**2).sub_(1).clamp_(0, 1)


def warp_with_alpha(leaves: torch.Tensor, masks: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
    """Move leaves with their masks; outside of the picture nothing is leaf. Returns ``[k, 4, S, S]``."""
    grid = sampling_grid(warps.to(leaves.device), leaves.shape[-1])
    both = torch.cat([leaves, masks], 1)
    moved = F.grid_sample(both, grid, mode="bilinear", padding_mode="border", align_corners=False)
    moved[:, 3] *= (grid.abs().amax(-1) <= 1).float()
    return moved
