"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) with torchvision's names of tensors."""

from __future__ import annotations

from torch import Tensor, nn

from leafsight.models.convolution import convolution

# Table 2 of the paper: expansion, channels, repeats, stride of the first repeat.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS, LAST_CHANNELS = 32, 1280
BATCH_NORM_EPS = 1e-5


def rounded_channels(channels: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``channels``, never more than 10 % below it.

    The rule of the authors' own code (tensorflow/models, slim/nets/mobilenet/mobilenet.py, make_divisible).
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def _unit(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, same: bool
) -> nn.Sequential:
    return nn.Sequential(
        convolution(inputs, outputs, kernel, stride=stride, groups=groups, same=same),
        nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand 1x1, filter 3x3 per channel, project 1x1 without activation; added to its input if shapes agree.

    Input float [n, inputs, h, w], output float [n, outputs, ceil(h / stride), ceil(w / stride)].
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int, same: bool) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [_unit(inputs, hidden, 1, same=same)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *expand,
            _unit(hidden, hidden, 3, stride=stride, groups=hidden, same=same),
            convolution(hidden, outputs, 1),
            nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS),
        )
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y: Tensor = self.conv(x)
        return x + y if self.adds_input else y


def mobilenet_v2_features(width: float, *, same: bool) -> tuple[nn.Sequential, int]:
    """The 19 blocks before pooling and the number of channels that leave them.

    Input float [n, 3, h, w], output float [n, channels, ceil(h / 32), ceil(w / 32)]; channels are 1280 up to
    width 1 and grow above it.
    """
    channels = rounded_channels(STEM_CHANNELS * width)
    blocks: list[nn.Module] = [_unit(3, channels, 3, stride=2, same=same)]
    for expansion, base, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            outputs = rounded_channels(base * width)
            stride = first_stride if repeat == 0 else 1
            blocks.append(InvertedResidual(channels, outputs, stride=stride, expansion=expansion, same=same))
            channels = outputs
    last = rounded_channels(LAST_CHANNELS * max(1.0, width))
    blocks.append(_unit(channels, last, 1, same=same))
    return nn.Sequential(*blocks), last
