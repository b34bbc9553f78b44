"""ResNet 18, 34 and 50 (He et al. 2015, arXiv:1512.03385) with torchvision's names of tensors.

As in torchvision, a bottleneck strides in its 3x3 convolution (the "v1.5" of NVIDIA's recipes), not in the
first 1x1 as the paper does: the same parameters, slightly better accuracy, and torchvision's weights fit.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F

from leafsight.models.convolution import convolution

# Table 1 of the paper: blocks per stage and whether they are bottlenecks.
DEPTHS = {
    "resnet18": ((2, 2, 2, 2), False),
    "resnet34": ((3, 4, 6, 3), False),
    "resnet50": ((3, 4, 6, 3), True),
}
STAGE_CHANNELS = (64, 128, 256, 512)
BOTTLENECK_EXPANSION = 4


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(convolution(inputs, outputs, 1, stride=stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions added to the input.

    Input float [n, inputs, h, w], output float [n, channels, ceil(h / stride), ceil(w / stride)].
    """

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, channels, 3, stride=stride), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = convolution(channels, channels, 3), nn.BatchNorm2d(channels)
        self.downsample = _shortcut(inputs, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up by four, added to the input.

    Input float [n, inputs, h, w], output float [n, 4 * channels, ceil(h / stride), ceil(w / stride)].
    """

    expansion = BOTTLENECK_EXPANSION

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        outputs = channels * self.expansion
        self.conv1, self.bn1 = convolution(inputs, channels, 1), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = convolution(channels, channels, 3, stride=stride), nn.BatchNorm2d(channels)
        self.conv3, self.bn3 = convolution(channels, outputs, 1), nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


def resnet_features(name: str) -> tuple[nn.Sequential, int]:
    """Everything before pooling, and the number of channels that leave it (512, or 2048 for resnet50).

    Input float [n, 3, h, w], output float [n, channels, ceil(h / 32), ceil(w / 32)].
    """
    repeats, deep = DEPTHS[name]
    block = Bottleneck if deep else BasicBlock
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=convolution(3, 64, 7, stride=2),
        bn1=nn.BatchNorm2d(64),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    inputs = 64
    for stage, (channels, count) in enumerate(zip(STAGE_CHANNELS, repeats, strict=True)):
        layer = nn.Sequential()
        for position in range(count):
            layer.append(block(inputs, channels, 2 if stage > 0 and position == 0 else 1))
            inputs = channels * block.expansion
        parts[f"layer{stage + 1}"] = layer
    return nn.Sequential(parts), inputs
