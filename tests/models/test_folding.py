from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from leafsight.models import ModelOptions, Network, build_network, folded_copy


def with_settled_statistics(options: ModelOptions) -> Network:
    """Random weights whose batch normalisations do something."""
    torch.manual_seed(0)
    network = build_network(options, 5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, std=0.3)
    return network


def pixels(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, 48, 48, generator=generator) * 255


@pytest.mark.parametrize(
    "options",
    [
        ModelOptions(width=0.35),
        ModelOptions(width=0.35, padding="symmetric"),
        ModelOptions(name="simple_cnn", width=0.25, head=(16,)),
        ModelOptions(name="resnet18"),
        ModelOptions(name="resnet50"),
    ],
    ids=["same", "symmetric", "simple", "resnet18", "resnet50"],
)
def test_folded_copy_says_the_same_without_batch_norms(options: ModelOptions) -> None:
    network = with_settled_statistics(options).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded = folded_copy(network, pixels(2))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert network.training
    assert not folded.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    with torch.inference_mode():
        wanted, found = network.eval()(pixels(7)), folded(pixels(7))
    assert wanted.abs().max() > 0
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4 * float(wanted.abs().max()))


class Backwards(nn.Module):
    """Names a convolution before a normalisation and uses them the other way round."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.convolution(self.norm(x))
        return result


def test_layers_in_another_order_than_their_names_are_left_alone() -> None:
    torch.manual_seed(0)
    head = nn.Sequential(nn.Dropout(0), nn.Linear(3, 2))
    network = Network(ModelOptions(), Backwards(), head)
    nn.init.uniform_(network.features.norm.running_var, 2.0, 9.0)
    folded = folded_copy(network, pixels(2))
    assert isinstance(folded.features.norm, nn.BatchNorm2d)
    with torch.inference_mode():
        assert torch.equal(folded(pixels(3)), network.eval()(pixels(3)))
