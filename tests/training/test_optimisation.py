from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from leafsight.models import ModelOptions, build_network
from leafsight.training.optimisation import (
    build_optimizer,
    clip_gradients,
    optimizer_tensors,
    restore_optimizer,
    set_learning_rate,
)
from leafsight.training.options import OptimizerOptions


def network() -> nn.Module:
    torch.manual_seed(0)
    built = build_network(ModelOptions(name="simple_cnn", width=0.25), 3)
    return built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def step(module: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    torch.manual_seed(seed)
    optimizer.zero_grad()
    module(torch.rand(4, 3, 16, 16).mul(255).to(memory_format=torch.channels_last)).square().mean().backward()
    optimizer.step()


def test_norms_and_biases_are_spared_decay_and_the_backbone_has_its_own_rate() -> None:
    module = network()
    optimizer = build_optimizer(module, OptimizerOptions(weight_decay=0.1), 0.01, backbone_rate=0.5)
    names = {weight: name for name, weight in module.named_parameters()}
    seen = 0
    for group in optimizer.param_groups:
        for weight in group["params"]:
            seen += 1
            assert (group["weight_decay"] == 0.1) == (weight.ndim > 1)
            assert group["peak"] == (0.01 if names[weight].startswith("head.") else 0.005)
    assert seen == len(names)


def test_frozen_weights_are_left_out() -> None:
    module = network()
    module.freeze(keep_last=0)
    optimizer = build_optimizer(module, OptimizerOptions(), 0.01)
    moving = [weight for group in optimizer.param_groups for weight in group["params"]]
    assert {id(weight) for weight in moving} == {id(weight) for weight in module.head.parameters()}


def test_the_rate_scales_every_group() -> None:
    optimizer = build_optimizer(network(), OptimizerOptions(), 0.01, backbone_rate=0.5)
    assert set_learning_rate(optimizer, 0.1) == pytest.approx(0.001)
    assert sorted({round(group["lr"], 9) for group in optimizer.param_groups}) == [0.0005, 0.001]


@pytest.mark.parametrize("table", [{"name": "adamw"}, {"name": "sgd"}, {"name": "sgd", "momentum": 0.0}])
def test_the_fused_kernels_walk_channels_last_weights_rightly(table: dict[str, Any]) -> None:
    options = OptimizerOptions(**table)
    ours, plain = network(), network()
    fast = build_optimizer(ours, options, 0.01)
    groups = build_optimizer(plain, options, 0.01).param_groups
    kind, extra = (torch.optim.AdamW, {}) if options.name == "adamw" else (torch.optim.SGD, {})
    for group in groups:
        group["fused"], group["foreach"] = False, False
    slow = kind(groups, lr=0.01, **extra)
    for seed in range(3):
        step(ours, fast, seed)
        step(plain, slow, seed)
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_restored_optimizer_goes_on_bit_for_bit(name: str) -> None:
    options = OptimizerOptions(name=name)
    whole, resumed = network(), network()
    first = build_optimizer(whole, options, 0.01)
    for seed in range(2):
        step(whole, first, seed)
    # As from a file: contiguous copies, whatever the strides were.
    saved = {
        key: tensor.clone(memory_format=torch.contiguous_format)
        for key, tensor in optimizer_tensors(first).items()
    }
    resumed.load_state_dict({key: tensor.clone() for key, tensor in whole.state_dict().items()})
    second = build_optimizer(resumed, options, 0.01)
    restore_optimizer(second, saved)
    step(whole, first, 9)
    step(resumed, second, 9)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_clipping_scales_all_gradients_together() -> None:
    module = nn.Linear(2, 1)
    optimizer = build_optimizer(module, OptimizerOptions(), 0.1)
    module.weight.grad, module.bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])
    assert float(clip_gradients(optimizer, 0.0)) == pytest.approx(5.0)
    assert module.bias.grad.item() == 4.0
    assert float(clip_gradients(optimizer, 1.0)) == pytest.approx(5.0)
    assert module.weight.grad[0, 0].item() == pytest.approx(0.6, rel=1e-4)
    assert module.bias.grad.item() == pytest.approx(0.8, rel=1e-4)
