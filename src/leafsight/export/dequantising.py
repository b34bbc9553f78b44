"""An INT8 graph -> the fp32 graph that it stands for, for runtimes that have their own ways to quantise.

Enters: a graph that ``quantise`` made. Leaves: one without ``QuantizeLinear`` and ``DequantizeLinear``.
Weights keep their 8-bit values, now as float32. Activations are no longer rounded, but still limited to the
range of their 8 bits: the quantiser drops a ReLU where that range begins at zero. It does not know why
somebody wants it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leafsight.errors import ExportError, require

Arrays = dict[str, np.ndarray]


def dequantised(graph: bytes) -> bytes:
    """The same graph without quantisation; a graph that has none comes back as it is.

    ``x = (q - zero_point) * scale`` (https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html).

    Raises:
        ExportError: quantised in another way than ours.
        MissingExtraError: no onnx.
    """
    onnx = require("onnx", "formats")
    model = onnx.load_from_string(graph)
    nodes = list(model.graph.node)
    if not any(node.op_type == "DequantizeLinear" for node in nodes):
        return graph
    constants: Arrays = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    rounded = {node.output[0]: node for node in nodes if node.op_type == "QuantizeLinear"}
    added: Arrays = {}
    kept = []
    for node in nodes:
        if node.op_type == "QuantizeLinear":
            continue
        if node.op_type != "DequantizeLinear":
            kept.append(node)
        elif node.input[0] in constants:
            added[node.output[0]] = _values(onnx, node, constants)
        elif node.input[0] in rounded:
            kept.append(_limits(onnx, node, rounded[node.input[0]], constants, added))
        else:
            raise ExportError(f"{node.name} takes 8-bit values that the graph itself computes")
    del model.graph.node[:]
    model.graph.node.extend(kept)
    used = {name for node in kept for name in node.input}
    del model.graph.initializer[:]
    both = {**constants, **added}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(both[name], name) for name in both if name in used
    )
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _values(onnx: Any, node: Any, constants: Arrays) -> np.ndarray:
    """float32, the shape of the 8-bit constant."""
    q, scale, zero_point = _three(node, constants)
    if scale.ndim:
        axis = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}.get("axis", 1)
        shape = [-1 if at == axis % q.ndim else 1 for at in range(q.ndim)]
        scale, zero_point = scale.reshape(shape), zero_point.reshape(shape)
    values: np.ndarray = (q.astype(np.float32) - zero_point.astype(np.float32)) * scale
    return values


def _limits(onnx: Any, node: Any, rounding: Any, constants: Arrays, added: Arrays) -> Any:
    """A ``Clip`` to what the 8 bits can hold, in the place of rounding to them."""
    scale, zero_point = (constants[name] for name in rounding.input[1:3])
    if scale.ndim:
        raise ExportError(f"{node.name} has an 8-bit range for each channel of an activation")
    held = np.iinfo(zero_point.dtype)
    names = [f"{node.output[0]}_{which}" for which in ("low", "high")]
    for name, bound in zip(names, (held.min, held.max), strict=True):
        added[name] = np.array((bound - int(zero_point)) * float(scale), np.float32)
    return onnx.helper.make_node("Clip", [rounding.input[0], *names], [node.output[0]], name=node.name)


def _three(node: Any, constants: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    q, scale = (constants[name] for name in node.input[:2])
    zero_point = constants[node.input[2]] if len(node.input) > 2 else np.zeros_like(scale, dtype=q.dtype)
    return q, scale, zero_point
