"""Proof that the graph says what the trained network says."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from leafsight.errors import ExportError
from leafsight.evaluation import Scores
from leafsight.export.agreement import ParityProof, compared
from leafsight.inference import OnnxNetwork
from leafsight.models import Network

BATCH = 8


def prove_parity(
    network: Network,
    graph: OnnxNetwork,
    images: UInt8[np.ndarray, "n side side 3"],
    *,
    tolerance: float,
    mirrored: bool = False,
) -> ParityProof:
    """Compare a network in eval mode with a graph.

    Args:
        network: its mode is restored.
        graph: what it was exported to.
        images: photographs at the side of the graph, RGB 0..255.
        tolerance: see ``ParityProof``.
        mirrored: the graph looks at the mirror image too.

    Raises:
        ExportError: there are no photographs.
    """
    if len(images) == 0:
        raise ExportError("parity cannot be proved without photographs")
    return compared(torch_scores(network, images, mirrored=mirrored), graph(images), tolerance=tolerance)


@torch.inference_mode()
def torch_scores(network: Network, images: np.ndarray, *, mirrored: bool = False) -> Scores:
    """What a network says in eval mode; its mode is restored. Arguments: see ``prove_parity``."""
    device, was_training = network.mean.device, network.training
    network.eval()
    logits, embeddings = [], []
    for at in range(0, len(images), BATCH):
        squares = torch.from_numpy(np.array(images[at : at + BATCH]))
        pixels = squares.permute(0, 3, 1, 2).to(device, torch.float32)
        embedding = network.embed(pixels)
        if mirrored:
            embedding = (embedding + network.embed(pixels.flip(3))) / 2
        logits.append(network.head(embedding).float().cpu().numpy())
        embeddings.append(embedding.float().cpu().numpy())
    network.train(was_training)
    return Scores(np.concatenate(logits), np.concatenate(embeddings))
