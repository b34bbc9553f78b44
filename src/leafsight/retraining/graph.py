"""Another head in a graph that stays as it is otherwise.

Enters: the ONNX file of a model that ends in one dense layer, and a head. Leaves: the ONNX file with that
head, and the proof that it computes what the head says. The network before the head is not touched, byte for
byte.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from leafsight.bundle import NetworkSpec
from leafsight.errors import TrainingError, require
from leafsight.inference import OnnxNetwork
from leafsight.retraining.head import Head

TOLERANCE = 1e-3
"""Largest difference of a logit, as in the proof of an export."""
NOT_DENSE = "the network of this model does not end in one dense layer, so its head cannot be exchanged"


@dataclass(frozen=True, slots=True)
class HeadProof:
    """The graph against the head, on the same squares.

    Attributes:
        squares: how many, drawn, not photographed.
        max_abs_diff: largest difference of a logit from weight times embedding plus bias.
        max_abs_diff_embedding: largest difference of an embedding's value from the parent's.
        tolerance: what both may be.
    """

    squares: int
    max_abs_diff: float
    max_abs_diff_embedding: float
    tolerance: float = TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether nothing differs by more than the tolerance; NaN never passes."""
        return self.max_abs_diff <= self.tolerance and self.max_abs_diff_embedding <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the bundle's provenance."""
        return asdict(self) | {"passed": self.passed}


def with_head(graph: bytes, spec: NetworkSpec, head: Head) -> tuple[bytes, NetworkSpec]:
    """The graph with another head, and what it looks like from outside.

    Raises:
        TrainingError: the graph does not end in one dense layer of that width.
        MissingExtraError: package onnx is not installed.
    """
    onnx = require("onnx", "train")
    try:
        model = onnx.load_from_string(graph)
    except Exception as error:  # protobuf raises classes of its own
        raise TrainingError(f"the network of this model cannot be read: {error}") from error
    weight, bias = _dense_layer(model.graph, spec)
    if list(weight.dims)[1:] != [head.weight.shape[1]]:
        raise TrainingError(
            f"a head of width {head.weight.shape[1]} for a layer of shape {list(weight.dims)}"
        )
    for place, values in ((weight, head.weight), (bias, head.bias)):
        place.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float32), place.name))
    for known in (*model.graph.output, *model.graph.value_info):
        if known.name == spec.logits.name:
            known.type.tensor_type.shape.dim[1].dim_value = len(head.bias)
    written: bytes = model.SerializeToString(deterministic=True)
    return written, replace(spec, logits=replace(spec.logits, shape=(None, len(head.bias))))


def prove_head(parent: OnnxNetwork, changed: OnnxNetwork, head: Head, *, squares: int = 4) -> HeadProof:
    """Compare what a changed graph says with its head and with the graph that it was made from."""
    drawn = drawn_squares(changed.spec, squares)
    before, after = parent.run(drawn), changed.run(drawn)
    return HeadProof(
        squares=squares,
        max_abs_diff=float(np.abs(after.logits - head.logits(after.embedding)).max()),
        max_abs_diff_embedding=float(np.abs(after.embedding - before.embedding).max()),
    )


def drawn_squares(spec: NetworkSpec, count: int, seed: int = 0) -> np.ndarray:
    """Squares uint8[count, side, side, 3] of coarse random patches: no photographs, but not flat either."""
    side = int(spec.input.shape[1] or 1)
    patches = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    at = np.arange(side) * 8 // side
    return np.ascontiguousarray(patches[:, at][:, :, at])


def _dense_layer(graph: Any, spec: NetworkSpec) -> tuple[Any, Any]:
    """Weights and biases of the layer that gives the logits from the embedding."""
    last = [node for node in graph.node if spec.logits.name in node.output]
    if len(last) != 1 or last[0].op_type != "Gemm" or len(last[0].input) != 3:
        raise TrainingError(NOT_DENSE, hint="use the full path")
    node = last[0]
    plain = {one.name: (one.i if one.name.startswith("trans") else one.f) for one in node.attribute}
    usual = plain.pop("transB", 0) == 1 and not plain.pop("transA", 0) and set(plain.values()) <= {1.0}
    stored = {one.name: one for one in graph.initializer}
    shared = [name for other in graph.node if other is not node for name in other.input]
    named = [name for name in node.input[1:] if name in stored and name not in shared]
    if not usual or node.input[0] != spec.embedding.name or len(named) != 2:
        raise TrainingError(NOT_DENSE, hint="use the full path")
    return stored[named[0]], stored[named[1]]
