"""A trained network as the callable that room ``evaluation`` asks: squares in, logits and embeddings out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from leafsight.evaluation import Scores
from leafsight.models import Network
from leafsight.training.machine import choose_device


def network_scorer(network: Network, device: str = "auto") -> Callable[[np.ndarray], Scores]:
    """What answers for ``network``, in full precision and without augmentation.

    Args:
        network: moved to the device and put into eval mode.
        device: as in ``train``.

    Returns:
        uint8[n, side, side, 3], prepared squares -> ``Scores`` of n rows.

    Raises:
        TrainingError: the device is not there.
    """
    chosen = choose_device(device)
    network.to(chosen).eval()

    def ask(squares: np.ndarray) -> Scores:
        pixels = torch.from_numpy(np.array(squares)).to(chosen).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            outputs = network.outputs(pixels.contiguous(memory_format=torch.channels_last))
        return Scores(outputs.logits.float().cpu().numpy(), outputs.embedding.float().cpu().numpy())

    return ask
