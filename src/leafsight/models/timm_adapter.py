"""Any convolutional network of timm as a feature extractor; timm is imported only when one is asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from leafsight.errors import ConfigError, require

PROBE_SIDE_PX = 224


class TimmFeatures(nn.Module):
    """A timm network without its pooling and classifier.

    Input float [n, 3, h, w], output float [n, channels, h', w'] with sides as the network defines them.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """The last feature map."""
        model: Any = self.model
        features: Tensor = model.forward_features(x)
        return features


def timm_features(name: str) -> tuple[TimmFeatures, int]:
    """The network ``name`` of timm with random weights, and the number of channels of its feature map.

    Raises:
        MissingExtraError: timm is not installed.
        ConfigError: timm does not know the name, or the network has no feature map [n, channels, h, w]
            (transformers give tokens; average pooling and heatmaps need a map).
    """
    timm = require("timm", "train")
    try:
        model = timm.create_model(name, pretrained=False, num_classes=0)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"timm cannot make '{name}': {error}", hint="see timm.list_models()") from error
    features = TimmFeatures(model)
    shape = _shape_of_output(features)
    channels = int(getattr(model, "num_features", 0))
    if len(shape) != 4 or shape[1] != channels:
        raise ConfigError(
            f"timm:{name} gives features of shape {shape}, not [n, {channels}, h, w]",
            hint="choose a convolutional network",
        )
    return features, channels


@torch.no_grad()
def _shape_of_output(features: nn.Module) -> tuple[int, ...]:
    was_training = features.training
    features.eval()
    shape = tuple(features(torch.zeros(1, 3, PROBE_SIDE_PX, PROBE_SIDE_PX)).shape)
    features.train(was_training)
    return shape
