"""Where torchvision's tensors of MobileNetV2 go in ``keras.applications``.

Enters: names and kernels. Leaves: names and kernels. Needs NumPy only and loads neither framework.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCKS = 17


def layer_parts() -> Iterator[tuple[str, list[str]]]:
    """Name of each layer of Keras with torchvision's names of its tensors, in the order that Keras wants."""
    yield from _unit("Conv1", "bn_Conv1", "features.0.0", "features.0.1")
    yield from _unit(
        "expanded_conv_depthwise",
        "expanded_conv_depthwise_BN",
        "features.1.conv.0.0",
        "features.1.conv.0.1",
    )
    yield from _unit(
        "expanded_conv_project", "expanded_conv_project_BN", "features.1.conv.1", "features.1.conv.2"
    )
    for number in range(1, BLOCKS):
        ours, theirs = f"features.{number + 1}.conv", f"block_{number}"
        yield from _unit(f"{theirs}_expand", f"{theirs}_expand_BN", f"{ours}.0.0", f"{ours}.0.1")
        yield from _unit(f"{theirs}_depthwise", f"{theirs}_depthwise_BN", f"{ours}.1.0", f"{ours}.1.1")
        yield from _unit(f"{theirs}_project", f"{theirs}_project_BN", f"{ours}.2", f"{ours}.3")
    yield from _unit("Conv_1", "Conv_1_bn", "features.18.0", "features.18.1")


def _unit(convolution: str, norm: str, kernel: str, moments: str) -> Iterator[tuple[str, list[str]]]:
    yield convolution, [f"{kernel}.weight"]
    yield norm, [f"{moments}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]


def as_keras(tensor: np.ndarray) -> np.ndarray:
    """Kernels ``[out, in, h, w]`` as ``[h, w, in, out]`` or ``[c, 1, h, w]`` as ``[h, w, c, 1]``."""
    if tensor.ndim != 4:
        return tensor
    return tensor.transpose((2, 3, 0, 1) if tensor.shape[1] == 1 else (2, 3, 1, 0))
