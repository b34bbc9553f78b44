"""The formats besides the bundle: what each is called, what makes it, and what counts as the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROUNDED_MIN_TOP1 = 0.95
"""Share of first classes that weights of fewer bits must keep: of 32 photographs one may change."""
ROUNDED_DIFFERENCE = 0.25
"""What they may move a logit by, in standard deviations of all logits (measured: 0.03 to 0.09)."""
EXACT_DIFFERENCE = 0.01
"""The same for fp32, beside the tolerance, which says nothing of the small logits of an untrained network."""


@dataclass(frozen=True, slots=True)
class ModelFormat:
    """One format.

    Attributes:
        name: as it is asked for.
        suffix: what follows the name of the model in the name of the file or folder.
        made_from: ``graph`` for what begins with the ONNX graph, ``network`` for what needs torch's network.
        libraries: import names of what makes and runs it, beside those of the extra ``train``.
        extra: the extra of leafsight that installs them.
        rounded: weights have fewer bits than fp32, so that logits move.
    """

    name: str
    suffix: str
    made_from: str = "graph"
    libraries: tuple[str, ...] = ()
    extra: str = "train"
    rounded: bool = False


TENSORFLOW = ("tensorflow", "ai_edge_litert")
FORMATS: Mapping[str, ModelFormat] = MappingProxyType(
    {
        one.name: one
        for one in (
            ModelFormat("onnx", ".onnx"),
            ModelFormat("openvino", "-openvino", libraries=("openvino",), extra="openvino"),
            ModelFormat("saved-model", "-saved-model", libraries=TENSORFLOW[:1], extra="formats"),
            ModelFormat("tflite", ".tflite", libraries=TENSORFLOW, extra="formats"),
            ModelFormat("tflite-fp16", "-fp16.tflite", libraries=TENSORFLOW, extra="formats", rounded=True),
            ModelFormat("tflite-int8", "-int8.tflite", libraries=TENSORFLOW, extra="formats", rounded=True),
            ModelFormat("torch-export", ".pt2", made_from="network"),
            ModelFormat("torchscript", ".torchscript.pt", made_from="network"),
        )
    }
)
