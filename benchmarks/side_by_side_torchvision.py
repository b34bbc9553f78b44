"""torchvision's MobileNetV2 with the padding and the weights of the common start, for peers on our torch.

Enters: a job. Leaves: a backbone, and how far its embedding is from leafsight's. Runs with torchvision on the
path, and knows nothing of leafsight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from benchmarks.pipeline_torch import import_transforms
from torch import nn

if TYPE_CHECKING:
    from benchmarks.side_by_side_work import Job

import_transforms()  # makes torchvision importable beside a torch without CUDA

import torchvision  # noqa: E402

LIKE_TENSORFLOW = (0, 1, 0, 1)  # padding of a stride of 2 over an even side: left, right, top, bottom


def features(job: Job) -> nn.Sequential:
    """``[n, 3, side, side]`` scaled to -1..1 -> ``[n, 1280, h, w]``.

    Raises:
        SystemExit: the weights of the start do not fit.
    """
    network = torchvision.models.mobilenet_v2(weights=None)
    with np.load(job.start, allow_pickle=False) as tensors:
        state = {name: torch.from_numpy(tensors[name]) for name in tensors.files if "." in name}
    missing = network.load_state_dict(state, strict=False)
    lost = [name for name in missing.missing_keys if "classifier" not in name and "num_batches" not in name]
    if lost or missing.unexpected_keys:
        raise SystemExit(f"weights that do not fit: {lost + missing.unexpected_keys}")
    for part in list(network.modules()):
        if isinstance(part, nn.Sequential) and isinstance(part[0], nn.Conv2d) and part[0].stride == (2, 2):
            part[0].padding = (0, 0)
            part[0] = nn.Sequential(nn.ZeroPad2d(LIKE_TENSORFLOW), part[0])
    found: nn.Sequential = network.features
    return found


def difference(job: Job) -> float:
    """The largest difference between the embedding of this network and that of leafsight."""
    with np.load(job.start, allow_pickle=False) as tensors:
        pixels, wanted = tensors["pixels"].astype(np.float32), tensors["embedding"]
    network = nn.Sequential(features(job), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    with torch.inference_mode():
        found = network(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1)
    return float(np.abs(found.numpy() - wanted).max())
