"""The optimiser of a stage: which weights move, how fast, and which are spared decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from leafsight.training.options import OptimizerOptions

SEPARATOR = "."


def build_optimizer(
    network: nn.Module, options: OptimizerOptions, learning_rate: float, backbone_rate: float = 1.0
) -> Optimizer:
    """AdamW (Loshchilov & Hutter 2019) or SGD with Nesterov momentum over the weights that require gradients.

    Norm weights and biases (anything of one dimension) get no weight decay: decaying a scale does not
    regularise what a norm undoes. Each group's ``peak`` is the learning rate that a schedule scales.

    Args:
        network: with ``requires_grad`` set as the stage wants it.
        options: the table in force.
        learning_rate: of the head.
        backbone_rate: factor on it for every weight not below ``head``.
    """
    groups = [
        group
        for group in _groups(network, options.weight_decay, learning_rate, backbone_rate)
        if group["params"]
    ]
    fused = all(parameter.device.type in ("cpu", "cuda") for group in groups for parameter in group["params"])
    if options.name == "sgd":
        nesterov = options.momentum > 0
        return SGD(groups, lr=learning_rate, momentum=options.momentum, nesterov=nesterov, fused=fused)
    return AdamW(groups, lr=learning_rate, betas=options.betas, fused=fused)


def _groups(
    network: nn.Module, decay: float, learning_rate: float, backbone_rate: float
) -> list[dict[str, Any]]:
    moving = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    groups = []
    for in_head, rate in ((True, learning_rate), (False, learning_rate * backbone_rate)):
        here = [weight for name, weight in moving if name.startswith("head.") == in_head]
        for decays in (True, False):
            chosen = [weight for weight in here if (weight.ndim > 1) == decays]
            groups.append(
                {"params": chosen, "lr": rate, "peak": rate, "weight_decay": decay if decays else 0.0}
            )
    return groups


def set_learning_rate(optimizer: Optimizer, factor: float) -> float:
    """Scale every group's peak by ``factor``; returns the rate of the first group."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor
    return float(optimizer.param_groups[0]["lr"])


def clip_gradients(optimizer: Optimizer, clip_norm: float) -> Tensor:
    """Scale all gradients together to a norm of at most ``clip_norm``; 0 only measures.

    Returns:
        The norm before clipping (Pascanu et al. 2013), NaN or infinite when a gradient is; on the device, as
        a number would make it wait.
    """
    weights = [
        weight for group in optimizer.param_groups for weight in group["params"] if weight.grad is not None
    ]
    norm = nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    if clip_norm > 0:
        nn.utils.clip_grads_with_norm_(weights, clip_norm, norm)
    return norm


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """The optimiser's memory as named tensors: ``<index of weight>.<name>``."""
    state: Mapping[int, Mapping[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{index}{SEPARATOR}{name}": value if isinstance(value, Tensor) else torch.tensor(value)
        for index, entry in state.items()
        for name, value in entry.items()
        if value is not None
    }


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give a fresh optimiser of the same weights the memory that ``optimizer_tensors`` named."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(SEPARATOR)
        state.setdefault(int(index), {})[name] = _laid_out_like(weights[int(index)], tensor)
    # The groups come from the recipe; only the memory is taken.
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_like(weight: Tensor, tensor: Tensor) -> Tensor:
    """A moment with the strides of its weight: fused kernels walk both by address, not by index."""
    if tensor.shape != weight.shape:
        return tensor
    return torch.empty_like(weight, dtype=tensor.dtype, memory_format=torch.preserve_format).copy_(tensor)
