"""The convolution that all networks here are made of, in both paddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's ``SAME`` padding, computed from the size of its input.

    The output side is ``ceil(side / stride)``. The padding needed in total is
    ``max((ceil(side / stride) - 1) * stride + kernel - side, 0)``; the smaller half goes left and top
    (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2). For stride 1 and an odd kernel this
    is the usual symmetric padding, so only strided layers pay for a separate pad.

    Input and output are float [n, channels, height, width].
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """The convolution of the padded input."""
        top, bottom = self._amounts(int(input.shape[-2]), 0)
        left, right = self._amounts(int(input.shape[-1]), 1)
        if top == bottom and left == right:
            return F.conv2d(
                input, self.weight, self.bias, self.stride, (top, left), self.dilation, self.groups
            )
        padded = F.pad(input, (left, right, top, bottom))
        return F.conv2d(padded, self.weight, self.bias, self.stride, (0, 0), self.dilation, self.groups)

    def _amounts(self, side_px: int, axis: int) -> tuple[int, int]:
        stride, reach = self.stride[axis], self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        total = max((-(-side_px // stride) - 1) * stride + reach - side_px, 0)
        return total // 2, total - total // 2


def convolution(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, same: bool = False
) -> nn.Conv2d:
    """A convolution without bias (a batch normalisation follows) that keeps the side at stride 1."""
    if same and stride > 1:
        return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


def initialise(module: nn.Module) -> None:
    """Random weights from torch's global generator.

    Convolutions: He normal over the fan-out (He et al. 2015, arXiv:1502.01852), as torchvision does for
    MobileNetV2 and ResNet. Batch normalisation: the identity. Dense layers: normal with deviation 0.01 and no
    bias, so that the first predictions are near uniform.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.01)
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.ones_(part.weight)
        if isinstance(part, nn.Conv2d | nn.Linear | nn.BatchNorm2d) and part.bias is not None:
            nn.init.zeros_(part.bias)


@torch.no_grad()
def count_parameters(module: nn.Module, *, trainable_only: bool = False) -> int:
    """How many numbers a module learns; batch statistics and other buffers do not count."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable_only)
