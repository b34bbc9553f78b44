"""MobileNetV2, ResNet and the small one: sizes against the papers, names against torchvision."""

from __future__ import annotations

import pytest
import torch

from leafsight.models import ModelOptions, build_network, count_parameters
from leafsight.models.mobilenet import InvertedResidual, mobilenet_v2_features, rounded_channels
from leafsight.models.resnet import BasicBlock, Bottleneck
from leafsight.models.resnet9 import Added, resnet9_features


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # torchvision's documentation of each network, 1000 classes.
        ("mobilenet_v2", 3_504_872),
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
    ],
)
def test_parameter_counts_are_the_published_ones(name: str, parameters: int) -> None:
    assert count_parameters(build_network(ModelOptions(name=name), 1000)) == parameters


@pytest.mark.parametrize(
    ("width", "parameters"),
    # Keras' mobilenet_v2 weights (keras-applications, table in mobilenet_v2.py), in millions.
    [(1.4, 6.06), (1.3, 5.3), (0.75, 2.61), (0.5, 1.95), (0.35, 1.66)],
)
def test_width_multiplies_mobilenet(width: float, parameters: float) -> None:
    found = count_parameters(build_network(ModelOptions(width=width), 1000)) / 1e6
    assert found == pytest.approx(parameters, rel=0.03)


def test_simple_cnn_size_and_width() -> None:
    assert count_parameters(build_network(ModelOptions(name="simple_cnn"), 2).features) == 388_896
    assert build_network(ModelOptions(name="simple_cnn", width=0.5), 2).embedding_size == 128


def test_resnet9_size_and_width() -> None:
    # With ten classes Page's has 6,573,120, and a dense layer without the ten biases of ours.
    assert count_parameters(build_network(ModelOptions(name="resnet9"), 10)) == 6_573_130
    assert build_network(ModelOptions(name="resnet9", width=0.5), 2).embedding_size == 256


def test_resnet9_halves_three_times_and_adds_its_input() -> None:
    features, channels = resnet9_features(0.25)
    assert features.eval()(torch.zeros(1, 3, 35, 64)).shape == (1, channels, 4, 8)
    added = Added(8).eval()
    torch.nn.init.zeros_(added.units[0].weight)
    x = torch.randn(1, 8, 6, 6)
    assert torch.equal(added(x), x)


def test_channels_are_never_rounded_far_down() -> None:
    assert [rounded_channels(c) for c in (1, 8, 11.9, 12, 32 * 0.35, 24 * 0.35, 160 * 1.4)] == [
        8, 8, 16, 16, 16, 8, 224,
    ]  # fmt: skip


@pytest.mark.parametrize("side", [64, 65, 97])
@pytest.mark.parametrize("same", [True, False])
def test_mobilenet_halves_five_times_rounding_up(side: int, same: bool) -> None:
    features, channels = mobilenet_v2_features(0.35, same=same)
    out = features.eval()(torch.zeros(1, 3, side, side))
    assert (channels, out.shape) == (1280, (1, 1280, -(-side // 32), -(-side // 32)))


def test_mobilenet_adds_its_input_only_where_shapes_agree() -> None:
    block = InvertedResidual(8, 8, stride=1, expansion=6, same=True).eval()
    torch.nn.init.zeros_(block.conv[-1].weight)
    x = torch.randn(1, 8, 6, 6)
    assert torch.equal(block(x), x)
    assert not InvertedResidual(8, 8, stride=2, expansion=6, same=True).adds_input
    assert not InvertedResidual(8, 16, stride=1, expansion=6, same=True).adds_input


def test_projection_has_no_activation() -> None:
    torch.manual_seed(0)
    block = InvertedResidual(8, 16, stride=1, expansion=6, same=True)
    assert block(torch.randn(4, 8, 6, 6)).min() < 0


@pytest.mark.parametrize(("block", "out"), [(BasicBlock, 64), (Bottleneck, 256)])
def test_resnet_blocks_fall_back_to_their_shortcut(block: type, out: int) -> None:
    part = block(out, 64, 1).eval()
    assert part.downsample is None
    torch.nn.init.zeros_(part.bn2.weight if block is BasicBlock else part.bn3.weight)
    x = torch.randn(1, out, 5, 5)
    assert torch.equal(part(x), x.relu())
    assert block(out, 64, 2)(x).shape == (1, out, 3, 3)


def test_names_of_tensors_are_torchvisions() -> None:
    resnet = dict(build_network(ModelOptions(name="resnet50"), 5).features.named_parameters())
    assert resnet["layer4.0.downsample.0.weight"].shape == (2048, 1024, 1, 1)
    assert resnet["layer1.2.conv3.weight"].shape == (256, 64, 1, 1)
    assert resnet["conv1.weight"].shape == (64, 3, 7, 7)
    mobile = dict(build_network(ModelOptions(), 5).features.named_parameters())
    assert mobile["1.conv.0.0.weight"].shape == (32, 1, 3, 3)
    assert mobile["2.conv.1.0.weight"].shape == (96, 1, 3, 3)
    assert mobile["18.0.weight"].shape == (1280, 320, 1, 1)
