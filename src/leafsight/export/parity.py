"""Proof that the graph says what the trained network says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from leafsight.errors import ExportError
from leafsight.inference import OnnxNetwork
from leafsight.models import Network

BATCH = 8


@dataclass(frozen=True, slots=True)
class ParityProof:
    """Torch against the graph on the same photographs.

    Attributes:
        photos: how many were compared.
        max_abs_diff: largest difference of a logit.
        mean_abs_diff: mean difference of a logit.
        max_abs_diff_embedding: largest difference of an embedding's value.
        top1_agreement: share of photographs with the same first class.
        tolerance: what ``max_abs_diff`` may be.
    """

    photos: int
    max_abs_diff: float
    mean_abs_diff: float
    max_abs_diff_embedding: float
    top1_agreement: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no logit differs by more than the tolerance (NaN never passes)."""
        return self.max_abs_diff <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the bundle's provenance."""
        return asdict(self) | {"passed": self.passed}


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
    logits, embedding = _torch_scores(network, images, mirrored)
    scores = graph(images)
    off = np.abs(scores.logits - logits)
    assert scores.embedding is not None
    return ParityProof(
        photos=len(images),
        max_abs_diff=float(off.max()),
        mean_abs_diff=float(off.mean()),
        max_abs_diff_embedding=float(np.abs(scores.embedding - embedding).max()),
        top1_agreement=float((scores.logits.argmax(1) == logits.argmax(1)).mean()),
        tolerance=tolerance,
    )


@torch.inference_mode()
def _torch_scores(network: Network, images: np.ndarray, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
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
    return np.concatenate(logits), np.concatenate(embeddings)
