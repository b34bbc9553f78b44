"""ResNet-9: the small residual network of quick CIFAR-10 training.

After D. Page 2018, "How to train your ResNet": eight convolutions of 3x3 and a dense layer. Nothing
strides, maxima of 2x2 halve the side three times, so that it suits pictures of 32 px, for which MobileNetV2
and the larger ResNets keep too few places. Where Page takes the maximum at the end, ours takes the mean as
all networks here, which keeps heatmaps exact.
"""

from __future__ import annotations

from torch import Tensor, nn

from leafsight.models.convolution import convolution
from leafsight.models.mobilenet import rounded_channels

BLOCK_CHANNELS = (64, 128, 256, 512)


class Added(nn.Module):
    """Two units added to their input; float [n, channels, h, w] in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.units = nn.Sequential(*_unit(channels, channels), *_unit(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        added: Tensor = x + self.units(x)
        return added


def _unit(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return convolution(inputs, outputs, 3), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _halving(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """A unit that pools before it normalises, which leaves the rest a quarter of the places."""
    return (
        convolution(inputs, outputs, 3),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def resnet9_features(width: float) -> tuple[nn.Sequential, int]:
    """Stem and three blocks, of which the first and the last have a residual part.

    Input float [n, 3, h, w] with sides of at least 8 px, output float [n, channels, h // 8, w // 8] with
    channels = 512 * width. 6,568,000 parameters before the head at width 1, as Page's network.
    """
    stem, first, second, third = (rounded_channels(base * width) for base in BLOCK_CHANNELS)
    blocks = (
        nn.Sequential(*_unit(3, stem)),
        nn.Sequential(*_halving(stem, first), Added(first)),
        nn.Sequential(*_halving(first, second)),
        nn.Sequential(*_halving(second, third), Added(third)),
    )
    return nn.Sequential(*blocks), third
