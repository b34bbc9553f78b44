"""One fused warp: crop, zoom, rotation, flips, shear and perspective as one matrix and one sampling.

Enters: pictures at the cache's side. Leaves: pictures at the network's side. It does not touch colours.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from leafsight.training.draws import Draws, Options, PositiveRange, Probability

ANTIALIAS_FROM = 1.5  # minification from which bilinear sampling skips pixels visibly
LEAST_DEPTH = 0.1  # nearest a perspective may bring the plane; keeps the division finite
# Float pixels sampled at a time on a processor, so that they are in its own cache when they are read: half
# the time of sampling a whole batch (docs/training.md). The bits do not depend on it.
PIECE_BYTES = 1280 * 1024


class GeometryOptions(Options):
    """The ranges of the warp; the defaults change nothing but the size.

    Attributes:
        crop_area: share of the picture that is cut out (Szegedy 2015's random resized crop).
        crop_ratio: width to height of the cut, log-uniform.
        flip_horizontal: probability of a left-right flip.
        flip_vertical: probability of an upside-down flip; leaves are photographed from every side.
        rotation_probability: share of pictures that are turned.
        rotation_degrees: largest turn, either way; 180 is any angle.
        shear_degrees: largest shear along each axis.
        perspective_probability: share of pictures seen at a slant.
        perspective: largest change of depth from the middle to an edge, as a share.
        zoom_out_probability: share of pictures shown smaller than the frame instead of cropped.
        zoom_out_area: area of the frame over the area of the picture when zoomed out.
        fill_probability: share of pictures whose outside is one flat colour; elsewhere it is reflected.
    """

    crop_area: PositiveRange = (1.0, 1.0)
    crop_ratio: PositiveRange = (1.0, 1.0)
    flip_horizontal: Probability = 0.0
    flip_vertical: Probability = 0.0
    rotation_probability: Probability = 0.0
    rotation_degrees: float = Field(default=0.0, ge=0, le=180)
    shear_degrees: float = Field(default=0.0, ge=0, le=45)
    perspective_probability: Probability = 0.0
    perspective: float = Field(default=0.0, ge=0, le=0.4)
    zoom_out_probability: Probability = 0.0
    zoom_out_area: PositiveRange = (1.0, 1.0)
    fill_probability: Probability = 0.0


def draw_warps(draws: Draws, options: GeometryOptions) -> Tensor:
    """One projective matrix for each picture, from places in the result to places in the source.

    Places are homogeneous ``(x, y, 1)``, -1..1 over the picture (``align_corners=False``).

    Returns:
        Float32 ``[n, 3, 3]`` on the generator's device.
    """
    area = draws.uniform(*options.crop_area)
    zoomed = draws.uniform(*options.zoom_out_area)
    area = torch.where(draws.chosen(options.zoom_out_probability), zoomed, area)
    ratio = draws.log_uniform(*options.crop_ratio)
    extent = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1)
    # A crop stays inside the picture; a zoomed-out picture stays inside the frame.
    centre = draws.uniform(-1.0, 1.0, 2) * (1 - extent).abs()
    turned = draws.chosen(options.rotation_probability)
    angle = torch.deg2rad(draws.uniform(-options.rotation_degrees, options.rotation_degrees)) * turned
    shear = torch.deg2rad(draws.uniform(-options.shear_degrees, options.shear_degrees, 2)).tan()
    slant = draws.uniform(-options.perspective, options.perspective, 2)
    slant = slant * draws.chosen(options.perspective_probability)[:, None]
    flips = torch.stack([draws.sign(options.flip_horizontal), draws.sign(options.flip_vertical)], 1)
    place = affine(centre, extent) @ rotations(angle)
    return place @ _shears(shear) @ _perspectives(slant) @ affine(torch.zeros_like(flips), flips)


def affine(centre: Tensor, extent: Tensor) -> Tensor:
    """``[n, 3, 3]`` matrices that scale by ``extent [n, 2]`` and then move to ``centre [n, 2]``."""
    matrix = torch.eye(3, device=centre.device).repeat(len(centre), 1, 1)
    matrix[:, 0, 0], matrix[:, 1, 1] = extent[:, 0], extent[:, 1]
    matrix[:, :2, 2] = centre
    return matrix


def rotations(angle: Tensor) -> Tensor:
    """``[n, 3, 3]`` rotations by ``angle [n]`` in radians."""
    matrix = torch.eye(3, device=angle.device).repeat(len(angle), 1, 1)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 1, 0] = angle.sin()
    matrix[:, 0, 1] = -matrix[:, 1, 0]
    return matrix


def _shears(shear: Tensor) -> Tensor:
    matrix = torch.eye(3, device=shear.device).repeat(len(shear), 1, 1)
    matrix[:, 0, 1], matrix[:, 1, 0] = shear[:, 0], shear[:, 1]
    return matrix


def _perspectives(slant: Tensor) -> Tensor:
    matrix = torch.eye(3, device=slant.device).repeat(len(slant), 1, 1)
    matrix[:, 2, :2] = slant
    return matrix


def sampling_grid(warps: Tensor, side_px: int) -> Tensor:
    """Where each pixel of the result comes from.

    Args:
        warps: ``[n, 3, 3]`` as from ``draw_warps``, on the device of the pictures.
        side_px: side of the result.

    Returns:
        Float ``[n, side, side, 2]`` for ``grid_sample``.
    """
    line = (torch.arange(side_px, device=warps.device) + 0.5) * (2 / side_px) - 1
    # Row and column terms are added by broadcasting: far fewer operations than a product with every pixel.
    across = warps[:, :, 0, None] * line
    down = warps[:, :, 1, None] * line + warps[:, :, 2, None]
    grid = torch.empty(len(warps), side_px, side_px, 2, device=warps.device)
    torch.add(across[:, 0, None, :], down[:, 0, :, None], out=grid[..., 0])
    torch.add(across[:, 1, None, :], down[:, 1, :, None], out=grid[..., 1])
    if warps.device.type == "cpu":
        index = (warps[:, 2, :2].abs().amax(1) > 0).nonzero().squeeze(1)
        return _seen_from_its_place(grid, across, down, index) if len(index) else grid
    # A device would have to finish before it could say which are slanted; for the others the depth is 1.
    return _seen_from_its_place(grid, across, down, slice(None))


def _seen_from_its_place(grid: Tensor, across: Tensor, down: Tensor, index: Tensor | slice) -> Tensor:
    """Divide some pictures' places by their depth, in place."""
    depth = across[index, 2, None, :] + down[index, 2, :, None]
    grid[index] = grid[index] / depth.clamp_min_(LEAST_DEPTH).unsqueeze(-1)
    return grid


def warp_batch(images: Tensor, warps: Tensor, side_px: int, filled: Tensor, fill: Tensor) -> Tensor:
    """Sample every picture through its warp.

    Args:
        images: uint8 or float ``[n, 3, S, S]``.
        warps: ``[n, 3, 3]`` on the generator's device.
        side_px: side of the result.
        filled: bool ``[n]`` on the generator's device: outside is a flat colour instead of a reflection.
        fill: float ``[n, 3]``, that colour.

    Returns:
        Float32 ``[n, 3, side, side]``, a new tensor.
    """
    minified = pyramid_levels(warps, images.shape[-1] / side_px)
    warps = warps.to(images.device)
    warped = torch.empty(len(images), images.shape[1], side_px, side_px, device=images.device)
    for part in _pieces(images):
        warped[part] = _sample(images[part].float(), sampling_grid(warps[part], side_px), minified[part])
    index = filled.nonzero().squeeze(1).to(images.device)
    if len(index):
        outside = (sampling_grid(warps[index], side_px).abs_().amax(-1) > 1).unsqueeze(1)
        colour = fill.to(images.device)[index][:, :, None, None]
        warped[index] = torch.where(outside, colour, warped[index])
    return warped


def _pieces(images: Tensor) -> Iterator[slice]:
    """The batch in parts of about ``PIECE_BYTES`` for each thread; in one on an accelerator."""
    count = len(images)
    if images.device.type == "cpu":
        bytes_each = images[0].numel() * torch.float32.itemsize if count else 1
        count = max(round(PIECE_BYTES * torch.get_num_threads() / bytes_each), 1)
    for start in range(0, len(images), max(count, 1)):
        yield slice(start, start + count)


def pyramid_levels(warps: Tensor, shrink: float) -> Tensor:
    """By how much each picture is averaged down before sampling, so that no pixel is skipped.

    Args:
        warps: ``[n, 3, 3]``.
        shrink: source side over result side.

    Returns:
        Int64 ``[n]``: 1 where bilinear sampling is good enough.
    """
    steps = warps[:, :2, :2].norm(dim=1).amax(1) * shrink
    return torch.where(steps >= ANTIALIAS_FROM, steps.round(), torch.ones_like(steps)).long()


def _sample(images: Tensor, grid: Tensor, levels: Tensor) -> Tensor:
    found = sorted(set(levels.tolist()))
    if len(found) == 1:
        return _sample_level(images, grid, found[0])
    warped = images.new_empty(len(images), images.shape[1], *grid.shape[1:3])
    for level in found:
        index = (levels == level).nonzero().squeeze(1).to(images.device)
        warped[index] = _sample_level(images[index], grid[index], level)
    return warped


def _sample_level(images: Tensor, grid: Tensor, level: int) -> Tensor:
    if level > 1:
        # Places are relative, so the same grid fits every level of the pyramid.
        side = max(images.shape[-1] // level, 1)
        images = F.interpolate(images, size=(side, side), mode="area")
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
