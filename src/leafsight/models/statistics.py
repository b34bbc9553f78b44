"""Batch statistics measured again on one's own photographs, without changing what the network says."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from leafsight.errors import TrainingError


class _Moments:
    """Mean and variance of each channel over many batches, merged in float64.

    The merge is Chan, Golub and LeVeque's (1979), which stays exact where sums of squares cancel.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = torch.zeros((), dtype=torch.float64)

    def add(self, x: Tensor) -> None:
        """Take in float [n, channels] or [n, channels, h, w]."""
        axes = [axis for axis in range(x.ndim) if axis != 1]
        variance, mean = torch.var_mean(x.float(), dim=axes, correction=0)
        count = x.numel() // x.shape[1]
        # cpu() first: Apple's GPUs know no float64.
        mean64, variance64 = mean.cpu().double(), variance.cpu().double()
        total, delta = self.count + count, mean64 - self.mean
        self.squares = self.squares + variance64 * count + delta**2 * (self.count * count / total)
        self.mean = self.mean + delta * (count / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        """Unbiased, as torch keeps it in ``running_var``; float64 [channels]."""
        return self.squares / max(self.count - 1, 1)


@torch.no_grad()
def remeasure_batch_statistics(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Give every batch normalisation the mean and variance it sees on ``batches``, and keep its output.

    For weights whose statistics come from other pictures: in eval mode the network stays the same function,
    and in train mode it now starts close to it. With new statistics ``m', v'`` for old ``m, v``:
    ``gamma' = gamma * sqrt((v' + eps) / (v + eps))`` and
    ``beta' = beta + gamma / sqrt(v + eps) * (m' - m)``.
    Since no output changes, all layers are measured in one pass in eval mode, in any order.

    Args:
        network: changed in place; its mode is restored.
        batches: float [n, 3, h, w] with values 0..255, augmented as they will be in training; a few hundred
            photographs are enough. Moved to the network's device.

    Returns:
        The number of photographs seen.

    Raises:
        TrainingError: no photographs, or values that are not finite reach a layer.
    """
    layers = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    moments = {layer: _Moments() for layer in layers}
    hooks = [
        layer.register_forward_pre_hook(lambda module, args: moments[module].add(args[0])) for layer in layers
    ]
    device = next(network.parameters()).device
    was_training, seen = network.training, 0
    network.eval()
    try:
        for batch in batches:
            if len(batch) == 0:
                continue
            network(batch.to(device))
            seen += len(batch)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(was_training)
    if seen == 0:
        raise TrainingError("no photographs to measure batch statistics on")
    for layer, measured in moments.items():
        if measured.count > 0:
            _replace_statistics(layer, measured)
    return seen


def _replace_statistics(layer: _BatchNorm, measured: _Moments) -> None:
    if layer.running_mean is None or layer.running_var is None or not layer.affine:
        return
    mean, variance = measured.mean, measured.variance
    if not bool(torch.isfinite(mean).all() and torch.isfinite(variance).all()):
        raise TrainingError("a batch normalisation sees values that are not finite", hint="check the weights")
    old_mean, old_variance = layer.running_mean.cpu().double(), layer.running_var.cpu().double()
    gamma, beta = layer.weight.cpu().double(), layer.bias.cpu().double()
    layer.weight.copy_(gamma * ((variance + layer.eps) / (old_variance + layer.eps)).sqrt())
    layer.bias.copy_(beta + gamma / (old_variance + layer.eps).sqrt() * (mean - old_mean))
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(variance)
