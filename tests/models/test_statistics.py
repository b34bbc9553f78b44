from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from leafsight.errors import TrainingError
from leafsight.models import ModelOptions, Network, build_network, load_pretrained, remeasure_batch_statistics


def disturbed(options: ModelOptions) -> Network:
    """A network whose batch normalisations hold statistics that have nothing to do with anything."""
    network = build_network(options, 4)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.5)
            nn.init.uniform_(layer.running_var, 0.3, 3)
            nn.init.normal_(layer.weight, 1.0, 0.3)
            nn.init.normal_(layer.bias, std=0.3)
    return network


@pytest.mark.parametrize(
    "options",
    [
        ModelOptions(name="simple_cnn", width=0.25, dropout=0),
        ModelOptions(width=0.35, dropout=0),
        ModelOptions(name="resnet18", dropout=0),
    ],
    ids=lambda options: options.name,
)
def test_eval_stays_and_train_comes_close(options: ModelOptions, pixels: torch.Tensor) -> None:
    network = disturbed(options).eval()
    with torch.no_grad():
        before = network(pixels)
        train_before = network.train().outputs(pixels).feature_map
        network.eval()
    network.load_state_dict(disturbed(options).state_dict())  # train mode above moved the statistics
    with torch.no_grad():
        before = network.eval().outputs(pixels)
        assert remeasure_batch_statistics(network, pixels.split(3)) == 8
        after = network.outputs(pixels)
        scale = before.feature_map.abs().max()
        assert torch.allclose(before.logits, after.logits, atol=1e-4)
        assert (before.feature_map - after.feature_map).abs().max() < 1e-4 * scale
        train_after = network.train().outputs(pixels).feature_map
    assert (train_before - before.feature_map).abs().max() > 0.1 * scale
    # The statistics are unbiased variances, the batch's are biased ones: close, not equal.
    off = (train_after - before.feature_map).abs().mean() / before.feature_map.abs().mean()
    assert off < 0.25


def test_statistics_are_those_of_all_batches_together(pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 2)
    seen: list[torch.Tensor] = []
    norm = network.features[0][1]
    norm.register_forward_pre_hook(lambda module, args: seen.append(args[0].detach().clone()))
    remeasure_batch_statistics(network, [pixels[:1], pixels[1:1], pixels[1:]])
    whole = torch.cat(seen).double().transpose(0, 1).flatten(1)
    torch.testing.assert_close(norm.running_mean.double(), whole.mean(1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(norm.running_var.double(), whole.var(1), atol=1e-5, rtol=1e-5)


def test_mode_and_hooks_are_put_back(pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 2).train()
    remeasure_batch_statistics(network, [pixels])
    assert network.training
    assert all(not module._forward_pre_hooks for module in network.modules())


def test_channels_that_never_move_survive(pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 2).eval()
    nn.init.zeros_(network.features[0][0].weight)
    with torch.no_grad():
        before = network(pixels)
        remeasure_batch_statistics(network, [pixels])
        assert torch.allclose(network(pixels), before, atol=1e-5)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def test_nothing_to_measure_is_refused() -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 2)
    with pytest.raises(TrainingError, match="no photographs"):
        remeasure_batch_statistics(network, [])


def test_values_that_are_not_finite_change_nothing(pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(TrainingError, match="not finite"):
        remeasure_batch_statistics(network, [pixels, pixels * float("nan")])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.slow
def test_shared_weights_start_close_to_themselves(shared_weights: Path, pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(dropout=0), 1000)
    load_pretrained(network, shared_weights)
    with torch.no_grad():
        before = network.eval()(pixels)
        remeasure_batch_statistics(network, [pixels])
        after = network(pixels)
        train = network.train()(pixels)
    assert (before - after).abs().max() < 1e-4
    assert (train.argmax(1) == before.argmax(1)).float().mean() >= 0.75
