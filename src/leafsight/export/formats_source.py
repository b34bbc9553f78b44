"""What another format is made from: an fp32 graph, out of a training run or out of a bundle.

Enters: a finished run with photographs, or an open bundle. Leaves: the graph with all that must be known
about it, and torch's network where there is one. It does not know the formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leafsight.bundle import Bundle, NetworkSpec
from leafsight.export.agreement import require_passed
from leafsight.export.dequantising import dequantised
from leafsight.images import Preprocessing
from leafsight.inference import OnnxNetwork

if TYPE_CHECKING:
    from leafsight.models import Network


@dataclass(frozen=True)
class FormatSource:
    """A model that is to be had in other formats.

    Attributes:
        name: what people call it.
        graph: ONNX, fp32.
        spec: of the graph.
        classes: names in the order of the logits.
        preprocessing: how its squares are made.
        weights: what the weights are, in words.
        served: the graph of the bundle where that is INT8, and its spec.
        network: torch's; None out of a bundle.
        mirrored: the graph also looks at the mirror image.
        origin: plain values that say where it comes from.
    """

    name: str
    graph: bytes
    spec: NetworkSpec
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    weights: str = "fp32"
    served: tuple[bytes, NetworkSpec] | None = None
    network: Network | None = None
    mirrored: bool = False
    origin: Mapping[str, Any] | None = None


def source_of_bundle(bundle: Bundle) -> FormatSource:
    """The graph of a bundle; one that is INT8 becomes fp32 again, see ``dequantised``.

    Raises:
        ExportError: quantised in another way than ours.
        MissingExtraError: no onnx, where the graph is INT8.
    """
    graph, spec = bundle.network(), bundle.network_spec
    origin = {"kind": "model file", "content_hash": bundle.content_hash}
    source = FormatSource(
        bundle.name, graph, spec, bundle.classes, Preprocessing.from_dict(bundle.preprocessing), origin=origin
    )
    if spec.precision != "int8":
        return source
    return replace(
        source,
        graph=dequantised(graph),
        spec=replace(spec, precision="fp32"),
        weights="int8, as fp32 numbers",
        served=(graph, spec),
    )


def source_of_run(
    network: Network,
    classes: tuple[str, ...],
    preprocessing: Preprocessing,
    squares: np.ndarray,
    *,
    name: str,
    tolerance: float,
    mirrored: bool = False,
    origin: Mapping[str, Any] | None = None,
) -> FormatSource:
    """The graph of a trained network, compared with torch.

    Args:
        network: left as it is.
        classes: names in the order of the logits.
        preprocessing: how its squares are made.
        squares: uint8 [n, side, side, 3], prepared photographs for the comparison.
        name: what people call it.
        tolerance: largest difference of a logit.
        mirrored: look at the mirror image too.
        origin: added to what is said about where it comes from.

    Raises:
        ExportError: the graph and torch differ by more than the tolerance.
    """
    # Here, because formats of a bundle need no torch.
    from leafsight.export.parity import prove_parity
    from leafsight.export.tracing import export_graph, spec_of

    spec = spec_of(network, preprocessing.side_px)
    graph = export_graph(network, spec, mirrored=mirrored)
    proof = prove_parity(network, OnnxNetwork(graph, spec), squares, tolerance=tolerance, mirrored=mirrored)
    require_passed(proof, "torch and the ONNX graph")
    said = {"kind": "training run", **(origin or {}), "graph_against_torch": proof.to_dict()}
    return FormatSource(
        name, graph, spec, classes, preprocessing, network=network, mirrored=mirrored, origin=said
    )
