"""A small network for first steps, tests and tiny collections."""

from __future__ import annotations

from torch import nn

from leafsight.models.convolution import convolution
from leafsight.models.mobilenet import rounded_channels

BLOCK_CHANNELS = (32, 64, 128, 256)


def simple_cnn_features(width: float) -> tuple[nn.Sequential, int]:
    """Four blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 maximum.

    Input float [n, 3, h, w] with sides of at least 16 px, output float [n, channels, h // 16, w // 16] with
    channels = 256 * width. 388,896 parameters before the head at width 1.
    """
    blocks, inputs = [], 3
    for base in BLOCK_CHANNELS:
        outputs = rounded_channels(base * width)
        unit = (
            convolution(inputs, outputs, 3),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        blocks.append(nn.Sequential(*unit))
        inputs = outputs
    return nn.Sequential(*blocks), inputs
