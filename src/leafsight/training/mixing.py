"""Mixup and CutMix: two pictures of a batch become one, and so do their labels.

Enters: augmented pictures and labels. Leaves: pictures and soft targets, rows that sum to 1. It does not know
how a loss reads them.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

from leafsight.training.draws import Draws, Options, Probability


class MixingOptions(Options):
    """How often which of the two; the defaults mix nothing.

    Attributes:
        mixup_probability: share of pictures that are blended with another one (Zhang 2018, arXiv 1710.09412).
        mixup_alpha: of the symmetric Beta distribution that gives the shares; small stays near one picture.
        cutmix_probability: share of pictures that get a rectangle of another one (Yun 2019, arXiv
            1905.04899).
        cutmix_alpha: the same for the area of the rectangle.
    """

    mixup_probability: Probability = 0.0
    mixup_alpha: float = Field(default=0.2, gt=0, allow_inf_nan=False)
    cutmix_probability: Probability = 0.0
    cutmix_alpha: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_of_two(self) -> MixingOptions:
        if self.mixup_probability + self.cutmix_probability > 1:
            raise ValueError("mixup_probability and cutmix_probability that sum to at most 1")
        return self


def mix_batch(
    images: Float[Tensor, "n channels height width"],
    labels: Int64[Tensor, " n"],
    n_classes: int,
    options: MixingOptions,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "n channels height width"], Float[Tensor, "n classes"]]:
    """Mix each picture, with the probabilities, with another picture of the batch.

    Args:
        images: the batch; not changed.
        labels: class of each, below ``n_classes``.
        n_classes: width of the targets.
        options: how often which.
        generator: source of every draw.

    Returns:
        The pictures (the same tensor when nothing is mixed) and float32 targets whose rows sum to 1.
    """
    targets = F.one_hot(labels, n_classes).float()
    if not options.mixup_probability and not options.cutmix_probability:
        return images, targets
    count, _, height, width = images.shape
    draws = Draws(generator, count)
    which = draws.uniform(0.0, 1.0)
    blended = which < options.mixup_probability
    cut = ~blended & (which < options.mixup_probability + options.cutmix_probability)
    partner = torch.randperm(count, generator=generator, device=generator.device)
    kept = _beta(draws, options.mixup_alpha)
    tops, lefts, talls, wides = _rectangles(draws, _beta(draws, options.cutmix_alpha), height, width)
    # The share that counts is that of the rectangle as clipped to the picture, not the one that was drawn.
    kept = torch.where(cut, 1 - talls * wides / (height * width), kept)
    kept = torch.where(blended | cut, kept, torch.ones_like(kept))
    mixed = images.clone()
    index = blended.nonzero().squeeze(1)
    here, other = index.to(images.device), partner[index].to(images.device)
    mixed[here] = torch.lerp(images[other], images[here], kept[index].to(images.device)[:, None, None, None])
    for i in cut.nonzero().squeeze(1).tolist():
        down = slice(int(tops[i]), int(tops[i] + talls[i]))
        across = slice(int(lefts[i]), int(lefts[i] + wides[i]))
        mixed[i, :, down, across] = images[int(partner[i]), :, down, across]
    share = kept.to(targets.device)[:, None]
    return mixed, share * targets + (1 - share) * targets[partner.to(targets.device)]


def _beta(draws: Draws, alpha: float) -> Tensor:
    """``Beta(alpha, alpha)`` for each picture, float32 in 0..1."""
    # torch's own Beta takes no generator.
    drawn = np.random.default_rng(draws.seed()).beta(alpha, alpha, draws.count)
    return torch.from_numpy(drawn.astype(np.float32)).to(draws.generator.device)


def _rectangles(draws: Draws, kept: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, left, height and width in pixels (float, whole) of rectangles of area ``1 - kept``."""
    sides = (1 - kept).sqrt()
    middle = draws.uniform(0.0, 1.0, 2)
    top = (middle[:, 0] * height - sides * height / 2).round().clamp(0, height)
    left = (middle[:, 1] * width - sides * width / 2).round().clamp(0, width)
    bottom = (middle[:, 0] * height + sides * height / 2).round().clamp(0, height)
    right = (middle[:, 1] * width + sides * width / 2).round().clamp(0, width)
    return top, left, bottom - top, right - left
