from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from leafsight.models.convolution import SameConv2d, convolution, count_parameters, initialise


def tensorflow_same(image: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """One channel, written from TensorFlow's description and not from our code."""
    size, reach = len(image), len(kernel)
    out = -(-size // stride)
    total = max((out - 1) * stride + reach - size, 0)
    padded = np.pad(image, (total // 2, total - total // 2))
    return np.array(
        [
            [(padded[r * stride :][:reach, c * stride :][:, :reach] * kernel).sum() for c in range(out)]
            for r in range(out)
        ]
    )


@settings(deadline=None, max_examples=40)
@given(side=st.integers(1, 19), kernel=st.sampled_from([1, 2, 3, 5, 7]), stride=st.integers(1, 3))
def test_same_padding_is_tensorflows(side: int, kernel: int, stride: int) -> None:
    layer = SameConv2d(1, 1, kernel, stride, bias=False)
    rng = np.random.default_rng(side)
    image = rng.normal(size=(side, side)).astype(np.float32)
    with torch.no_grad():
        got = layer(torch.from_numpy(image)[None, None])[0, 0].numpy()
    wanted = tensorflow_same(image, layer.weight.detach()[0, 0].numpy(), stride)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_even_side_is_padded_right_and_bottom_only() -> None:
    layer = SameConv2d(1, 1, 3, 2, bias=False)
    nn.init.ones_(layer.weight)
    image = torch.zeros(1, 1, 4, 4)
    image[..., 0, 0] = 1
    with torch.no_grad():
        assert layer(image)[0, 0].tolist() == [[1, 0], [0, 0]]
        image = torch.ones(1, 1, 4, 4)
        assert layer(image)[0, 0].tolist() == [[9, 6], [6, 4]]


def test_convolution_takes_the_cheap_way_at_stride_one() -> None:
    assert type(convolution(3, 4, 3, same=True)) is nn.Conv2d
    assert type(convolution(3, 4, 3, stride=2, same=True)) is SameConv2d
    assert type(convolution(3, 4, 3, stride=2)) is nn.Conv2d


def test_initialise_sets_spread_and_zeros() -> None:
    net = nn.Sequential(nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(64, 500))
    initialise(net)
    conv, norm, _, dense = net
    assert conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)
    assert conv.bias.abs().max() == 0
    assert torch.equal(norm.weight, torch.ones(64))
    assert dense.weight.std().item() == pytest.approx(0.01, rel=0.05)


def test_count_parameters_leaves_out_buffers_and_the_frozen() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert count_parameters(net) == 3 * 2 + 2 + 4
    net[0].requires_grad_(False)
    assert count_parameters(net, trainable_only=True) == 4
