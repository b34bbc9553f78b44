"""A trained network -> a graph with its proof: traced, compared with torch, quantised where that pays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from leafsight.bundle import NetworkSpec
from leafsight.errors import ConfigError, ExportError
from leafsight.export.agreement import ParityProof, require_passed
from leafsight.export.options import ExportOptions
from leafsight.export.parity import prove_parity
from leafsight.export.precision import PrecisionDecision, decide_precision, evenly
from leafsight.export.tracing import export_graph, spec_of
from leafsight.images import Preprocessing
from leafsight.inference import OnnxNetwork
from leafsight.models import Network
from leafsight.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class ExportedNetwork:
    """A graph that is ready for a bundle.

    Attributes:
        graph: the ONNX file.
        spec: names and shapes of its doors, and its precision.
        preprocessing: how its squares are made.
        proof: fp32 graph against torch.
        decision: fp32 or INT8, and why.
        mirrored: the graph also looks at the mirror image.
    """

    graph: bytes
    spec: NetworkSpec
    preprocessing: Preprocessing
    proof: ParityProof
    decision: PrecisionDecision
    mirrored: bool = False

    def open(self, *, threads: int = 1) -> OnnxNetwork:
        """The graph as a callable for ``evaluation``; fit the calibration on its scores, not on torch's."""
        return OnnxNetwork(self.graph, self.spec, threads=threads)

    def to_dict(self) -> dict[str, Any]:
        """Proof and decision as plain values for the bundle's provenance."""
        return {
            "parity": self.proof.to_dict(),
            "precision": self.decision.to_dict(),
            "mirrored": self.mirrored,
        }


def export_network(
    network: Network,
    preprocessing: Preprocessing,
    *,
    training_images: UInt8[np.ndarray, "m side side 3"],
    judged_images: UInt8[np.ndarray, "n side side 3"],
    judged_labels: Int[np.ndarray, " labels"],
    options: ExportOptions | None = None,
    progress: Progress | None = None,
) -> ExportedNetwork:
    """Export and prove.

    Args:
        network: trained; left as it is.
        preprocessing: its ``mean`` and ``std`` must be the network's own.
        training_images: some photographs that it was trained on, prepared (``prepare``); they set the INT8
            ranges. A few hundred are enough.
        judged_images: prepared photographs that it was not trained on, at best the validation split; not the
            test split, because they help to choose.
        judged_labels: their classes, one each (checked, hence its own axis name).
        options: see ``ExportOptions``.
        progress: told of photographs.

    Raises:
        ExportError: torch and graph differ by more than the tolerance, or a step of the export fails.
        ConfigError: the preprocessing is not the network's, or the photographs have another side.
    """
    options, progress = options or ExportOptions(), progress or Silent()
    _check(network, preprocessing, training_images, judged_images, judged_labels)
    spec = spec_of(network, preprocessing.side_px)
    graph = export_graph(network, spec, mirrored=options.mirrored)
    pool = judged_images if len(judged_images) else training_images
    proof_images = evenly(pool, options.proof_photos)
    progress.start("comparing torch and ONNX", len(proof_images))
    proof = prove_parity(
        network,
        OnnxNetwork(graph, spec),
        proof_images,
        tolerance=options.tolerance,
        mirrored=options.mirrored,
    )
    progress.advance(len(proof_images))
    progress.finish(f"largest difference of a logit {proof.max_abs_diff:.1e}")
    require_passed(proof, "torch and the ONNX graph")
    kept, decision = decide_precision(
        graph, spec, training_images, judged_images, judged_labels, options, progress
    )
    served = replace(spec, precision=decision.precision)
    return ExportedNetwork(kept, served, preprocessing, proof, decision, options.mirrored)


def _check(
    network: Network,
    preprocessing: Preprocessing,
    training_images: np.ndarray,
    judged_images: np.ndarray,
    judged_labels: np.ndarray,
) -> None:
    for name in ("mean", "std"):
        own = getattr(network, name).flatten().tolist()
        if not np.allclose(own, getattr(preprocessing, name), rtol=1e-6):
            raise ConfigError(
                f"preprocessing.{name} is {getattr(preprocessing, name)}, the network's own is {own}"
            )
    side_px = preprocessing.side_px
    for what, images in (("training", training_images), ("judged", judged_images)):
        if len(images) and (images.shape[1:] != (side_px, side_px, 3) or images.dtype != np.uint8):
            raise ConfigError(
                f"the {what} photographs are {images.dtype} {images.shape[1:]}, "
                f"wanted uint8 {(side_px, side_px, 3)}"
            )
    if len(judged_images) != len(judged_labels):
        raise ConfigError(f"{len(judged_images)} judged photographs but {len(judged_labels)} labels")
    if len(judged_images) == 0 and len(training_images) == 0:
        raise ExportError("an export needs photographs to prove that nothing changed")
