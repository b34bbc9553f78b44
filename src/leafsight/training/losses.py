"""The loss: cross entropy or focal, with soft targets, label smoothing, class weights and logit adjustment.

Enters: logits and labels or soft targets. Leaves: one number, the mean over the batch. It does not know where
weights and counts come from (``balance``) nor how targets became soft (``mixing``).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from leafsight.errors import TrainingError
from leafsight.training.draws import Options

LEAST_DOUBT = 1e-6


class LossOptions(Options):
    """Which loss.

    Attributes:
        name: ``cross_entropy`` or ``focal`` (Lin 2017, arXiv 1708.02002).
        label_smoothing: share of each target that is spread evenly over all classes (Szegedy 2016).
        focal_gamma: how strongly the focal loss passes over what is already right; 0 is cross entropy.
        logit_adjustment: tau of Menon 2021 (arXiv 2007.07314): while training, tau times the logarithm of its
            share is added to each class's logit, so that the plain logits afterwards favour no class; 0 is
            off.
    """

    name: Literal["cross_entropy", "focal"] = "cross_entropy"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    focal_gamma: float = Field(default=2.0, ge=0, le=10)
    logit_adjustment: float = Field(default=0.0, ge=0, le=4)


class Loss(nn.Module):
    """``loss(logits, targets) -> scalar``; constants move with ``.to(device)``. Built by ``build_loss``."""

    adjustment: Tensor | None
    weights: Tensor | None

    def __init__(self, options: LossOptions, adjustment: Tensor | None, weights: Tensor | None) -> None:
        super().__init__()
        self._options = options
        self.register_buffer("adjustment", adjustment, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    def forward(
        self, logits: Float[Tensor, "n c"], targets: Float[Tensor, "n c"] | Int64[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """Mean loss of a batch.

        Args:
            logits: of the network, any float type; the loss is taken in float32.
            targets: classes, or rows of shares that sum to 1.
        """
        logits = logits.float()
        if self.adjustment is not None:
            logits = logits + self.adjustment
        if targets.ndim == 1 and self._is_plain:
            return F.cross_entropy(logits, targets)
        soft = self._soft(targets, logits.shape[1])
        log_share = logits.log_softmax(1)
        loss = -soft * log_share
        if self._options.name == "focal":
            # With soft targets each class counts by its share; with plain labels this is Lin's formula.
            # The floor keeps the slope of a power under one finite where the network is certain.
            missing = (-torch.expm1(log_share)).clamp_min(LEAST_DOUBT)
            loss = loss * missing.pow(self._options.focal_gamma)
        if self.weights is not None:
            # Weighted by class and divided by the size of the batch, not by the sum of the weights: a batch
            # of common classes then counts less than one of rare classes, as it would in the whole data set.
            loss = loss * self.weights
        return loss.sum(1).mean()

    @property
    def _is_plain(self) -> bool:
        options = self._options
        return options.name == "cross_entropy" and not options.label_smoothing and self.weights is None

    def _soft(self, targets: Tensor, n_classes: int) -> Tensor:
        soft = F.one_hot(targets, n_classes).float() if targets.ndim == 1 else targets.float()
        smoothing = self._options.label_smoothing
        return soft * (1 - smoothing) + smoothing / n_classes if smoothing else soft


def build_loss(
    options: LossOptions,
    counts: Int64[np.ndarray, " c"],
    weights: Float32[np.ndarray, " _"] | None = None,
) -> Loss:
    """The loss of a run.

    Args:
        options: which one.
        counts: training photographs of each class, for the logit adjustment.
        weights: of the classes, as from ``class_weights``; ``None`` for all alike.

    Raises:
        TrainingError: weights and counts are for different numbers of classes, or a weight is negative or not
            finite, or no class has a photograph.
    """
    if weights is not None and (weights.shape != counts.shape or not (weights >= 0).all()):
        raise TrainingError(f"class weights {weights.tolist()} do not fit {len(counts)} classes")
    if counts.sum() <= 0 or (counts < 0).any():
        raise TrainingError(f"counts of photographs must not be negative and not all zero: {counts.tolist()}")
    adjustment = None
    if options.logit_adjustment:
        # A class without photographs counts as half of one: the logarithm must stay finite.
        share = torch.from_numpy(np.maximum(counts, 0.5) / counts.sum())
        adjustment = (options.logit_adjustment * share.log()).float()
    usable = None if weights is None or bool((weights == 1).all()) else torch.from_numpy(weights.copy())
    return Loss(options, adjustment, usable)
