"""Background replacement: a leaf photographed on a plain table is put somewhere else.

Nearly all laboratory photographs of a class lie on the same table, and other classes are only seen in fields,
so a background tells the class (Noyan 2022, arXiv 2206.04374). Here the background is drawn on its own, so it
tells nothing. Enters: a batch and its cache rows. Leaves: the batch, with some leaves on new backgrounds;
labels stay those of the leaves. Photographs with busy backgrounds cannot be cut out and are left as they are.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64, Num
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from leafsight.errors import TrainingError
from leafsight.training.augmentation_colour import ColourOptions, change_colours
from leafsight.training.augmentation_geometry import affine, rotations, sampling_grid
from leafsight.training.background_bank import BackgroundBank, Kind, build_bank
from leafsight.training.background_foliage import soft_masks, warp_with_alpha
from leafsight.training.draws import Draws, Options, PositiveRange, Probability, Range
from leafsight.training.resampling import apply_separable, gaussian_matrices

__all__ = ["BackgroundBank", "BackgroundOptions", "build_bank", "replace_backgrounds"]

TOUCHING_SHARE = 0.08  # of the frame's border on the leaf: then moving it inward would show a straight cut
Weight = float


class BackgroundOptions(Options):
    """How often, and onto what. Lengths are pixels at the cache's side.

    Attributes:
        probability: share of the plain photographs whose background is replaced; 0 switches everything off.
        field_weight: weight of busy photographs of other classes.
        place_weight: weight of photographs of the not-a-leaf classes.
        texture_weight: weight of drawn textures.
        foliage_weight: weight of strewn leaves.
        crop_area: share of a background picture that is used.
        blur_probability: share of backgrounds that are out of focus.
        field_blur_probability: the same for photographs of other classes, more often; they show leaves with
            diseases of their own, which must not compete with the leaf in front.
        blur_sigma_px: how far out of focus.
        leaf_scale: size of the leaf against the photograph's, log-uniform.
        leaf_rotation_degrees: largest turn of the leaf against the background.
        leaf_colour: change of the leaf's light on its own.
        background_colour: change of the background's.
        shadow_probability: share of leaves that throw a shadow.
        shadow_strength: darkness of the shadow.
    """

    probability: Probability = 0.0
    field_weight: Weight = Field(default=2.0, ge=0)
    place_weight: Weight = Field(default=1.0, ge=0)
    texture_weight: Weight = Field(default=1.0, ge=0)
    foliage_weight: Weight = Field(default=2.0, ge=0)
    crop_area: PositiveRange = (0.15, 1.0)
    blur_probability: Probability = 0.5
    field_blur_probability: Probability = 0.8
    blur_sigma_px: Range = (1.5, 6.0)
    leaf_scale: PositiveRange = (0.65, 1.3)
    leaf_rotation_degrees: float = Field(default=180.0, ge=0, le=180)
    leaf_colour: ColourOptions = ColourOptions(
        probability=0.8, brightness=(0.8, 1.3), contrast=(0.85, 1.2), saturation=(0.85, 1.2), temperature=0.06
    )
    background_colour: ColourOptions = ColourOptions(
        probability=1.0, brightness=(0.6, 1.6), contrast=(0.7, 1.3), saturation=(0.5, 1.4), temperature=0.15
    )
    shadow_probability: Probability = 0.4
    shadow_strength: Range = (0.2, 0.7)


def replace_backgrounds(
    images: Num[Tensor, "n 3 side side"],
    rows: Int64[np.ndarray, " n"],
    bank: BackgroundBank,
    generator: torch.Generator,
    options: BackgroundOptions,
) -> Float[Tensor, "n 3 side side"]:
    """Put a random share of the plain photographs of a batch onto other backgrounds.

    Args:
        images: uint8 or float, 0..255, as in the cache (not yet augmented); not changed.
        rows: the cache row of each.
        bank: of that cache.
        generator: source of every draw.
        options: how often and onto what.

    Returns:
        Float32 0..255.

    Raises:
        TrainingError: the pictures do not have the bank's side.
    """
    if images.shape[-2:] != (bank.side_px, bank.side_px):
        raise TrainingError(f"the bank is for pictures of {bank.side_px} px, not {tuple(images.shape[-2:])}")
    draws = Draws(generator, len(images))
    chosen = draws.chosen(options.probability) & torch.from_numpy(bank.is_plain[rows]).to(generator.device)
    # Contiguous, because every step below runs plane by plane; bytes are cheaper to turn than floats.
    result = images.contiguous().to(torch.float32, copy=True)
    index = chosen.nonzero().squeeze(1)
    if len(index):
        there = index.to(images.device)
        result[there] = _replaced(result[there], rows[index.cpu().numpy()], bank, generator, options)
    return result


def _replaced(
    photos: Tensor,
    rows: np.ndarray,
    bank: BackgroundBank,
    generator: torch.Generator,
    options: BackgroundOptions,
) -> Tensor:
    draws = Draws(generator, len(photos))
    masks = soft_masks(bank, rows, photos.device)
    leaves = change_colours(photos, draws, options.leaf_colour)
    moved = warp_with_alpha(leaves, masks, _draw_places(draws, masks, options))
    leaf, alpha = moved[:, :3], moved[:, 3:]
    behind = _draw_backgrounds(rows, bank, draws, options, photos.device)
    behind = _shade(behind, alpha, draws, options)
    return torch.lerp(behind, leaf, alpha).clamp_(0, 255)


def _draw_places(draws: Draws, masks: Tensor, options: BackgroundOptions) -> Tensor:
    """Warps ``[k, 3, 3]`` that move each leaf; one that the frame cuts off only grows about the middle."""
    border = torch.cat([masks[:, 0, 0], masks[:, 0, -1], masks[:, 0, :, 0], masks[:, 0, :, -1]], 1)
    touching = (border.mean(1) > TOUCHING_SHARE).to(draws.generator.device)
    scale = draws.log_uniform(*options.leaf_scale)
    scale = torch.where(touching, scale.clamp_min(1), scale)
    angle = torch.deg2rad(draws.uniform(-options.leaf_rotation_degrees, options.leaf_rotation_degrees))
    angle = torch.where(touching, torch.zeros_like(angle), angle)
    # In the frame's units a leaf of the photograph's size may move until a quarter of it would leave.
    room = (1.1 - scale).abs().clamp_max(0.4)
    shift = draws.uniform(-1.0, 1.0, 2) * torch.where(touching, (scale - 1) * 0.5, room)[:, None]
    flips = torch.stack([draws.sign(0.5), torch.ones_like(scale)], 1)
    extent = flips / scale[:, None]
    return rotations(angle) @ affine(-shift * extent, extent)


def _draw_backgrounds(
    rows: np.ndarray, bank: BackgroundBank, draws: Draws, options: BackgroundOptions, device: torch.device
) -> Tensor:
    pictures, is_field = _pick_pictures(rows, bank, draws, options)
    behind = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float().contiguous()
    area, ratio = draws.uniform(*options.crop_area), draws.log_uniform(0.6, 1.67)
    extent = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp_max(1)
    centre = draws.uniform(-1.0, 1.0, 2) * (1 - extent)
    extent = extent * torch.stack([draws.sign(0.5), draws.sign(0.5)], 1)
    sigma_px = draws.uniform(*options.blur_sigma_px)
    blurred = draws.chosen(options.blur_probability) | (
        draws.chosen(options.field_blur_probability) & is_field
    )
    result = torch.empty_like(behind)
    for index, cut in ((~blurred, _cut_sharp), (blurred, _cut_blurred)):
        here = index.nonzero().squeeze(1)
        if len(here):
            there = here.to(device)
            result[there] = cut(behind[there], centre[here], extent[here], sigma_px[here])
    return change_colours(result, draws, options.background_colour)


def _cut_sharp(pictures: Tensor, centre: Tensor, extent: Tensor, _sigma_px: Tensor) -> Tensor:
    grid = sampling_grid(affine(centre, extent).to(pictures.device), pictures.shape[-1])
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _cut_blurred(pictures: Tensor, centre: Tensor, extent: Tensor, sigma_px: Tensor) -> Tensor:
    # What a wide Gaussian leaves is all there in a quarter of the resolution, at a sixth of the work.
    side = pictures.shape[-1]
    small = F.interpolate(pictures, size=(max(side // 4, 1),) * 2, mode="area")
    # The blur is stated at the result's scale; a magnified crop needs less of it in its own pixels.
    sigma = sigma_px[:, None] * extent.abs() / 4
    columns = gaussian_matrices(centre[:, 0], extent[:, 0], sigma[:, 0], small.shape[-1], side)
    down = gaussian_matrices(centre[:, 1], extent[:, 1], sigma[:, 1], small.shape[-1], side)
    return apply_separable(small, down.to(pictures.device), columns.to(pictures.device))


def _pick_pictures(
    rows: np.ndarray, bank: BackgroundBank, draws: Draws, options: BackgroundOptions
) -> tuple[np.ndarray, Tensor]:
    """Background pictures uint8 ``[k, S, S, 3]``, and which are photographs of another class."""
    wanted: dict[Kind, float] = {
        "field": options.field_weight,
        "place": options.place_weight,
        "texture": options.texture_weight,
        "foliage": options.foliage_weight,
    }
    kinds = [kind for kind in wanted if len(bank.sources.get(kind, ()))]
    weights = np.array([wanted[kind] for kind in kinds])
    if not weights.sum():
        kinds, weights = ["texture"], np.ones(1)
    steps = np.cumsum(weights / weights.sum())[:-1]
    picked = np.searchsorted(steps, draws.uniform(0.0, 1.0).cpu().numpy(), side="right")
    choice = draws.whole(2**31).cpu().numpy()
    pictures = np.empty((len(rows), bank.side_px, bank.side_px, 3), np.uint8)
    for i, kind in enumerate(kinds):
        here = np.flatnonzero(picked == i)
        if not len(here):
            continue
        pictures[here] = bank.pictures(kind, choice[here])
        if kind == "field":
            # A background of the leaf's own class would again tell the class: those get a texture.
            same = here[bank.field_labels(choice[here]) == bank.labels[rows[here]]]
            pictures[same] = bank.pictures("texture", choice[same])
    return pictures, torch.from_numpy(np.array([kind == "field" for kind in kinds])[picked])


def _shade(behind: Tensor, alpha: Tensor, draws: Draws, options: BackgroundOptions) -> Tensor:
    """Darken, in place, a share of the backgrounds by the leaf's own shape, shifted and blurred."""
    index = draws.chosen(options.shadow_probability).nonzero().squeeze(1)
    strength, shift = draws.uniform(*options.shadow_strength)[index], draws.uniform(-0.1, 0.1, 2)[index]
    blur_px = draws.uniform(0.5, 2.5)[index]
    there = index.to(alpha.device)
    if not len(index):
        return behind
    side, whole = alpha.shape[-1], torch.ones_like(blur_px)
    coarse = F.interpolate(alpha[there], size=(max(side // 4, 1),) * 2, mode="area")
    rows = gaussian_matrices(shift[:, 0], whole, blur_px, coarse.shape[-1], side).to(alpha.device)
    columns = gaussian_matrices(shift[:, 1], whole, blur_px, coarse.shape[-1], side).to(alpha.device)
    shadow = apply_separable(coarse, rows, columns).mul_(strength.to(alpha.device)[:, None, None, None])
    behind[there] = behind[there].mul_(1 - shadow)
    return behind
